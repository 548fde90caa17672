//! Nurseries: blocks that do not end before all tasks started in them have ended.
//!
//! # Children that borrow
//!
//! A child may hold references to the frame that opened the nursery. It needs no `'static` and no `Arc`. One rule
//! makes that sound: **a nursery's future owns its children, and polls them only inside its own poll.** The compiler
//! knows that the future of [`nursery`] may hold borrows of `'env`. It does not let anybody poll or drop that future
//! after `'env` has ended. From that follows:
//!
//! - *Polling.* A child runs only while the nursery's future is being polled, so its borrows are alive. The run loop
//!   also knows the child's [node](crate::core::poll_tree::node), but it only queues the node for that poll.
//! - *Dropping.* When the nursery's future is dropped, it drops the body first, then (by [`NurseryGuard`]) the
//!   children, then the nursery itself, to which children may hold references.
//! - *Forgetting.* A nursery's future may be forgotten (`mem::forget`, a leaked box). Then it is never polled or
//!   dropped again, and its children are not either. Their borrows may dangle, but nothing reads them, and their
//!   memory stays. A scheduler that polled children directly would read them.
//! - *Escaping.* The handle `&'scope Nursery<'scope, 'env>` cannot leave the block, since the body must accept every
//!   `'scope`. What a child borrows must outlive `'scope`. So it cannot be a local of the body, which ends earlier.
//!
//! The [safety chapter](crate::core::poll_tree) gives each of these rules a name. The price is that polls nest as
//! deep as nurseries do. When a thread's stack runs short, polling goes on in a new segment of stack.
//!
//! # The end of the block
//!
//! As in trio, the task that opened the nursery goes on one tick after the body and all children have ended. That
//! wait cannot be cancelled. A cancellation reaches the children, and the block ends when they have ended.

use crate::{
    BodyCancelled, Error, NurseryClosed,
    core::{
        cancel::{enter::Entered, scope::CancelScope, state::ScopeState},
        ids::ScopeId,
        poll_tree::{
            node::{Node, Queued, UninitNode},
            nursery_node::NurseryNode,
            stack::with_stack,
            wrap,
        },
        run,
        run::Run,
        task::{
            context_values::TaskContext,
            handle::{Task, TaskInfo},
            unit::unit,
        },
    },
    error::{Failures, failure::FirstPanic},
};
use std::{
    any::Any,
    borrow::Cow,
    cell::{Cell, RefCell},
    future::poll_fn,
    marker::PhantomData,
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
    rc::Rc,
    task::Poll,
};

/// The handle with which a body and its children start tasks; trio's `Nursery`. [`nursery`] makes it.
#[must_use]
pub struct Nursery<'scope, 'env: 'scope> {
    pub(crate) run: Rc<Run>,
    pub(super) in_tree: Rc<NurseryNode>,
    pub(super) scope: CancelScope,
    pub(crate) scope_id: ScopeId,
    pub(super) failures: RefCell<Failures>,
    pub(super) panic: RefCell<Option<Box<dyn Any + Send>>>,
    pub(super) closed: Cell<bool>,
    /// Whether a Ctrl-C is among the nursery's errors, which it has yet to return.
    pub(super) holds_interrupt: Cell<bool>,
    /// Makes both lifetimes invariant (CLOSED). If one could be shortened, a child could borrow from the block, or
    /// the handle could leave it.
    lifetimes: PhantomData<(&'scope mut &'scope (), &'env mut &'env ())>,
}

impl<'scope, 'env> Nursery<'scope, 'env> {
    /// Starts a task. `child` runs beside the body, from the next tick on.
    ///
    /// If it fails, the nursery's scope is cancelled, and the nursery returns the error. The child lives under the
    /// nursery's cancel scopes, whoever starts it. trio's `start_soon`.
    ///
    /// # Cancellation
    /// Not a checkpoint. In a cancelled nursery the child still starts, and runs up to its first checkpoint.
    ///
    /// # Panics
    /// If the nursery has closed. [`Nursery::try_start_soon`] returns an error then.
    #[track_caller]
    pub fn start_soon<F>(&'scope self, child: F)
    where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        if let Err(closed) = self.start_child(self.info(Location::caller()), child) {
            panic!("{closed}");
        }
    }

    /// As [`Nursery::start_soon`], for code that cannot know whether the nursery has closed. Mostly that is a
    /// destructor, which may be called when the nursery is dropped.
    ///
    /// # Cancellation
    /// Not a checkpoint.
    ///
    /// # Errors
    /// If the nursery has closed. Then `child` is dropped. To keep it, ask [`Nursery::is_closed`] first.
    ///
    /// ```
    /// use terzetto::{Nursery, nursery, sleep};
    /// /// Says goodbye on its way out, if there is still time.
    /// struct Guest<'scope, 'env>(&'scope Nursery<'scope, 'env>);
    /// impl Drop for Guest<'_, '_> {
    ///     fn drop(&mut self) {
    ///         let _too_late = self.0.try_start_soon(async { Ok(sleep(0.001).await?) });
    ///     }
    /// }
    /// terzetto::run(async {
    ///     nursery(async |n| {
    ///         drop(Guest(n));
    ///         assert_eq!(n.child_count(), 1);
    ///         Ok(())
    ///     }).await
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    #[track_caller]
    pub fn try_start_soon<F>(&'scope self, child: F) -> Result<(), NurseryClosed>
    where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        self.start_child(self.info(Location::caller()), child).map(drop)
    }

    /// As [`Nursery::start_soon`], with a name for the task, which shows in messages. Returns the task's handle.
    ///
    /// # Panics
    /// If the nursery has closed.
    #[track_caller]
    pub fn start_soon_named<F>(&'scope self, name: impl Into<Cow<'static, str>>, child: F) -> Task
    where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        match self.start_child(self.info(Location::caller()).named(name), child) {
            Ok(node) => Task::of(&node),
            Err(closed) => panic!("{closed}"),
        }
    }

    /// As [`Nursery::start_soon_named`], for functions that start tasks on behalf of their callers. Messages name
    /// `caller` as the place where the task was started.
    pub(crate) fn start_soon_for<F>(
        &'scope self,
        name: impl Into<Cow<'static, str>>,
        caller: &'static Location<'static>,
        child: F,
    ) where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        if let Err(closed) = self.start_child(self.info(caller).named(name), child) {
            panic!("{closed}");
        }
    }

    /// The data of a task that the current task starts here.
    fn info(&self, caller: &'static Location<'static>) -> TaskInfo {
        TaskInfo::new(self.run.tree.number(), Some(caller), TaskContext::current_in(&self.run))
    }

    /// Adds a child, unless the nursery has closed.
    // This is inlined, since a call would copy the future.
    #[inline(always)]
    pub(crate) fn start_child<F>(&'scope self, info: TaskInfo, child: F) -> Result<Node, NurseryClosed>
    where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        if self.closed.get() {
            return Err(NurseryClosed);
        }
        let mut uninit = UninitNode::<F>::new(info);
        // SAFETY: the future is written first. It is polled only by `poll_node` and dropped only there, by `drop_child`
        // and by `NurseryGuard`, all inside the future of `nursery` or through a `&'scope self` (OWNED).
        unsafe {
            uninit.future().write(child);
            let node = uninit.into_node();
            self.add_child(node.clone());
            Ok(node)
        }
    }

    /// Adds a node as a child.
    ///
    /// # Safety
    /// All that the node's future borrows lives at least as long as this nursery's own future (OWNED).
    pub(crate) unsafe fn add_child(&self, node: Node) {
        self.in_tree.add_child(node.clone());
        self.run.task_spawned(node, self.in_tree.clone());
    }

    /// Drops a child that is not wanted any more. If it is being polled, it is dropped when that poll has ended.
    /// Returns the panic of a destructor.
    ///
    /// # Safety
    /// The node is a child of this nursery. The caller holds a `&'scope self`, or is inside the future that holds one
    /// (OWNED).
    pub(crate) unsafe fn drop_child(&self, node: &Node) -> std::thread::Result<()> {
        // SAFETY: the nursery drops its own child, as the caller promises (OWNED).
        let drop_it = || with_stack(|| unsafe { node.drop_future() });
        let dropped = catch_unwind(AssertUnwindSafe(drop_it));
        if matches!(dropped, Ok(false)) {
            return Ok(());
        }
        self.in_tree.remove_child(node);
        self.run.task_exited(node);
        self.run.notify_parent_of(&self.in_tree);
        dropped.map(drop)
    }

    /// Whether the body and all children have ended, or the nursery is being dropped. Then no more tasks can be
    /// started in it.
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// The scope around the body and all children. To cancel it is no error of the block, but a body that has no value
    /// then may be: see [`BodyCancelled`].
    pub fn cancel_scope(&self) -> &CancelScope {
        &self.scope
    }

    /// How many children have not ended.
    pub fn child_count(&self) -> usize {
        self.in_tree.child_count()
    }

    /// Makes a node of the body.
    fn body<'a, F>(&'a self, opener: Task, body: F) -> NurseryGuard<'a, 'scope, 'env>
    where
        F: Future<Output = Result<(), Error>> + 'a,
    {
        let mut uninit = UninitNode::<F>::new(TaskInfo::of_body(opener));
        // SAFETY: the future is written first. It is polled only by `poll_node`, and dropped only there and by
        // `NurseryGuard`. Both happen inside the future of `nursery` (OWNED), and while the guard lasts, which `'a`
        // outlives.
        let node = unsafe {
            uninit.future().write(body);
            uninit.into_node()
        };
        self.run.tree.add(node.clone(), self.in_tree.clone());
        NurseryGuard { nursery: self, body: node }
    }
}

/// Ends the nursery when its future is dropped, early or at its end. Drops the body first, then the children.
struct NurseryGuard<'a, 'scope, 'env> {
    nursery: &'a Nursery<'scope, 'env>,
    body: Node,
}

impl Drop for NurseryGuard<'_, '_, '_> {
    fn drop(&mut self) {
        let nursery = self.nursery;
        let run = &nursery.run;
        // Destructors of the body and the children may hold the handle. They must not start anything any more.
        nursery.closed.set(true);
        // Destructors, instruments and foreign wakers may panic. Each step is still taken. Then the first panic goes
        // on.
        let mut panics = FirstPanic::default();
        let drop_future = |panics: &mut FirstPanic, node: &Node| {
            panics.catch(|| {
                // SAFETY: the guard is a part of the future of `nursery`, and drops nodes of its own (OWNED).
                with_stack(|| unsafe { node.drop_future() });
            });
        };
        drop_future(&mut panics, &self.body);
        if nursery.child_count() > 0 {
            let mut children = nursery.in_tree.take_children();
            for node in children.drain(..) {
                drop_future(&mut panics, &node);
                panics.catch(|| {
                    if let Some(starter) = node.info.starter() {
                        starter.child_dropped();
                    }
                });
                panics.catch(|| run.task_exited(&node));
                // This may drop values of the user: those in the task's context.
                panics.catch(|| drop(node));
            }
            nursery.in_tree.keep_room(children);
        }
        if nursery.holds_interrupt.get() {
            run.interrupt.hold(false);
        }
        run.tree.remove(&self.body);
        panics.catch(|| run.tree.close_nursery(&nursery.in_tree));
        panics.resume();
    }
}

/// Opens a nursery. Runs `body`, which may start children. Returns when body and children have ended. trio's
/// `open_nursery`.
///
/// If one of them fails, the others are cancelled. When all have ended, the nursery returns their errors together.
///
/// # Cancellation
/// A schedule point and not a cancel point. The nursery itself never fails with `Cancelled`, but the tasks in it do.
/// Dropping the future drops body and children at once.
///
/// # Errors
/// An [`ErrorGroup`](crate::ErrorGroup) of all errors of body and children, also if there is only one. Each error
/// comes with the [task](crate::TaskOrigin) that it came from. Cancellations that the nursery itself caused are left
/// out. If an outer scope is cancelled, the cancellations of body and children are in the group as well.
///
/// # Panics
/// If the body or a child panicked. The others are cancelled. When all have ended, the panic goes on in the task that
/// opened the nursery, with its original payload. Errors of the others are lost then. The log, and the reason of the
/// cancellation, say which task has panicked. Outside a run.
///
/// ```
/// use std::cell::Cell;
/// # terzetto::run(async {
/// let parts = [1, 2, 3];
/// let total = Cell::new(0);
/// let total = &total;
/// terzetto::nursery(async |n| {
///     for part in &parts {
///         n.start_soon(async move {
///             terzetto::sleep(0.001).await?;
///             total.set(total.get() + part);
///             Ok(())
///         });
///     }
///     Ok(())
/// }).await?;
/// assert_eq!(total.get(), 6);
/// # Ok(())
/// # }).unwrap();
/// ```
///
/// A child cannot borrow from the body, which may end before the child:
///
/// ```compile_fail
/// # terzetto::run(async {
/// terzetto::nursery(async |n| {
///     let local = 1;
///     n.start_soon(async { println!("{}", &local); Ok(()) });
///     Ok(())
/// }).await
/// # }).unwrap();
/// ```
///
/// The handle cannot leave the block:
///
/// ```compile_fail
/// # terzetto::run(async {
/// let mut leaked = None;
/// terzetto::nursery(async |n| { leaked = Some(n); Ok(()) }).await?;
/// leaked.unwrap().start_soon(async { Ok(()) });
/// # Ok(())
/// # }).unwrap();
/// ```
#[allow(clippy::manual_async_fn, reason = "an `async fn` would hold its argument twice: see `wrap`")]
pub fn nursery<'env, T, F>(body: F) -> impl Future<Output = Result<T, Error>>
where
    F: for<'scope> AsyncFnOnce(&'scope Nursery<'scope, 'env>) -> Result<T, Error>,
{
    async move {
        let run = run::current();
        let cell = ScopeState::new();
        let entered = Entered::new(run.clone(), cell.clone());
        let parent = poll_fn(|cx| Poll::Ready(run.tree.parent_of(cx.waker()))).await;
        let opener = run.tree.current_task().unwrap_or_else(|| run.main_task());
        let nursery = Nursery {
            in_tree: run.tree.open_nursery(parent, opener.clone(), entered.id()),
            run,
            scope: CancelScope { cell },
            scope_id: entered.id(),
            failures: RefCell::default(),
            panic: RefCell::default(),
            closed: Cell::new(false),
            holds_interrupt: Cell::new(false),
            lifetimes: PhantomData,
        };
        let value = Cell::new(None);
        {
            let body = wrap::lazy(|| body(&nursery));
            let body = wrap::map(body, |outcome| outcome.map(|end| value.set(Some(end))));
            let guard = nursery.body(opener, body);
            // The body starts at once, as the code of a block does.
            let mut body_done = with_stack(|| {
                let path = nursery.run.poll_path(nursery.scope_id);
                nursery.poll_body(&path, guard.body.clone(), Queued::ForOneBelow)
            });
            let mut ended_in = None;
            poll_fn(|cx| nursery.poll_inside(cx, &guard.body, &mut body_done, &mut ended_in)).await;
        }
        let closed = entered.close(nursery.failures.take().into_result());
        if let Some(payload) = nursery.panic.take() {
            resume_unwind(payload);
        }
        closed?;
        // If only children were cancelled, the body's value is returned.
        value.into_inner().map_or_else(value_of_cancelled_body, Ok)
    }
}

/// What a nursery returns if its own scope ended it before its body had a value.
fn value_of_cancelled_body<T>() -> Result<T, Error> {
    unit().ok_or_else(|| BodyCancelled.into())
}
