//! The state of a run, and what changes it from inside.
//!
//! A run is a loop over ticks. Each tick polls, from the root node down, every node that was
//! runnable when it began, once: `drive` turns that loop. Between ticks it looks outside, at
//! messages from other threads, the operating system's events, the clock: `outside`. Where a tick would
//! only lead back to the nursery that has just been polled, it begins there: `in_place`. If nothing is
//! runnable it sleeps in the reactor until the next deadline or event, so an idle run costs nothing.

use crate::{
    Error, InternalError,
    core::{
        block::{operation::PlainOperations, reactor::Reactor, waits::Waits},
        cancel::{
            deadlines::Deadlines, interrupt::Interrupt, state::ScopeState, stuck_check::StuckTaskCheck,
            tree::ScopeTree,
        },
        ids::RunId,
        lowlevel::instrument::Instruments,
        poll_tree::{node::Node, tree::PollTree},
        run::{clock::Clock, extensions::Extensions, inbox, inbox::Inbox},
        task::context::TaskContext,
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    mem::{self, ManuallyDrop},
    pin::Pin,
    rc::{Rc, Weak},
    sync::Arc,
};

thread_local! {
    // Neither is ever destroyed: what a thread's other locals hold, a guest run say, may be dropped after them, and looks
    // here. They are empty while no run is on, so nothing is leaked.
    static CURRENT: RefCell<ManuallyDrop<Option<Rc<Run>>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
    /// The runs of this thread that are on: the current one, guests between two ticks, and the run around a guest.
    static ALL: RefCell<ManuallyDrop<Vec<Weak<Run>>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// Makes a run, or none, the thread's current one. Returns the one before.
pub(crate) fn set_current(run: Option<Rc<Run>>) -> Option<Rc<Run>> {
    CURRENT.with_borrow_mut(|current| mem::replace(&mut **current, run))
}

/// What is called when signals have come to a run, a bit for each.
pub(crate) type SignalHandler = fn(&Run, u64);

/// No run is current any more, if this one was. Returns it, to be dropped with nothing borrowed: what goes with it may
/// look for it.
pub(crate) fn leave_current(id: RunId) -> Option<Rc<Run>> {
    CURRENT.with_borrow_mut(|current| current.take_if(|run| run.id == id))
}

/// The state of a run, shared by all that happens inside it. Each part has a cell of its own, and no
/// borrow is held while code that is not the core's own is called.
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) tree: PollTree,
    pub(crate) scopes: ScopeTree,
    pub(crate) waits: Waits,
    pub(crate) deadlines: RefCell<Deadlines>,
    /// How many scopes that are being polled have a deadline that is not in the table yet.
    pub(crate) unarmed: Cell<usize>,
    pub(crate) clock: Rc<dyn Clock>,
    /// What is plugged in from outside the core.
    pub(crate) extensions: Extensions,
    /// What is done with signals that have come, a bit for each.
    pub(crate) on_signals: Cell<Option<SignalHandler>>,
    /// The stack of its worker threads, in bytes, if it is not the usual one.
    pub(crate) thread_stack_size: Option<usize>,
    pub(crate) interrupt: Interrupt,
    pub(crate) operations: PlainOperations,
    pub(crate) instruments: Instruments,
    /// The context of the code that has started the run, for what no task of the program has started.
    pub(crate) context: TaskContext,
    /// Waits for the run to be idle, by the time that it must have been.
    pub(crate) idlers: RefCell<Deadlines>,
    pub(crate) stuck_check: StuckTaskCheck,
    /// How many tasks live.
    pub(crate) tasks: Cell<usize>,
    pub(crate) reactor: Rc<Reactor>,
    /// Callbacks of the token not called yet.
    pub(crate) calls: RefCell<VecDeque<inbox::Callback>>,
    /// The node of the main task. Its future is the drive's.
    pub(crate) main: Node,
    pub(crate) main_scope: Rc<ScopeState>,
    /// The future of the system tasks, and its node.
    pub(crate) system_future: RefCell<Option<(SystemFuture, Node)>>,
    pub(crate) crash: RefCell<Option<InternalError>>,
    /// Whether a host's loop drives the run, which wants its thread back after each tick.
    pub(crate) guest: Cell<bool>,
}

pub(crate) type SystemFuture = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Calls `f` with the current run, if there is one.
pub(crate) fn try_with<R>(f: impl FnOnce(&Rc<Run>) -> R) -> Option<R> {
    CURRENT.with_borrow(|current| current.as_ref().map(f))
}

/// Calls `f` with the run of this number, if it is on on this thread. It is the current one mostly; if not, it
/// is a guest that its host has to do with.
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
    // What it was told it has to hear of.
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
    /// From now on until [`Run::leave`] it is found on this thread by its number.
    pub(crate) fn enter(self: &Rc<Run>) {
        ALL.with_borrow_mut(|all| all.push(Rc::downgrade(self)));
    }

    pub(crate) fn leave(&self) {
        ALL.with_borrow_mut(|all| {
            all.retain(|run| !std::ptr::eq(run.as_ptr(), self));
            if all.is_empty() {
                // The room goes, too: nobody will free it when the thread ends.
                **all = Vec::new();
            }
        });
    }
}
