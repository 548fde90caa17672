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
//!   No scheduler keeps a pointer to it; the run loop knows children by number only, and a number
//!   leads nowhere unless the nursery's future is polled.
//! - *Dropping.* Dropping the nursery's future drops the body first, then (by [`Guard`]) the
//!   children, then the nursery itself, to which children may hold references.
//! - *Forgetting.* A nursery's future that is forgotten (`mem::forget`, a leaked box) is never
//!   polled and never dropped again, and neither are its children. They dangle perhaps, but nobody
//!   looks. A scheduler that polled children directly would have to.
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

use super::{
    context::Context as TaskContext,
    run::{self, Run},
    scope::ScopeId,
    stack::{Deep, with_stack},
    start::Pending,
    strand::{NurseryId, Slot, Turn},
    table::{Key, Table},
    task::Task,
    waker::{self, StrandId},
};
use crate::{
    BodyCancelled, CancelReason, CancelSource, Error, ErrorGroup, NurseryClosed,
    scope::{CancelScope, Entered, ScopeCell},
};
use std::{
    any::Any,
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt,
    future::poll_fn,
    marker::PhantomData,
    mem,
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// A child's future, its lifetime erased: see the module's documentation.
type Child = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// What a nursery keeps of a child.
struct Seat {
    /// None while it is being polled: then it is in the hands of `poll_child`.
    future: Option<Child>,
    /// To be dropped when it comes back from its poll.
    abandoned: bool,
    strand: StrandId,
    scope: ScopeId,
    /// The call of `start` that waits for it, if it was started so.
    pending: Option<Rc<Pending>>,
}

/// The handle with which a body and its children start tasks; trio's `Nursery`. Made by [`nursery`].
#[must_use]
pub struct Nursery<'scope, 'env: 'scope> {
    pub(crate) run: Rc<Run>,
    id: NurseryId,
    scope: CancelScope,
    pub(crate) scope_id: ScopeId,
    children: RefCell<Table<Seat>>,
    errors: RefCell<Vec<Error>>,
    panic: RefCell<Option<Box<dyn Any + Send>>>,
    closed: Cell<bool>,
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
    /// If the nursery has closed.
    #[track_caller]
    pub fn start_soon<F>(&'scope self, child: F)
    where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        self.start_soon_named(std::any::type_name::<F>(), child);
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
        let number = self.run.strands.number();
        let task = Task::new(number, name.into(), Some(Location::caller()), TaskContext::current());
        self.start_task(task.clone(), child);
        task
    }

    /// Starts a task whose handle was made before.
    #[track_caller]
    pub(crate) fn start_task<F>(&'scope self, task: Task, child: F)
    where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        if let Err(closed) = self.seat(task, child, self.scope_id, None) {
            panic!("{closed}");
        }
    }

    /// Takes a child in, to live under `scope`; returns its seat and its strand.
    pub(crate) fn seat<F>(
        &'scope self,
        task: Task,
        child: F,
        scope: ScopeId,
        pending: Option<Rc<Pending>>,
    ) -> Result<(Key, StrandId), NurseryClosed>
    where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        if self.closed.get() {
            return Err(NurseryClosed);
        }
        let child: Pin<Box<dyn Future<Output = Result<(), Error>> + 'scope>> = Box::pin(child);
        // SAFETY: only the lifetime changes. The future is stored in this nursery and nowhere else;
        // it is polled only by `poll_child` and dropped only there, by `abandon` or by `Guard`, all
        // inside the future of `nursery` or through a `&'scope self`, while `'scope` lasts. That
        // future keeps `self` alive until then, and if it is forgotten the child is neither polled
        // nor dropped.
        let child: Child = unsafe { mem::transmute(child) };
        let run = &self.run;
        let (key, strand) = {
            let mut children = self.children.borrow_mut();
            let key = children.next_key();
            let strand = run.strands.add((self.id, Slot::Child(key)), task.clone());
            children.insert(Seat { future: Some(child), abandoned: false, strand, scope, pending });
            (key, strand)
        };
        task.set_strand(strand);
        run.tasks.set(run.tasks.get() + 1);
        run.instruments.tell(|instrument| instrument.task_spawned(&task));
        run.wake(strand);
        Ok((key, strand))
    }

    /// Drops a child that is not wanted any more; one that is being polled, as soon as it is not.
    pub(crate) fn abandon(&self, key: Key, strand: StrandId) {
        let seat = {
            let mut children = self.children.borrow_mut();
            match children.get_mut(key) {
                Some(seat) if seat.strand == strand && seat.future.is_some() => children.remove(key),
                Some(seat) if seat.strand == strand => {
                    seat.abandoned = true;
                    return;
                }
                _ => return,
            }
        };
        with_stack(|| drop(seat));
        self.run.task_exited(strand);
        self.run.strands.tell_host(self.id);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// The scope around the body and all children: cancelling it ends the block without an error.
    pub fn cancel_scope(&self) -> &CancelScope {
        &self.scope
    }

    /// How many children have not ended.
    pub fn child_count(&self) -> usize {
        self.children.borrow().len()
    }

    fn fail(&self, who: fmt::Arguments<'_>, error: Error) {
        // The first reason is kept: of the others, cancellations mostly, no text need be made.
        if !self.scope.cell.called() {
            let text = format!("{who} failed: {error}");
            self.scope.cell.cancel(CancelReason::with_text(CancelSource::Nursery, text));
        }
        self.errors.borrow_mut().push(error);
    }

    /// A Ctrl-C finds the main task waiting here for its children: it ends them.
    fn interrupted(&self) {
        if let Some(interrupt) = self.run.take_interrupt() {
            self.fail(format_args!("the main task"), interrupt.into());
        }
    }

    fn panicked(&self, who: fmt::Arguments<'_>, payload: Box<dyn Any + Send>) {
        self.panic.borrow_mut().get_or_insert(payload);
        let text = format!("{who} panicked");
        self.scope.cell.cancel(CancelReason::with_text(CancelSource::Nursery, text));
    }

    fn poll_child(&self, key: Key, turn: &Turn) {
        let strand = turn.strand;
        let taken = {
            let mut children = self.children.borrow_mut();
            children.get_mut(key).and_then(|seat| Some((seat.future.take()?, seat.scope)))
        };
        let Some((mut child, scope)) = taken else { return };
        let waker = waker::new(self.run.id, strand);
        let polled = self.run.step(strand, turn.woken, || {
            let _within = self.run.scopes.within(scope);
            catch_unwind(AssertUnwindSafe(|| child.as_mut().poll(&mut Context::from_waker(&waker))))
        });
        let end = match polled {
            Ok(Poll::Ready(outcome)) => Ok(outcome),
            Err(payload) => Err(payload),
            Ok(Poll::Pending) => {
                let mut children = self.children.borrow_mut();
                match children.get_mut(key) {
                    Some(seat) if !seat.abandoned => {
                        seat.future = Some(child);
                        return;
                    }
                    _ => Ok(Ok(())),
                }
            }
        };
        self.child_ended(key, strand, child, end);
    }

    fn child_ended(
        &self,
        key: Key,
        strand: StrandId,
        child: Child,
        end: Result<Result<(), Error>, Box<dyn Any + Send>>,
    ) {
        let task = match &end {
            Ok(Ok(())) => None,
            _ => self.run.strands.task_of(strand),
        };
        let name = task.as_ref().map_or("", Task::name);
        // Locals are dropped before anybody can see that the child has ended.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(child)));
        let seat = self.children.borrow_mut().remove(key);
        self.run.task_exited(strand);
        let end = match seat.and_then(|seat| seat.pending) {
            // Until it has said that it is started, its end is the affair of the call of `start`.
            Some(pending) => match pending.child_ended(end) {
                Some(end) => end,
                None => Ok(Ok(())),
            },
            None => end,
        };
        match end {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(format_args!("task {name}"), error),
            Err(payload) => self.panicked(format_args!("task {name}"), payload),
        }
        if let Err(payload) = dropped {
            self.panicked(format_args!("the drop of a task"), payload);
        }
    }
}

/// Ends the nursery when its future is dropped, half-way or at the end: children first.
struct Guard<'a, 'scope, 'env> {
    nursery: &'a Nursery<'scope, 'env>,
    body: StrandId,
}

impl Drop for Guard<'_, '_, '_> {
    fn drop(&mut self) {
        let nursery = self.nursery;
        // A child's destructor may hold the handle: it must not start anything any more.
        nursery.closed.set(true);
        let children = mem::take(&mut *nursery.children.borrow_mut());
        for seat in children {
            let strand = seat.strand;
            with_stack(|| drop(seat));
            nursery.run.task_exited(strand);
        }
        let _task = nursery.run.strands.remove(self.body);
        nursery.run.strands.close_nursery(nursery.id);
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
/// An [`ErrorGroup`] of all errors of body and children (also of a single one), without the
/// cancellations that the nursery itself caused. Under a cancelled outer scope the cancellations of
/// body and children come out in the same way.
///
/// # Panics
/// If the body or a child panicked: the others are cancelled, and when all have ended the panic goes
/// on in the parent. Outside a run.
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
pub async fn nursery<'env, T, F>(body: F) -> Result<T, Error>
where
    T: 'static,
    F: for<'scope> AsyncFnOnce(&'scope Nursery<'scope, 'env>) -> Result<T, Error>,
{
    let run = run::current();
    let cell = ScopeCell::new();
    let entered = Entered::new(run.clone(), cell.clone());
    let host = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let nursery = Nursery {
        id: run.strands.open_nursery(&host),
        run: run.clone(),
        scope: CancelScope { cell },
        scope_id: entered.id(),
        children: RefCell::default(),
        errors: RefCell::default(),
        panic: RefCell::default(),
        closed: Cell::new(false),
        lifetimes: PhantomData,
    };
    let strands = &run.strands;
    let task = strands.current_task().unwrap_or_else(|| run.main_task());
    let body_strand = strands.add((nursery.id, Slot::Body), task);
    let value = {
        let _guard = Guard { nursery: &nursery, body: body_strand };
        let mut body = Box::pin(Deep::new(body(&nursery)));
        let body_waker = waker::new(run.id, body_strand);
        let mut value = None;
        let mut poll_body = |woken| {
            let polled = run.step(body_strand, woken, || {
                let _within = run.scopes.within(entered.id());
                let mut cx = Context::from_waker(&body_waker);
                catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(&mut cx)))
            });
            match polled {
                Ok(Poll::Pending) => false,
                Ok(Poll::Ready(Ok(of_body))) => {
                    value = Some(of_body);
                    true
                }
                Ok(Poll::Ready(Err(error))) => {
                    nursery.fail(format_args!("the nursery's body"), error);
                    true
                }
                Err(payload) => {
                    nursery.panicked(format_args!("the nursery's body"), payload);
                    true
                }
            }
        };
        // The body starts at once, as the code of a block does.
        let mut body_done = poll_body(false);
        let mut ended_in = None;
        poll_fn(|cx| {
            strands.begin_poll(nursery.id, cx.waker());
            with_stack(|| {
                loop {
                    while let Some(turn) = strands.next_due(nursery.id) {
                        match turn.slot {
                            Slot::Child(key) => nursery.poll_child(key, &turn),
                            Slot::Body if body_done => {}
                            Slot::Body => body_done = poll_body(turn.woken),
                        }
                    }
                    if !run.tick_in_place(nursery.id) {
                        break;
                    }
                }
            });
            strands.end_poll(nursery.id);
            if body_done && run.signals.interrupt.is_pending() {
                nursery.interrupted();
            }
            if !body_done || nursery.child_count() > 0 {
                return Poll::Pending;
            }
            let tick = strands.tick.get();
            if ended_in.is_some_and(|ended| ended < tick) {
                return Poll::Ready(());
            }
            ended_in.get_or_insert(tick);
            nursery.closed.set(true);
            // From here it is the parent that goes on, and no longer only what is below it.
            match strands.host(nursery.id) {
                Some(host) => run.wake(host),
                None => strands.tell_host(nursery.id),
            }
            Poll::Pending
        })
        .await;
        value
    };
    let errors = nursery.errors.take();
    let outcome = match errors.is_empty() {
        true => Ok(()),
        false => Err(ErrorGroup::new("a nursery's tasks failed", errors).into()),
    };
    let closed = entered.close(outcome);
    if let Some(payload) = nursery.panic.take() {
        resume_unwind(payload);
    }
    closed?;
    // If only children were cancelled, the body's value stands.
    value.map_or_else(value_of_cancelled_body, Ok)
}

/// What a nursery returns that was ended by its own scope before its body had a value.
fn value_of_cancelled_body<T: 'static>() -> Result<T, Error> {
    let mut value: Option<T> = None;
    if let Some(unit) = (&mut value as &mut dyn Any).downcast_mut::<Option<()>>() {
        *unit = Some(());
    }
    value.ok_or_else(|| BodyCancelled.into())
}
