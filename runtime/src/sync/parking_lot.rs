//! Parking lots for users' own primitives: ordered queues of blocked tasks; trio's `ParkingLot`.
//!
//! A lock, a semaphore or a condition is a few numbers and a parking lot. Tasks can be moved from one lot to another
//! without waking. A condition moves its waiters to its lock in this way.
//!
//! A task may be unparked while others stay parked, and be dropped before it runs. Then the wake would be lost, while
//! the others sleep on. So a wake that its task has not seen goes to the next task in the lot.

use crate::{
    Cancelled, Task,
    core::{
        block::{
            awaited::Awaited,
            operation::{Aborted, Operation},
            wait::{Blocked, Ticket},
        },
        misuse::polled_after_its_end,
        run,
        task::handle::ExitHook,
    },
    current_task,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    error::Error as StdError,
    fmt,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll},
};

/// Why a task could not park, or was woken without having been unparked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ParkError {
    /// The task was cancelled.
    Cancelled(Cancelled),
    /// The lot is broken: by hand, or because a task that had to unpark others has ended.
    Broken(BrokenResource),
}

impl fmt::Display for ParkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParkError::Cancelled(cancelled) => cancelled.fmt(f),
            ParkError::Broken(broken) => broken.fmt(f),
        }
    }
}

impl StdError for ParkError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            ParkError::Cancelled(cancelled) => Some(cancelled),
            ParkError::Broken(_) => None,
        }
    }
}

/// A resource can never be acquired any more; trio's `BrokenResourceError`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenResource {
    by: String,
    /// Whether the task's end was what broke it.
    ended: bool,
}

impl BrokenResource {
    fn by(task: &Task) -> BrokenResource {
        BrokenResource { by: task.to_string(), ended: !task.is_alive() }
    }

    /// The name of the task that broke it.
    pub fn task(&self) -> &str {
        &self.by
    }
}

impl fmt::Display for BrokenResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ended {
            true => write!(f, "broken by task {}, which ended and had others waiting for it", self.by),
            false => write!(f, "broken on behalf of task {}", self.by),
        }
    }
}

impl StdError for BrokenResource {}

/// A breaker was not registered with the lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotABreaker;

impl fmt::Display for NotABreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task is not registered as a breaker of this parking lot")
    }
}

impl StdError for NotABreaker {}

/// The ticket of a task that is not in the queue yet. No lot counts so far.
const NO_PLACE: u64 = u64::MAX;

/// One parked task. It knows in which lot it is, since it can be moved.
struct LotWaiter {
    /// The task that polled it last.
    task: RefCell<Task>,
    lot: RefCell<Weak<LotState>>,
    ticket: Cell<u64>,
    wait: Cell<Option<Ticket>>,
    unparked: Cell<Unparked>,
    broken: RefCell<Option<BrokenResource>>,
}

/// Whether a task was unparked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unparked {
    No,
    /// It was unparked as one of several. If it does not go on, another one must.
    One,
    /// It was unparked together with all others.
    WithAll,
}

impl LotWaiter {
    fn task(&self) -> Task {
        self.task.borrow().clone()
    }

    fn leave(&self) {
        let lot = self.lot.borrow().upgrade();
        if let Some(lot) = lot {
            let left = lot.queue.borrow_mut().remove(&self.ticket.get());
            drop(left);
        }
    }
}

impl Operation for LotWaiter {
    fn abort(&self, _key: u32, _cancelled: &Cancelled) -> Aborted {
        self.leave();
        Aborted::Succeeded
    }

    fn withdraw(&self, _key: u32) {
        self.leave();
    }

    fn describe(&self) -> &'static str {
        self.lot.borrow().upgrade().map_or("parked", |lot| lot.what)
    }

    fn awaited(&self, _key: u32) -> Awaited {
        let lot = self.lot.borrow().upgrade();
        let owner = lot.and_then(|lot| lot.owner.borrow().clone());
        Awaited { holders: owner.into_iter().collect(), ..Awaited::default() }
    }
}

struct LotState {
    /// What a task that is parked here is doing.
    what: &'static str,
    /// By the order of arrival.
    queue: RefCell<BTreeMap<u64, Rc<LotWaiter>>>,
    next: Cell<u64>,
    broken: RefCell<Option<BrokenResource>>,
    /// The task that holds the lock to which the lot belongs, if it belongs to one.
    owner: RefCell<Option<Task>>,
}

impl LotState {
    fn push(self: &Rc<LotState>, parked: Rc<LotWaiter>) {
        let ticket = self.next.get();
        self.next.set(ticket + 1);
        parked.ticket.set(ticket);
        *parked.lot.borrow_mut() = Rc::downgrade(self);
        self.queue.borrow_mut().insert(ticket, parked);
    }

    fn break_by(&self, task: &Task) {
        let broken = BrokenResource::by(task);
        self.broken.borrow_mut().get_or_insert_with(|| broken.clone());
        let waiting = self.queue.take();
        for parked in waiting.into_values() {
            *parked.broken.borrow_mut() = Some(broken.clone());
            reschedule(&parked);
        }
    }
}

impl ExitHook for LotState {
    fn task_exited(&self, task: &Task) {
        self.break_by(task);
    }
}

/// Wakes a task that has left its lot. Returns whether it can go on: its run may be over.
fn reschedule(parked: &LotWaiter) -> bool {
    parked.wait.get().is_some_and(Ticket::reschedule)
}

/// As [`reschedule`], and final.
fn unpark(parked: &LotWaiter, how: Unparked) -> bool {
    // This is done before the task is woken, since the wake may lead to its drop.
    parked.unparked.set(how);
    let goes_on = reschedule(parked);
    if !goes_on {
        parked.unparked.set(Unparked::No);
    }
    goes_on
}

/// A queue of blocked tasks, woken in the order in which they came. Clones are the same lot.
///
/// ```
/// use terzetto::{nursery, sync::ParkingLot, lowlevel::cancel_shielded_checkpoint};
/// terzetto::run(async {
///     let lot = ParkingLot::new();
///     nursery(async |n| {
///         for _ in 0..3 {
///             n.start_soon(async { lot.park().await?; Ok(()) });
///         }
///         cancel_shielded_checkpoint().await;
///         assert_eq!(lot.unpark(2).len(), 2);
///         assert_eq!(lot.len(), 1);
///         lot.unpark_all();
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone)]
pub struct ParkingLot {
    inner: Rc<LotState>,
}

impl Default for ParkingLot {
    fn default() -> Self {
        ParkingLot::new()
    }
}

impl ParkingLot {
    /// An empty lot.
    pub fn new() -> ParkingLot {
        ParkingLot::named("parked")
    }

    /// An empty lot. `what` describes in dumps what a task parked in it is doing.
    pub fn named(what: &'static str) -> ParkingLot {
        let (queue, next, broken, owner) = Default::default();
        ParkingLot { inner: Rc::new(LotState { what, queue, next, broken, owner }) }
    }

    /// The task that holds the lock to which the lot belongs.
    pub(crate) fn owner(&self) -> &RefCell<Option<Task>> {
        &self.inner.owner
    }

    /// How many tasks are parked.
    pub fn len(&self) -> usize {
        self.inner.queue.borrow().len()
    }

    /// Whether no task is parked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Blocks the current task until it is unparked.
    ///
    /// # Cancellation
    /// A checkpoint, which unlike other operations always blocks. A cancelled task has left the lot. If the future is
    /// dropped after the task was unparked and before it has run, the next task in the lot is unparked instead. That
    /// does not happen if all tasks were unparked together.
    ///
    /// # Errors
    /// Cancelled, or the lot is or becomes broken.
    ///
    /// # Panics
    /// Outside a task.
    pub async fn park(&self) -> Result<(), ParkError> {
        PassedOn(self.parking()).await
    }

    pub(crate) fn parking(&self) -> Parking {
        Parking { lot: self.inner.clone(), state: LotParkStage::New }
    }

    /// Wakes the first `count` tasks and returns them. Waits of a run that is over do not count. If the wait
    /// of one of them is dropped before it has seen this, the next task in the lot is woken in its place.
    pub fn unpark(&self, count: usize) -> Vec<Task> {
        self.unpark_as(Unparked::One, count)
    }

    fn unpark_as(&self, how: Unparked, count: usize) -> Vec<Task> {
        let mut woken = Vec::new();
        while woken.len() < count {
            let Some(parked) = self.next() else { break };
            let task = parked.task();
            if unpark(&parked, how) {
                woken.push(task);
            }
        }
        woken
    }

    /// Takes out the first parked task.
    fn next(&self) -> Option<Rc<LotWaiter>> {
        let first = self.inner.queue.borrow_mut().pop_first();
        first.map(|(_, parked)| parked)
    }

    /// Wakes the first task, after a call of `hand_over` with it. Tasks of a run that is over are skipped. Returns
    /// whether there was a task to wake.
    pub(crate) fn unpark_one(&self, mut hand_over: impl FnMut(Task)) -> bool {
        while let Some(parked) = self.next() {
            hand_over(parked.task());
            if unpark(&parked, Unparked::One) {
                return true;
            }
        }
        false
    }

    /// Wakes all parked tasks and returns them.
    pub fn unpark_all(&self) -> Vec<Task> {
        self.unpark_as(Unparked::WithAll, self.len())
    }

    /// Moves the first `count` tasks to the end of another lot, without waking them. Moving them to
    /// this same lot puts them behind the others.
    pub fn repark(&self, to: &ParkingLot, count: usize) {
        for _ in 0..count.min(self.len()) {
            let first = self.inner.queue.borrow_mut().pop_first();
            let Some((_, parked)) = first else { break };
            to.inner.push(parked);
        }
    }

    /// Moves all tasks to the end of another lot.
    pub fn repark_all(&self, to: &ParkingLot) {
        self.repark(to, self.len());
    }

    /// Whether the lot is broken, so that parking in it fails.
    pub(crate) fn is_broken(&self) -> bool {
        self.inner.broken.borrow().is_some()
    }

    /// Breaks the lot on behalf of a task. All parked tasks, and all that try to park later, fail with a
    /// [`BrokenResource`] that names the task.
    pub fn break_lot(&self, task: &Task) {
        self.inner.break_by(task);
    }

    /// Makes the lot break when `task` ends; trio's `add_parking_lot_breaker`.
    ///
    /// # Errors
    /// If the task has ended already. The lot does not break then.
    pub fn add_breaker(&self, task: &Task) -> Result<(), BrokenResource> {
        if !task.is_alive() {
            return Err(BrokenResource::by(task));
        }
        task.on_exit(self.inner.clone());
        Ok(())
    }

    /// Removes one registration of a breaker; trio's `remove_parking_lot_breaker`.
    ///
    /// # Errors
    /// If it is not registered.
    pub fn remove_breaker(&self, task: &Task) -> Result<(), NotABreaker> {
        let hook: Rc<dyn ExitHook> = self.inner.clone();
        if task.forget_on_exit(&hook) { Ok(()) } else { Err(NotABreaker) }
    }
}

impl fmt::Debug for ParkingLot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParkingLot").field("tasks_waiting", &self.len()).finish()
    }
}

enum LotParkStage {
    New,
    Parked(Rc<LotWaiter>, Blocked),
    Done,
}

/// A task on its way into, in, or out of a lot.
pub(crate) struct Parking {
    lot: Rc<LotState>,
    state: LotParkStage,
}

impl Parking {
    /// Whether the task was unparked as one of several, and has not seen it yet. Its run may be over.
    pub(crate) fn is_unparked(&self) -> bool {
        match &self.state {
            LotParkStage::Parked(parked, _) => parked.unparked.get() == Unparked::One,
            _ => false,
        }
    }

    /// Whether the task was moved to another lot than that in which it parked, and has not seen the end of
    /// its wait yet.
    pub(crate) fn was_moved(&self) -> bool {
        match &self.state {
            LotParkStage::Parked(parked, _) => parked.lot.borrow().as_ptr() != Rc::as_ptr(&self.lot),
            _ => false,
        }
    }

    /// The lot in which the task is, or was last.
    fn last_lot(&self) -> Option<ParkingLot> {
        match &self.state {
            LotParkStage::Parked(parked, _) => {
                parked.lot.borrow().upgrade().map(|inner| ParkingLot { inner })
            }
            _ => None,
        }
    }
}

/// A wait in a lot. If it was unparked and is dropped before it has seen that, the next task in the lot is unparked.
struct PassedOn(Parking);

impl Future for PassedOn {
    type Output = Result<(), ParkError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl Drop for PassedOn {
    fn drop(&mut self) {
        if self.0.is_unparked()
            && let Some(lot) = self.0.last_lot()
        {
            lot.unpark(1);
        }
    }
}

impl Future for Parking {
    type Output = Result<(), ParkError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if matches!(self.state, LotParkStage::New) {
            let broken = self.lot.broken.borrow().clone();
            if let Some(broken) = broken {
                self.state = LotParkStage::Done;
                return Poll::Ready(Err(ParkError::Broken(broken)));
            }
            let parked = Rc::new(LotWaiter {
                task: RefCell::new(current_task()),
                // The lot says what the task is doing, which instruments are told before it has its place.
                lot: RefCell::new(Rc::downgrade(&self.lot)),
                ticket: Cell::new(NO_PLACE),
                wait: Cell::new(None),
                unparked: Cell::new(Unparked::No),
                broken: RefCell::default(),
            });
            let run = run::current();
            let blocked = Blocked::new(&run, cx, parked.clone(), 0);
            parked.wait.set(Some(blocked.ticket()));
            self.lot.push(parked.clone());
            blocked.arm(&run);
            self.state = LotParkStage::Parked(parked, blocked);
            // If it is cancelled already, it goes on with the next tick.
            return Poll::Pending;
        }
        let LotParkStage::Parked(parked, blocked) = &self.state else {
            polled_after_its_end();
        };
        let outcome = match run::with(|run| blocked.poll(run, cx)) {
            Poll::Pending => {
                let former = parked.task.replace(current_task());
                drop(former);
                return Poll::Pending;
            }
            Poll::Ready(Err(cancelled)) => Err(ParkError::Cancelled(cancelled)),
            Poll::Ready(Ok(())) => match parked.broken.take() {
                Some(broken) => Err(ParkError::Broken(broken)),
                None => Ok(()),
            },
        };
        self.state = LotParkStage::Done;
        Poll::Ready(outcome)
    }
}

impl Drop for Parking {
    fn drop(&mut self) {
        if let LotParkStage::Parked(parked, _) = &self.state {
            parked.leave();
        }
    }
}
