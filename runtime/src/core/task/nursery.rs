//! Nurseries: blocks that do not end before everything started in them has ended.
//!
//! # Children that borrow
//!
//! A child may hold references to the frame that opened the nursery: there is no `'static`, no `Arc`.
//! That is sound because of one rule: **a child is owned by its nursery's future, and polled only
//! inside that future's poll.** The compiler knows that the future of [`nursery`] may hold borrows
//! of `'env`; it will not let anybody poll or drop that future after `'env` has ended. So:
//!
//! - *Polling.* A child runs only while the nursery's future is being polled: its borrows are alive.
//!   The run loop knows the child's [node](crate::core::poll_tree::node), too, but does no more than queue it for that poll.
//! - *Dropping.* Dropping the nursery's future drops the body first, then (by [`NurseryGuard`]) the
//!   children, then the nursery itself, to which children may hold references.
//! - *Forgetting.* A nursery's future that is forgotten (`mem::forget`, a leaked box) is never
//!   polled and never dropped again, and neither are its children. They dangle perhaps, but nobody
//!   looks, and their memory stays. A scheduler that polled children directly would have to look.
//! - *Escaping.* The handle `&'scope Nursery<'scope, 'env>` cannot leave the block, since the body
//!   must accept every `'scope`; and what a child borrows must outlive `'scope`, so it cannot be a
//!   local of the body, which ends earlier.
//!
//! The price is that polls nest as deep as nurseries do. When a thread's stack runs short, polling
//! goes on in a fresh segment of stack.
//!
//! # The end of the block
//!
//! As in trio the parent goes on one tick after the last of body and children has ended, and that
//! wait cannot be cancelled: cancellation reaches the children, and the block ends when they have.

use crate::{
    BodyCancelled, CancelReason, CancelSource, Error, NurseryClosed,
    core::{
        cancel::{entered::Entered, scope::CancelScope, state::ScopeCell, tree::ScopeId},
        poll_tree::{
            node::{End, Node, Queued, UninitNode},
            nursery_node::NurseryNode,
            poll_path::PollPath,
            stack::with_stack,
            waker, wrap,
        },
        run,
        run::Run,
        task::{
            context::Context as TaskContext,
            handle::{InFull, Task, TaskInfo},
            unit::unit,
        },
    },
    error::{
        Failures,
        failure::{FirstPanic, discard, text_of_failure, text_of_panic},
    },
};
use std::{
    any::Any,
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt,
    future::poll_fn,
    marker::PhantomData,
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
    rc::Rc,
    task::{Context, Poll},
};

/// The handle with which a body and its children start tasks; trio's `Nursery`. Made by [`nursery`].
#[must_use]
pub struct Nursery<'scope, 'env: 'scope> {
    pub(crate) run: Rc<Run>,
    in_tree: Rc<NurseryNode>,
    scope: CancelScope,
    pub(crate) scope_id: ScopeId,
    failures: RefCell<Failures>,
    panic: RefCell<Option<Box<dyn Any + Send>>>,
    closed: Cell<bool>,
    /// Whether it has taken a Ctrl-C, and has yet to hand it on.
    holds_interrupt: Cell<bool>,
    /// Makes both lifetimes invariant, so that neither can be shortened to let a borrow in or the
    /// handle out.
    lifetimes: PhantomData<(&'scope mut &'scope (), &'env mut &'env ())>,
}

impl<'scope, 'env> Nursery<'scope, 'env> {
    /// Starts a task: `child` runs beside the body, beginning with the next tick.
    ///
    /// If it fails, the nursery's scope is cancelled, and the error comes out of the nursery. The
    /// child lives under the nursery's cancel scopes, whoever starts it. trio's `start_soon`.
    ///
    /// # Cancellation
    /// Not a checkpoint. In a cancelled nursery the child still starts, and runs up to its first
    /// checkpoint.
    ///
    /// # Panics
    /// If the nursery has closed. [`Nursery::try_start_soon`] does not.
    #[track_caller]
    pub fn start_soon<F>(&'scope self, child: F)
    where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        if let Err(closed) = self.start_child(self.info(Location::caller()), child) {
            panic!("{closed}");
        }
    }

    /// As [`Nursery::start_soon`], for whoever cannot know whether the nursery has closed: a destructor, mostly, which may
    /// be called when the nursery is dropped.
    ///
    /// # Cancellation
    /// Not a checkpoint.
    ///
    /// # Errors
    /// If the nursery has closed. `child` is dropped then; to keep it, ask [`Nursery::is_closed`] first.
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

    /// As [`Nursery::start_soon`], with a name for the task, which shows in messages. Returns the
    /// task's handle.
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

    /// What is known of a task that the current one starts here.
    fn info(&self, caller: &'static Location<'static>) -> TaskInfo {
        TaskInfo::new(self.run.tree.number(), Some(caller), TaskContext::current_in(&self.run))
    }

    /// Takes a child in, unless the nursery has closed.
    // Compiled into its callers: they would hand the future on by a copy.
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
        // and by `NurseryGuard`, all inside the future of `nursery` or through a `&'scope self`, while `'scope` lasts.
        let node = unsafe {
            uninit.future().write(child);
            uninit.into_strand()
        };
        self.add_child(node.clone());
        Ok(node)
    }

    /// Takes a node in as a child.
    pub(crate) fn add_child(&self, node: Node) {
        self.in_tree.add_child(node.clone());
        self.run.task_spawned(node, self.in_tree.clone());
    }

    /// Drops a child that is not wanted any more; one that is being polled, as soon as it is not. Returns the
    /// panic of a destructor.
    pub(crate) fn drop_child(&self, node: &Node) -> std::thread::Result<()> {
        // SAFETY: the caller has a `&'scope self`, or is dropped inside the future that holds one: see `start_child`.
        let drop_it = || with_stack(|| unsafe { node.drop_future() });
        let dropped = catch_unwind(AssertUnwindSafe(drop_it));
        if matches!(dropped, Ok(false)) {
            return Ok(());
        }
        self.in_tree.remove_child(node);
        self.run.task_exited(node);
        self.run.tree.notify_parent(&self.in_tree);
        dropped.map(drop)
    }

    /// Whether body and all children have ended, or the nursery is being dropped: no more tasks can be started in it.
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// The scope around the body and all children: cancelling it ends the block without an error.
    pub fn cancel_scope(&self) -> &CancelScope {
        &self.scope
    }

    /// How many children have not ended.
    pub fn child_count(&self) -> usize {
        self.in_tree.child_count()
    }

    /// Somebody has failed: a child, or else the body.
    fn fail(&self, child: Option<&Node>, error: Error) {
        // The first reason is kept: of the others, cancellations mostly, no text need be made.
        if !self.scope.cell.called() {
            let text = match child {
                Some(child) => text_of_failure(format_args!("task {}", InFull(&Task::of(child))), &error),
                None => text_of_failure(format_args!("the nursery's body"), &error),
            };
            self.cancel_for(CancelReason::with_text(CancelSource::Nursery, text), child);
        }
        self.keep(child, error);
    }

    /// Cancels the nursery's scope since a child has failed, or else its own task.
    fn cancel_for(&self, reason: CancelReason, child: Option<&Node>) {
        let task = child.map(Task::of).or_else(|| self.in_tree.owner.borrow().clone());
        self.scope.cell.cancel(reason.by(task.as_ref()));
    }

    /// Keeps an error, to hand it on when all have ended.
    fn keep(&self, child: Option<&Node>, error: Error) {
        let interrupt = &self.run.signals.interrupt;
        if interrupt.was_raised() && error.is_interrupted() {
            self.holds_interrupt.set(true);
            interrupt.hold(true);
        }
        self.failures.borrow_mut().push(error, || child.map(|node| Task::of(node).origin()));
    }

    /// A Ctrl-C finds the main task waiting here for its children: it ends them.
    fn interrupted(&self) {
        if !self.run.signals.interrupt.is_held()
            && let Some(interrupt) = self.run.take_interrupt()
        {
            self.cancel_for(CancelReason::new(CancelSource::CtrlC), None);
            self.keep(None, interrupt.into());
        }
    }

    fn panicked(&self, who: fmt::Arguments<'_>, child: Option<&Node>, payload: Box<dyn Any + Send>) {
        let text = text_of_panic(who, &*payload);
        // The payload is the program's, and says nothing of the task.
        log::error!("{text}");
        // The first goes on in the parent.
        let is_first = self.panic.borrow().is_none();
        match is_first {
            true => *self.panic.borrow_mut() = Some(payload),
            false => discard(payload),
        }
        self.cancel_for(CancelReason::with_text(CancelSource::Nursery, text), child);
    }

    /// Polls a node, and drops its future if it has ended: locals are gone before anybody can see that. Tells how
    /// it ended, after `finish`, which is the last of its step.
    fn poll_node(
        &self,
        path: &PollPath<'_>,
        node: &Node,
        queued: Queued,
        finish: impl FnOnce(),
    ) -> Option<End> {
        let (true, Some(id)) = (node.is_idle(), node.id()) else { return None };
        // It is a number: there is nothing to drop.
        let waker = ManuallyDrop::new(waker::new(self.run.id, id));
        let end = path.step(node, queued, || {
            let within = node.own_scope().map(|scope| self.run.scopes.within(scope));
            // SAFETY: only the future of `nursery` calls this: what its nodes borrow is alive, see `start_child`.
            let end = unsafe { node.poll(&mut Context::from_waker(&waker)) }?;
            let mut panics = FirstPanic::default();
            // SAFETY: as above.
            panics.catch(|| unsafe {
                node.drop_future();
            });
            drop(within);
            panics.catch(finish);
            // A panic of a destructor, or of whoever is notified of the task's end, is the nursery's.
            if let Some(payload) = panics.into_payload() {
                match node.info.is_body() {
                    true => self.panicked(format_args!("the drop of the nursery's body"), None, payload),
                    false => {
                        let who = Task::of(node);
                        self.panicked(format_args!("the drop of task {}", InFull(&who)), Some(node), payload);
                    }
                }
            }
            Some(end)
        })?;
        path.back();
        Some(end)
    }

    fn poll_child(&self, path: &PollPath<'_>, node: &Node, queued: Queued) {
        let finish = || {
            self.in_tree.remove_child(node);
            self.run.task_exited(node);
        };
        let Some(end) = self.poll_node(path, node, queued, finish) else { return };
        let end = match node.info.pending() {
            // Until it has said that it is started, its end is the affair of the call of `start`.
            Some(pending) => pending.child_ended(end),
            None => Some(end),
        };
        match end {
            None | Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => {
                self.fail(Some(node), error);
            }
            Some(Err(payload)) => {
                self.panicked(format_args!("task {}", InFull(&Task::of(node))), Some(node), payload);
            }
        }
    }

    /// Polls the body; returns whether it has ended.
    fn poll_body(&self, path: &PollPath<'_>, body: &Node, queued: Queued) -> bool {
        let Some(end) = self.poll_node(path, body, queued, || ()) else { return false };
        match end {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(None, error),
            Err(payload) => self.panicked(format_args!("the nursery's body"), None, payload),
        }
        true
    }

    /// A poll of the nursery: polls body and children, as far as they are due. Ready one tick after all have ended.
    #[inline]
    fn poll_inside(
        &self,
        cx: &Context<'_>,
        body: &Node,
        body_done: &mut bool,
        ended_in: &mut Option<u64>,
    ) -> Poll<()> {
        let Nursery { run, in_tree, .. } = self;
        let tree = &run.tree;
        run.follow(self.scope_id);
        tree.begin_poll(in_tree, body, cx.waker());
        with_stack(|| {
            let path = run.poll_path(self.scope_id);
            loop {
                while let Some((node, queued)) = tree.next_queued(in_tree) {
                    match node == *body {
                        true => *body_done |= self.poll_body(&path, &node, queued),
                        false => self.poll_child(&path, &node, queued),
                    }
                }
                path.back();
                if !run.tick_in_place(in_tree) {
                    break;
                }
            }
        });
        tree.end_poll(in_tree);
        if *body_done && run.signals.interrupt.is_pending() {
            self.interrupted();
        }
        if !*body_done || self.child_count() > 0 {
            return Poll::Pending;
        }
        let tick = tree.tick.get();
        if ended_in.is_some_and(|ended| ended < tick) {
            return Poll::Ready(());
        }
        ended_in.get_or_insert(tick);
        self.closed.set(true);
        // From here it is the parent that goes on, and no longer only what is below it.
        match tree.parent(in_tree) {
            Some(parent) => run.wake(parent),
            None => tree.notify_parent(in_tree),
        }
        Poll::Pending
    }

    /// Takes the body in.
    fn body<'a, F>(&'a self, opener: Task, body: F) -> NurseryGuard<'a, 'scope, 'env>
    where
        F: Future<Output = Result<(), Error>> + 'a,
    {
        let mut uninit = UninitNode::<F>::new(TaskInfo::of_body(opener));
        // SAFETY: the future is written first. It is polled only by `poll_node` and dropped only there and by `NurseryGuard`,
        // all inside the future of `nursery` and while the guard lasts, which `'a` outlives.
        let node = unsafe {
            uninit.future().write(body);
            uninit.into_strand()
        };
        self.run.tree.add(node.clone(), self.in_tree.clone());
        NurseryGuard { nursery: self, body: node }
    }
}

/// Ends the nursery when its future is dropped, half-way or at the end: the body first, then the children.
struct NurseryGuard<'a, 'scope, 'env> {
    nursery: &'a Nursery<'scope, 'env>,
    body: Node,
}

impl Drop for NurseryGuard<'_, '_, '_> {
    fn drop(&mut self) {
        let nursery = self.nursery;
        let run = &nursery.run;
        // Destructors of body and children may hold the handle: they must not start anything any more.
        nursery.closed.set(true);
        // Whatever is called, destructors and instruments and foreign wakers, may panic. Each step is taken all the same;
        // then the first panic goes on.
        let mut panics = FirstPanic::default();
        let drop_future = |panics: &mut FirstPanic, node: &Node| {
            panics.catch(|| {
                // SAFETY: the guard lives in the future of `nursery`, with all that body and children borrow: see
                // `start_child` and `body`.
                with_stack(|| unsafe { node.drop_future() });
            });
        };
        drop_future(&mut panics, &self.body);
        if nursery.child_count() > 0 {
            let mut children = nursery.in_tree.take_children();
            for node in children.drain(..) {
                drop_future(&mut panics, &node);
                panics.catch(|| {
                    if let Some(pending) = node.info.pending() {
                        pending.child_dropped();
                    }
                });
                panics.catch(|| run.task_exited(&node));
                // With it may go what the task has in its context.
                panics.catch(|| drop(node));
            }
            nursery.in_tree.keep_room(children);
        }
        if nursery.holds_interrupt.get() {
            run.signals.interrupt.hold(false);
        }
        run.tree.remove(&self.body);
        panics.catch(|| run.tree.close_nursery(&nursery.in_tree));
        panics.resume();
    }
}

/// Opens a nursery: runs `body`, which may start children, and returns when body and children have
/// ended. trio's `open_nursery`.
///
/// If one of them fails, the others are cancelled, and when all have ended their errors come out
/// together.
///
/// # Cancellation
/// A schedule point and not a cancel point: the nursery itself never fails with `Cancelled`, what
/// runs in it does. Dropping the future drops body and children at once.
///
/// # Errors
/// An [`ErrorGroup`](crate::ErrorGroup) of all errors of body and children (also of a single one), without the
/// cancellations that the nursery itself caused, each with the [task](crate::TaskOrigin) that it came from. Under a cancelled outer scope the cancellations of
/// body and children come out in the same way.
///
/// # Panics
/// If the body or a child panicked: the others are cancelled, and when all have ended the panic goes
/// on in the parent, with the payload that it had; errors of the others are lost to it. Which task it was is in the log, and in
/// the reason of the cancellation. Outside a run.
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
/// A child cannot borrow from the body, which may end before it:
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
/// and the handle cannot leave the block:
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
        let cell = ScopeCell::new();
        let entered = Entered::new(run.clone(), cell.clone());
        let parent = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let opener = run.tree.current_task().unwrap_or_else(|| run.main_task());
        let nursery = Nursery {
            in_tree: run.tree.open_nursery(&parent, opener.clone(), entered.id()),
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
                nursery.poll_body(&path, &guard.body, Queued::ForOneBelow)
            });
            let mut ended_in = None;
            poll_fn(|cx| nursery.poll_inside(cx, &guard.body, &mut body_done, &mut ended_in)).await;
        }
        let closed = entered.close(nursery.failures.take().into_result());
        if let Some(payload) = nursery.panic.take() {
            resume_unwind(payload);
        }
        closed?;
        // If only children were cancelled, the body's value stands.
        value.into_inner().map_or_else(value_of_cancelled_body, Ok)
    }
}

/// What a nursery returns that was ended by its own scope before its body had a value.
fn value_of_cancelled_body<T>() -> Result<T, Error> {
    unit().ok_or_else(|| BodyCancelled.into())
}
