//! The state of a run, and how code finds the current run.
//!
//! A run is a loop over ticks. Each tick polls once every node that was runnable when the tick began, from the root
//! nursery downwards. [`run_loop`](super::run_loop) has that loop. Between two ticks the run looks at messages from
//! other threads, at the operating system's events and at the clock; see [`between_ticks`](super::between_ticks). If
//! a tick would only lead back to the nursery that was just polled, it begins there; see
//! [`fast_path`](crate::core::poll_tree::fast_path). If nothing is runnable, the run sleeps in the reactor until the
//! next deadline or event. So an idle run costs nothing.

use crate::{
    Error, InternalError,
    core::{
        block::{operation::PlainOperations, reactor::Reactor, waits::Waits},
        cancel::{
            deadline_table::Deadlines, interrupt::Interrupt, state::ScopeState, stuck_check::StuckTaskCheck,
            tree::ScopeTree, turn_budget::TurnBudget,
        },
        ids::RunId,
        lowlevel::{deadlock_state::DeadlockCheck, instrument::Instruments},
        poll_tree::{node::Node, tree::PollTree},
        run::{clock::Clock, extensions::Extensions, inbox, inbox::Inbox},
        task::context_values::TaskContext,
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    mem::ManuallyDrop,
    pin::Pin,
    ptr::NonNull,
    rc::{Rc, Weak},
    sync::Arc,
};

thread_local! {
    // Neither is ever destroyed. Other thread-locals may hold something of a run, such as a guest run, and may be
    // dropped later than these and look here. Both are empty while there is no run, so nothing is leaked.
    /// The current run, as a counted reference in the form of a pointer. A `RefCell` of it would count its borrows at
    /// every checkpoint, which costs 6 % of the instructions of a yield.
    static CURRENT: Cell<Option<NonNull<Run>>> = const { Cell::new(None) };
    /// The runs of this thread that have not ended: the current one, guests between two ticks, and the run around a
    /// guest.
    static ALL: RefCell<ManuallyDrop<Vec<Weak<Run>>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// Makes a run, or none, the thread's current one. Returns the former one.
/// Whoever gets a run that somebody else has set keeps it, and puts it back (CURRENT).
pub(crate) fn set_current(run: Option<Rc<Run>>) -> Option<Rc<Run>> {
    let former = CURRENT.replace(run.map(into_pointer));
    // SAFETY: the pointer was made by `into_pointer`, and has just been taken out, so it is used once.
    former.map(|run| unsafe { Rc::from_raw(run.as_ptr()) })
}

/// The reference as a pointer, which still counts.
fn into_pointer(run: Rc<Run>) -> NonNull<Run> {
    let pointer = Rc::into_raw(run).cast_mut();
    NonNull::new(pointer).unwrap_or_else(|| unreachable!("a reference is not null"))
}

/// A function that is called with the signals that have come to a run, one bit each.
pub(crate) type SignalHandler = fn(&Run, u64);

/// Makes the thread have no current run, if this run was the current one. Returns it. The caller must drop it with
/// nothing borrowed, since what is dropped with it may look for the current run.
pub(crate) fn leave_current(id: RunId) -> Option<Rc<Run>> {
    match try_with(|run| run.id == id) {
        Some(true) => set_current(None),
        _ => None,
    }
}

/// The state of a run, shared by all code inside it. Each part has a cell of its own. No borrow is held while code
/// outside the core is called.
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) tree: PollTree,
    pub(crate) scopes: ScopeTree,
    pub(crate) waits: Waits,
    pub(crate) deadlines: RefCell<Deadlines>,
    /// How many operations a task may do in one step without giving way.
    pub(crate) turn_budget: TurnBudget,
    /// How many scopes that are being polled have a deadline that is not in the table yet.
    pub(crate) unarmed: Cell<usize>,
    pub(crate) clock: Rc<dyn Clock>,
    /// What other parts of the crate have plugged in.
    pub(crate) extensions: Extensions,
    /// The function that handles signals, if there is one.
    pub(crate) on_signals: Cell<Option<SignalHandler>>,
    /// The stack size of the run's worker threads, in bytes, if it is not the usual one.
    pub(crate) thread_stack_size: Option<usize>,
    pub(crate) interrupt: Interrupt,
    pub(crate) operations: PlainOperations,
    pub(crate) instruments: Instruments,
    /// The context of the code that started the run. It is for code that no task of the program has started.
    pub(crate) context: TaskContext,
    /// Waits for the run to be idle, ordered by how long it must have been idle.
    pub(crate) idlers: RefCell<Deadlines>,
    pub(crate) stuck_check: StuckTaskCheck,
    pub(crate) deadlock: DeadlockCheck,
    /// How many tasks have not ended.
    pub(crate) tasks: Cell<usize>,
    pub(crate) reactor: Rc<Reactor>,
    /// Callbacks of the token that have not been called yet.
    pub(crate) calls: RefCell<VecDeque<inbox::Callback>>,
    /// The node of the root task, which is never polled. It is the parent of the main task and the system tasks.
    pub(crate) root: Node,
    /// The node of the main task. The main task's future itself is in the [`RunLoop`](super::run_loop::RunLoop).
    pub(crate) main: Node,
    pub(crate) main_scope: Rc<ScopeState>,
    /// The future of the system tasks, and its node.
    pub(crate) system_future: RefCell<Option<(SystemFuture, Node)>>,
    pub(crate) crash: RefCell<Option<InternalError>>,
    /// Whether the run is a guest. Then the host wants its thread back after each tick.
    pub(crate) guest: Cell<bool>,
}

pub(crate) type SystemFuture = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Calls `f` with the current run, if there is one.
pub(crate) fn try_with<R>(f: impl FnOnce(&Rc<Run>) -> R) -> Option<R> {
    let pointer = CURRENT.get()?;
    // SAFETY: the pointer was made by `into_pointer`. Its reference still counts when `f` returns (CURRENT). It is not
    // counted again here, and so is not dropped here.
    let run = ManuallyDrop::new(unsafe { Rc::from_raw(pointer.as_ptr()) });
    Some(f(&run))
}

/// Calls `f` with the run of this number, if it belongs to this thread and has not ended. Mostly that is the current
/// run. Otherwise it is a guest that its host is calling.
#[inline]
pub(crate) fn with_run<R>(id: RunId, f: impl FnOnce(&Rc<Run>) -> R) -> Option<R> {
    match try_with(|run| run.id == id) {
        Some(true) => try_with(f),
        _ => with_another(id, f),
    }
}

#[cold]
fn with_another<R>(id: RunId, f: impl FnOnce(&Rc<Run>) -> R) -> Option<R> {
    let find =
        |all: &ManuallyDrop<Vec<Weak<Run>>>| all.iter().filter_map(Weak::upgrade).find(|run| run.id == id);
    let run = ALL.with_borrow(find)?;
    let result = f(&run);
    // `f` may have given the run something to do.
    run.inbox.wake_loop_if_asleep();
    Some(result)
}

/// Calls `f` with the current run.
///
/// # Panics
/// Outside a run.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Rc<Run>) -> R) -> R {
    match try_with(f) {
        Some(result) => result,
        None => outside(),
    }
}

#[cold]
fn outside() -> ! {
    panic!("this function of terzetto works only inside `terzetto::run`, and no run is active on this thread")
}

/// The current run.
///
/// # Panics
/// Outside a run.
pub(crate) fn current() -> Rc<Run> {
    with(Rc::clone)
}

impl Run {
    /// From now on until [`Run::leave`], the run is found on this thread by its number.
    pub(crate) fn enter(self: &Rc<Run>) {
        ALL.with_borrow_mut(|all| all.push(Rc::downgrade(self)));
    }

    pub(crate) fn leave(&self) {
        ALL.with_borrow_mut(|all| {
            all.retain(|run| !std::ptr::eq(run.as_ptr(), self));
            if all.is_empty() {
                // The list's memory is freed too, since nothing will free it when the thread ends.
                **all = Vec::new();
            }
        });
    }
}
