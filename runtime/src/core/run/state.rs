//! The state of a run, and what changes it from inside.
//!
//! A run is a loop over ticks. Each tick polls, from the root node down, every node that was
//! runnable when it began, once: `drive` turns that loop. Between ticks it looks outside, at
//! messages from other threads, the operating system's events, the clock: `outside`. Where a tick would
//! only lead back to the nursery that has just been polled, it begins there: `in_place`. If nothing is
//! runnable it sleeps in the reactor until the next deadline or event, so an idle run costs nothing.

use crate::{
    CancelReason, CancelSource, Error, InternalError,
    core::{
        block::{
            reactor::Reactor,
            wait::{Operations, Waits},
        },
        cancel::{
            deadlines::Deadlines,
            state::ScopeCell,
            stuck::StuckTaskCheck,
            tree::{ROOT, Scopes},
        },
        lowlevel::{instrument::Instruments, system, system::System, variable::Variables},
        poll_tree::{
            node::{Node, Queued},
            nursery_node::NurseryNode,
            tree::PollTree,
            waker,
            waker::{NodeId, RunId},
        },
        run::{clock::Clock, inbox, inbox::Inbox},
        task::handle::{Task, TaskInfo},
    },
    error::failure::discard,
    io::NetworkHooks,
    signal::Signals,
    threads::Threads,
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    mem::{self, ManuallyDrop},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::{Rc, Weak},
    sync::Arc,
    task::{Context, Poll, Waker},
};

thread_local! {
    // Neither is ever destroyed: what a thread's other locals hold, a guest run say, may be dropped after them, and looks
    // here. They are empty while no run is on, so nothing is leaked.
    pub(crate) static CURRENT: RefCell<ManuallyDrop<Option<Rc<Run>>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
    /// The runs of this thread that are on: the current one, guests between two ticks, and the run around a guest.
    static ALL: RefCell<ManuallyDrop<Vec<Weak<Run>>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// Makes a run, or none, the thread's current one. Returns the one before.
pub(crate) fn set_current(run: Option<Rc<Run>>) -> Option<Rc<Run>> {
    CURRENT.with_borrow_mut(|current| mem::replace(&mut **current, run))
}

/// The state of a run, shared by all that happens inside it. Each part has a cell of its own, and no
/// borrow is held while code that is not the core's own is called.
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) tree: PollTree,
    pub(crate) scopes: Scopes,
    pub(crate) waits: Waits,
    pub(crate) deadlines: RefCell<Deadlines>,
    /// How many scopes that are being polled have a deadline that is not in the table yet.
    pub(crate) unarmed: Cell<usize>,
    pub(crate) clock: Rc<dyn Clock>,
    pub(crate) threads: Threads,
    pub(crate) signals: Signals,
    pub(crate) network: NetworkHooks,
    pub(crate) operations: Operations,
    pub(crate) instruments: Instruments,
    pub(crate) system: System,
    /// Waits for the run to be idle, by the time that it must have been.
    pub(crate) idlers: RefCell<Deadlines>,
    pub(crate) stuck_check: StuckTaskCheck,
    /// How many tasks live.
    pub(crate) tasks: Cell<usize>,
    pub(crate) reactor: Rc<Reactor>,
    /// Callbacks of the token not called yet.
    pub(crate) calls: RefCell<VecDeque<inbox::Callback>>,
    /// The node of the root task, which is never polled: the parent of the main task and the system tasks.
    pub(crate) root: Node,
    /// The node of the main task. Its future is the drive's.
    pub(crate) main: Node,
    pub(crate) main_scope: Rc<ScopeCell>,
    /// The future of the system tasks, and its node.
    pub(crate) system_future: RefCell<Option<(SystemFuture, Node)>>,
    pub(crate) crash: RefCell<Option<InternalError>>,
    /// What the program has set for the length of the run.
    pub(crate) variables: Variables,
    /// Whether a host's loop drives the run, which wants its thread back after each tick.
    pub(crate) guest: Cell<bool>,
}

pub(crate) type SystemFuture = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Dropped, it takes a node out of the table.
struct Removes<'a>(&'a PollTree, &'a Node);

impl Drop for Removes<'_> {
    fn drop(&mut self) {
        self.0.remove(self.1);
    }
}

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

    /// As `waker.wake_by_ref()`, without the way round if it is one of this run's own.
    #[inline]
    pub(crate) fn wake_by(&self, waker: &Waker) {
        match waker::node_of(waker, self.id) {
            Some(node) => self.wake(node),
            None => self.wake_foreign(waker),
        }
    }

    /// Calls a waker of something foreign, which may panic: that breaks the run, but nobody is forgotten who was to be
    /// woken after it. To be called with nothing borrowed.
    #[cold]
    pub(crate) fn wake_foreign(&self, waker: &Waker) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake_by_ref())) {
            self.crashed(InternalError::of_panic("a foreign waker panicked", payload));
        }
    }

    /// Makes a node run in the next tick.
    #[inline]
    pub(crate) fn wake(&self, node: NodeId) {
        if self.tree.wake(node) {
            self.instruments.tell(|instrument| {
                if let Some(task) = self.tree.task_of(node) {
                    instrument.task_scheduled(&task);
                }
            });
        }
    }

    /// A task begins: its node gets its place.
    pub(crate) fn task_spawned(&self, node: Node, nursery: Rc<NurseryNode>) -> NodeId {
        self.tasks.set(self.tasks.get() + 1);
        let id = self.tree.add(node, nursery);
        self.instruments.tell(|instrument| {
            if let Some(task) = self.tree.task_of(id) {
                instrument.task_spawned(&task);
            }
        });
        self.wake(id);
        id
    }

    /// A task has ended: its future is dropped, its node goes. Once.
    pub(crate) fn task_exited(&self, node: &Node) {
        if node.has_ended() {
            return;
        }
        self.tasks.set(self.tasks.get() - 1);
        let task = Task::of(node);
        // It leaves the table last, and also if something of the user's panics meanwhile.
        let _removes = Removes(&self.tree, node);
        task.ended();
        self.instruments.tell(|instrument| instrument.task_exited(&task));
    }

    pub(crate) fn main_task(&self) -> Task {
        Task::of(&self.main)
    }

    pub(crate) fn root_task(&self) -> Task {
        Task::of(&self.root)
    }

    pub(crate) fn calls_waiting(&self) -> usize {
        self.take_in(self.inbox.take());
        self.calls.borrow().len()
    }

    /// The tasks of the root nursery.
    pub(crate) fn root_tasks(&self) -> Vec<Task> {
        self.tree.tasks_in(self.tree.root())
    }

    /// Begins to serve system tasks.
    pub(crate) fn start_system(self: &Rc<Run>) {
        let number = self.tree.number();
        let info = TaskInfo::new(number, None, self.system.context()).named("system tasks");
        let node = Node::new(info, std::future::pending());
        let future = Box::pin(system::serve(self.clone()));
        *self.system_future.borrow_mut() = Some((future, node.clone()));
        self.task_spawned(node, self.tree.root().clone());
    }

    pub(crate) fn poll_system(&self, node: &Node, queued: Queued) {
        // Taken out while it is polled: it may start system tasks itself.
        let Some((mut future, of)) = self.system_future.take() else { return };
        let Some(id) = node.id() else { return };
        let waker = waker::new(self.id, id);
        let path = self.poll_path(ROOT);
        let polled = path.step(node, queued, || {
            let poll = || future.as_mut().poll(&mut Context::from_waker(&waker));
            catch_unwind(AssertUnwindSafe(poll))
        });
        drop(path);
        match polled {
            Ok(Poll::Pending) => {
                *self.system_future.borrow_mut() = Some((future, of));
                return;
            }
            Ok(Poll::Ready(Ok(()))) => {}
            Ok(Poll::Ready(Err(error))) => self.crashed(system::failure(error)),
            Err(payload) => self.crashed(InternalError::of_panic("a system task panicked", payload)),
        }
        drop(future);
        // Nobody is left to poll what would be started now, or has not been.
        self.close_system();
        self.task_exited(node);
    }

    /// The run is broken: the main task is cancelled, and the run will return `error`.
    pub(crate) fn crashed(&self, error: InternalError) {
        // An error of the user's may panic on being displayed.
        let text = catch_unwind(AssertUnwindSafe(|| error.to_string())).unwrap_or_else(|payload| {
            discard(payload);
            "the run has failed".to_owned()
        });
        log::error!("{text}");
        let reason = CancelReason::with_text(CancelSource::Shutdown, text);
        self.crash.borrow_mut().get_or_insert(error);
        self.main_scope.cancel(reason);
    }
}
