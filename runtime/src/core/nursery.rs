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
    run::{self, Run},
    scope::ScopeId,
    strand::{NurseryId, Slot, TaskInfo},
    waker::{self, StrandId},
};
use crate::{
    CancelReason, CancelSource, Error, ErrorGroup,
    scope::{CancelScope, Entered, ScopeCell},
};
use slab::Slab;
use std::{
    any::Any,
    cell::{Cell, RefCell},
    fmt,
    future::poll_fn,
    marker::PhantomData,
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
};

/// A child's future, its lifetime erased: see the module's documentation.
type Child = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Below so much stack left, polling moves to a fresh segment…
const RED_ZONE: usize = 128 * 1024;
/// …of this size.
const SEGMENT: usize = 2 * 1024 * 1024;

enum Seat {
    Waiting(Child),
    /// Being polled: the future is in the hands of `poll_child`.
    Running,
}

/// The handle with which a body and its children start tasks; trio's `Nursery`. Made by [`nursery`].
#[must_use]
pub struct Nursery<'scope, 'env: 'scope> {
    run: Rc<Run>,
    id: NurseryId,
    scope: CancelScope,
    scope_id: ScopeId,
    children: RefCell<Slab<(Seat, StrandId)>>,
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
    pub fn start_soon<F>(&'scope self, child: F)
    where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        self.start_soon_named(std::any::type_name::<F>(), child);
    }

    /// As [`Nursery::start_soon`], with a name for the task, which shows in messages.
    ///
    /// # Panics
    /// If the nursery has closed.
    pub fn start_soon_named<F>(&'scope self, name: impl Into<String>, child: F)
    where
        F: Future<Output = Result<(), Error>> + 'scope,
    {
        assert!(
            !self.closed.get(),
            "the nursery is closed to new arrivals: its body and all its children have ended"
        );
        let child: Pin<Box<dyn Future<Output = Result<(), Error>> + 'scope>> = Box::pin(child);
        // SAFETY: only the lifetime changes. The future is stored in this nursery and nowhere else;
        // it is polled only by `poll_child` and dropped only there or by `Guard`, both inside the
        // future of `nursery`, while `'scope` lasts. That future keeps `self` alive until then, and
        // if it is forgotten the child is neither polled nor dropped.
        let child: Child = unsafe { mem::transmute(child) };
        let mut children = self.children.borrow_mut();
        let seat = children.vacant_entry();
        let task = Rc::new(TaskInfo { name: name.into() });
        let strand = self.run.strands.add(Some((self.id, Slot::Child(seat.key()))), task);
        seat.insert((Seat::Waiting(child), strand));
        drop(children);
        self.run.strands.wake(strand);
    }

    /// The scope around the body and all children: cancelling it ends the block without an error.
    pub fn cancel_scope(&self) -> &CancelScope {
        &self.scope
    }

    /// How many children have not ended.
    pub fn child_count(&self) -> usize {
        self.children.borrow().len()
    }

    fn fail(&self, who: &str, error: Error) {
        let text = format!("{who} failed: {error}");
        self.errors.borrow_mut().push(error);
        self.scope.cell.cancel(CancelReason::with_text(CancelSource::Nursery, text));
    }

    fn panicked(&self, who: &str, payload: Box<dyn Any + Send>) {
        self.panic.borrow_mut().get_or_insert(payload);
        self.scope.cell.cancel(CancelReason::with_text(CancelSource::Nursery, format!("{who} panicked")));
    }

    fn poll_child(&self, seat: usize, strand: StrandId) {
        let taken = match self.children.borrow_mut().get_mut(seat) {
            Some((state, _)) => mem::replace(state, Seat::Running),
            None => return,
        };
        let Seat::Waiting(mut child) = taken else { return };
        let waker = waker::new(self.run.id, strand);
        let outer = self.run.strands.current.replace(Some(strand));
        let polled = {
            let _within = self.run.scopes.within(self.scope_id);
            catch_unwind(AssertUnwindSafe(|| child.as_mut().poll(&mut Context::from_waker(&waker))))
        };
        match polled {
            Ok(Poll::Pending) => {
                if let Some((state, _)) = self.children.borrow_mut().get_mut(seat) {
                    *state = Seat::Waiting(child);
                }
            }
            Ok(Poll::Ready(outcome)) => self.child_ended(seat, strand, child, Ok(outcome)),
            Err(payload) => self.child_ended(seat, strand, child, Err(payload)),
        }
        self.run.strands.current.set(outer);
    }

    fn child_ended(
        &self,
        seat: usize,
        strand: StrandId,
        child: Child,
        end: Result<Result<(), Error>, Box<dyn Any + Send>>,
    ) {
        let name = match &end {
            Ok(Ok(())) => None,
            _ => self.run.strands.task_of(strand),
        };
        let name = name.as_ref().map_or("", |task| task.name.as_str());
        // Locals are dropped before anybody can see that the child has ended.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(child)));
        self.run.strands.remove(strand);
        let _ended = self.children.borrow_mut().remove(seat);
        match end {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(&format!("task {name}"), error),
            Err(payload) => self.panicked(&format!("task {name}"), payload),
        }
        if let Err(payload) = dropped {
            self.panicked("the drop of a task", payload);
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
        for (_, (seat, strand)) in children {
            nursery.run.strands.remove(strand);
            with_stack(|| drop(seat));
        }
        nursery.run.strands.remove(self.body);
        nursery.run.strands.close_nursery(nursery.id);
    }
}

fn with_stack<R>(f: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(RED_ZONE, SEGMENT, f)
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
/// terzetto::nursery(async |n| {
///     for part in &parts {
///         n.start_soon(async {
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
    let task = strands.current_task().unwrap_or_else(|| Rc::new(TaskInfo { name: "?".into() }));
    let body_strand = strands.add(Some((nursery.id, Slot::Body)), task);
    let value = {
        let _guard = Guard { nursery: &nursery, body: body_strand };
        let mut body = pin!(body(&nursery));
        let body_waker = waker::new(run.id, body_strand);
        let mut value = None;
        let mut poll_body = || {
            let outer = strands.current.replace(Some(body_strand));
            let _within = run.scopes.within(entered.id());
            let mut cx = Context::from_waker(&body_waker);
            let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(&mut cx)));
            let done = match polled {
                Ok(Poll::Pending) => false,
                Ok(Poll::Ready(Ok(of_body))) => {
                    value = Some(of_body);
                    true
                }
                Ok(Poll::Ready(Err(error))) => {
                    nursery.fail("the nursery's body", error);
                    true
                }
                Err(payload) => {
                    nursery.panicked("the nursery's body", payload);
                    true
                }
            };
            strands.current.set(outer);
            done
        };
        // The body starts at once, as the code of a block does.
        let mut body_done = with_stack(&mut poll_body);
        let mut ended_in = None;
        poll_fn(|cx| {
            strands.begin_poll(nursery.id, cx.waker());
            with_stack(|| {
                while let Some((slot, strand)) = strands.next_due(nursery.id) {
                    match slot {
                        Slot::Child(seat) => nursery.poll_child(seat, strand),
                        Slot::Body if body_done => {}
                        Slot::Body => body_done = poll_body(),
                    }
                }
            });
            strands.end_poll(nursery.id);
            if !body_done || nursery.child_count() > 0 {
                return Poll::Pending;
            }
            let tick = strands.tick.get();
            if ended_in.is_some_and(|ended| ended < tick) {
                return Poll::Ready(());
            }
            ended_in.get_or_insert(tick);
            nursery.closed.set(true);
            strands.tell_host(nursery.id);
            Poll::Pending
        })
        .await;
        value
    };
    let errors = nursery.errors.take();
    let outcome = match errors.is_empty() {
        true => Ok(value),
        false => Err(ErrorGroup::new("a nursery's tasks failed", errors).into()),
    };
    let closed = entered.close(outcome);
    if let Some(payload) = nursery.panic.take() {
        resume_unwind(payload);
    }
    match closed {
        Ok(Some(Some(value))) => Ok(value),
        Err(error) => Err(error),
        Ok(_) => value_of_cancelled_body(),
    }
}

/// What a nursery returns that was ended by its own scope before its body had a value.
fn value_of_cancelled_body<T: 'static>() -> Result<T, Error> {
    let mut value: Option<T> = None;
    if let Some(unit) = (&mut value as &mut dyn Any).downcast_mut::<Option<()>>() {
        *unit = Some(());
    }
    value.ok_or_else(|| BodyCancelled.into())
}

/// The nursery's own scope was cancelled before its body had a value to return.
///
/// trio's block simply ends then. A body that returns `()` ends so here, too; one that returns
/// anything else has nothing to return, and this error says so. A body that expects it returns an
/// `Option` out of a scope inside: `n.cancel_scope()` is then left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyCancelled;

impl fmt::Display for BodyCancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the nursery was cancelled through its own scope before its body had a value")
    }
}

impl std::error::Error for BodyCancelled {}
