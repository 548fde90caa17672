//! The run loop: setting a run up, turning its loop tick by tick, and taking it down.
//!
//! One turn of the loop has these steps, in this order.
//!
//! 1. Take the messages and signals that have come.
//! 2. If nothing is runnable, sleep in the reactor until an event, a message or the next deadline; then take messages
//!    again.
//! 3. Look at the operating system's events, if that was not done for a while.
//! 4. Make the calls that other threads have asked for.
//! 5. Expire deadlines: a sleep ends, or a scope is cancelled.
//! 6. Tick: poll once each node that is runnable now.
//!
//! Steps 1 to 5 are [`do_between_ticks`](Run::do_between_ticks), and step 6 is [`tick`](RunLoop::tick). A nursery may
//! [begin the next tick itself](crate::core::poll_tree::fast_path) if steps 1 to 5 would do nothing.

use crate::{
    CancelSource, Cancelled, Deadlock, Error, ErrorGroup, InternalError,
    core::{
        block::{operation::PlainOperations, reactor::Reactor, waits::Waits},
        cancel::{
            enter::Entered, interrupt::Interrupt, state::ScopeState, stuck_check::StuckTaskCheck,
            tree::ScopeTree, turn_budget::TurnBudget,
        },
        lowlevel::{
            deadlock_state::{DeadlockCheck, OnDeadlock},
            instrument::{Instrument, Instruments},
        },
        poll_tree::{
            node::{Node, Queued},
            order::BatchOrder,
            tree::PollTree,
            waker,
        },
        run::{
            Run, clock::Clock, extensions::Extensions, inbox, inbox::Inbox, leave_current, set_current,
            try_with,
        },
        task::{
            context_values::TaskContext,
            handle::{Task, TaskInfo},
        },
    },
    error::failure::FirstPanic,
};
use std::{
    cell::{Cell, RefCell},
    fmt,
    mem::ManuallyDrop,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// The message of the group that a run returns if its main task failed before a pending Ctrl-C could be raised in it.
const FAILED_AND_INTERRUPTED: &str = "Ctrl-C came, and the main task has failed";

/// The message of the group that a run returns if it was deadlocked and its main task has failed.
const DEADLOCKED_AND_FAILED: &str = "the run was deadlocked, and the main task has failed";

/// Plugs something into a run that is being set up.
pub(crate) type PlugIn = Box<dyn FnOnce(&Run)>;

/// How a run is set up.
pub(crate) struct RunOptions {
    pub(crate) clock: Rc<dyn Clock>,
    pub(crate) instruments: Vec<Rc<dyn Instrument>>,
    /// The order within a batch.
    pub(crate) order: BatchOrder,
    pub(crate) thread_stack_size: Option<usize>,
    /// How many operations a task may do in one step without giving way.
    pub(crate) quick_checkpoints: u32,
    pub(crate) on_deadlock: OnDeadlock,
    /// Plugs in the parts of the crate that are not in the core.
    pub(crate) plug_in: PlugIn,
}

/// Why a run could not start, or could not go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// This thread is already inside a run.
    Nested,
    /// The reactor could not be made.
    Reactor(std::io::Error),
    /// The host of a [guest run](crate::lowlevel::GuestRun) ended before the run.
    Abandoned,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Nested => {
                f.write_str("`run` was called inside a run on the same thread; use a nursery")
            }
            RunError::Abandoned => f.write_str("the host of a guest run ended before the run was over"),
            RunError::Reactor(_) => f.write_str("the run's reactor could not be made"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RunError::Nested | RunError::Abandoned => None,
            RunError::Reactor(error) => Some(error),
        }
    }
}

/// Runs `main` to its end.
pub(crate) fn run_to_end<T, F>(options: RunOptions, main: Pin<Box<F>>) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut run_loop = RunLoop::start(options, main)?;
    while !run_loop.is_over() {
        run_loop.run.do_between_ticks();
        run_loop.tick();
    }
    run_loop.finish()
}

/// Makes a run that has yet to be entered.
fn build(options: RunOptions) -> Result<Rc<Run>, RunError> {
    let reactor = Reactor::new().map_err(RunError::Reactor)?;
    let inbox = Arc::new(Inbox::new(reactor.waker().map_err(RunError::Reactor)?));
    let id = inbox::register(inbox.clone());
    let tree = PollTree::new(id, options.order);
    let context = TaskContext::current();
    let root = TaskInfo::new(tree.number(), None, TaskContext::default()).named("root");
    let root = Node::new(root, std::future::pending());
    tree.root().belongs_to(Task::of(&root));
    let main = TaskInfo::new(tree.number(), None, context.clone()).named("main");
    let run = Rc::new(Run {
        id,
        inbox,
        root,
        main: Node::new(main, std::future::pending()),
        tree,
        scopes: ScopeTree::new(ScopeState::new()),
        waits: Waits::default(),
        deadlines: RefCell::default(),
        turn_budget: TurnBudget::new(options.quick_checkpoints),
        unarmed: Cell::new(0),
        clock: options.clock,
        extensions: Extensions::default(),
        on_signals: Cell::new(None),
        thread_stack_size: options.thread_stack_size,
        interrupt: Interrupt::default(),
        operations: PlainOperations::new(),
        instruments: Instruments::new(options.instruments),
        context,
        idlers: RefCell::default(),
        stuck_check: StuckTaskCheck::default(),
        deadlock: DeadlockCheck::new(options.on_deadlock),
        tasks: Cell::new(0),
        reactor: Rc::new(reactor),
        calls: RefCell::default(),
        main_scope: ScopeState::new(),
        system_future: RefCell::default(),
        crash: RefCell::default(),
        guest: Cell::new(false),
    });
    (options.plug_in)(&run);
    Ok(run)
}

/// A run and its main task, from start to end. The fields are dropped in this order, so that futures are dropped
/// before their run.
pub(crate) struct RunLoop<T, F> {
    /// `None` once the main task has ended.
    main: Option<Pin<Box<F>>>,
    value: Option<Result<T, Error>>,
    entered: Entered,
    waker: ManuallyDrop<Waker>,
    pub(crate) run: Rc<Run>,
    active: ActiveRun,
}

impl<T, F: Future<Output = Result<T, Error>>> RunLoop<T, F> {
    /// Sets a run up, and makes it the current one of this thread.
    pub(crate) fn start(options: RunOptions, main: Pin<Box<F>>) -> Result<RunLoop<T, F>, Error> {
        if try_with(|_| ()).is_some() {
            return Err(RunError::Nested.into());
        }
        let run = build(options)?;
        set_current(Some(run.clone()));
        run.enter();
        let active = ActiveRun(run.clone());
        run.clock.start();
        run.instruments.tell(|instrument| instrument.before_run());
        // With an instrument installed, the first turn looks at events, too.
        run.tree.note_polls(1);
        let node = run.task_spawned(run.main.clone(), run.tree.root().clone());
        Ok(RunLoop {
            main: Some(main),
            value: None,
            entered: Entered::new(run.clone(), run.main_scope.clone()),
            waker: waker::new(run.id, node),
            run,
            active,
        })
    }

    /// Whether the main task and the system tasks have ended, or will never end.
    pub(crate) fn is_over(&self) -> bool {
        let has_ended = self.value.is_some() && self.run.system_future.borrow().is_none();
        has_ended || self.run.deadlock.is_hopeless()
    }

    /// Polls once all that is runnable. Goes on with the next tick if there is nothing to do between the two.
    pub(crate) fn tick(&mut self) {
        let run = self.run.clone();
        run.tree.tick.set(run.tree.tick.get() + 1);
        if !run.tree.root_ready.get() {
            return;
        }
        run.tree.begin_root();
        loop {
            for _ in 0..run.tree.begin_batch(run.tree.root()) {
                let Some((node, queued)) = run.tree.next_queued(run.tree.root()) else { break };
                let again = match node == run.main {
                    true => self.poll_main(queued),
                    false => run.poll_system(&node, queued),
                };
                if again {
                    run.tree.queue_again(run.tree.root(), node);
                }
            }
            if self.value.is_some() || !run.tick_in_place(run.tree.root()) {
                break;
            }
        }
        run.tree.end_poll(run.tree.root(), |waker| run.wake_foreign(waker));
    }

    /// Polls the main task. Returns whether it is to be queued again.
    fn poll_main(&mut self, queued: Queued) -> bool {
        let RunLoop { main, value, entered, waker, run, .. } = self;
        let path = run.poll_path(entered.id());
        let mut ended = None;
        let again = path.step(&run.main, queued, || {
            let Some(future) = main else { return true };
            let polled = future.as_mut().poll(&mut Context::from_waker(waker));
            let Poll::Ready(outcome) = polled else { return false };
            *main = None;
            run.task_exited(&run.main);
            ended = Some(outcome);
            true
        });
        drop(path);
        if ended.is_some() {
            *value = ended;
            run.shut_down_system();
        }
        again
    }

    /// Takes the run down when it is over, and returns its outcome.
    pub(crate) fn finish(self) -> Result<T, Error> {
        let RunLoop { main, value, entered, run, active, .. } = self;
        drop(main);
        let value = match value {
            Some(value) => entered.close(value),
            None => {
                drop(entered);
                Ok(None)
            }
        };
        run.take_signals();
        drop(active);
        // Also one that came while the run was taken down. From here on Ctrl-C does again what it did before.
        let interrupt = run.unraised_interrupt();
        if let Some(deadlock) = run.deadlock.take() {
            return Err(deadlocked(deadlock, value.err()));
        }
        match (run.crash.take(), value, interrupt) {
            (Some(crash), ..) => Err(crash.into()),
            (None, Err(error), Some(interrupt)) if !error.is_interrupted() => {
                Err(ErrorGroup::new(FAILED_AND_INTERRUPTED, vec![interrupt.into(), error]).into())
            }
            (None, Err(error), _) => Err(error),
            (None, Ok(_), Some(interrupt)) => Err(interrupt.into()),
            (None, Ok(Some(value)), None) => Ok(value),
            (None, Ok(None), None) => match run.main_scope.reason() {
                // The host of a guest run has cancelled it.
                Some(reason) if reason.source() == CancelSource::Explicit => {
                    Err(Cancelled::new(reason).into())
                }
                _ => Err(InternalError::new("the main task was cancelled for no reason", None).into()),
            },
        }
    }
}

/// The error of a run that was deadlocked, with what the main task has failed with.
fn deadlocked(deadlock: Deadlock, also: Option<Error>) -> Error {
    match also.filter(|error| !error.is_cancelled()) {
        Some(error) => ErrorGroup::new(DEADLOCKED_AND_FAILED, vec![deadlock.into(), error]).into(),
        None => deadlock.into(),
    }
}

/// A run that is the thread's current one. Dropping this ends the run, also if a panic drops it.
struct ActiveRun(Rc<Run>);

impl Drop for ActiveRun {
    fn drop(&mut self) {
        let run = &self.0;
        let leave = Leave(run);
        run.inbox.announce_end();
        inbox::unregister(run.id);
        let last = run.inbox.close();
        // Calls that were accepted are made, also if the run has failed or panicked, since somebody may wait for
        // them. If a call panics, the panic is caught.
        let mut panics = FirstPanic::default();
        panics.catch(|| run.take_in(last));
        while run.make_calls() {}
        // User code that is called from here on may panic. The rest of the run must still be taken down.
        panics.catch(|| drop(run.system_future.take()));
        panics.catch(|| run.close_system());
        panics.catch(|| run.end_all_waits());
        // These wake nurseries with foreign parents. If such a nursery was carried into another run, it is polled
        // there and panics, and does not wait for ever.
        panics.catch(|| run.tree.foreign_parents().iter().for_each(|waker| run.wake_foreign(waker)));
        for extension in run.extensions.take() {
            panics.catch(|| extension.run_ends());
        }
        panics.catch(|| run.main_task().ended());
        run.root_task().ended();
        run.instruments.tell(|instrument| instrument.after_run());
        drop(leave);
        // A future or token that is kept after the run must keep no descriptor open.
        run.reactor.close();
        run.inbox.close_waker();
        panics.resume();
    }
}

/// Makes the thread leave a run when this is dropped.
struct Leave<'a>(&'a Run);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.leave();
        // The run may no longer be the current one of the thread.
        let left = leave_current(self.0.id);
        // What is dropped with the run may look for the current run, so nothing is borrowed here.
        drop(left);
    }
}
