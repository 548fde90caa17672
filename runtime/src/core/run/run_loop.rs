//! Driving a run: setting it up, turning its loop tick by tick, and taking it down.

use crate::{
    Builder, CancelSource, Cancelled, Error, ErrorGroup, InternalError, RunError,
    core::{
        block::{
            reactor::Reactor,
            wait::{Operations, Waits},
        },
        cancel::{entered::Entered, state::ScopeCell, stuck::StuckTaskCheck, tree::Scopes},
        lowlevel::{instrument::Instruments, system::System, variable::Variables},
        poll_tree::{
            node::{Node, Queued},
            tree::PollTree,
            waker,
        },
        run::{CURRENT, Run, inbox, inbox::Inbox, set_current, try_with},
        task::{
            context::Context as TaskContext,
            handle::{Task, TaskInfo},
        },
    },
    error::failure::FirstPanic,
    io::NetworkHooks,
    signal::Signals,
    threads::Threads,
};
use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// What the two errors of a run have in common whose main task failed before a Ctrl-C could be raised in it.
const FAILED_AND_INTERRUPTED: &str = "Ctrl-C came, and the main task has failed";

/// Runs `main` and everything it starts on this thread, and returns what `main` returns.
///
/// Mirrors `trio.run`. `main` may borrow from the caller's frame.
///
/// # Errors
/// The error of `main`, unchanged; a [`RunError`] if the run could not start; a Ctrl-C that came too
/// late to be raised in `main`: beside an error of `main`, as a group of the two.
///
/// # Panics
/// If `main` does: the panic goes through.
///
/// ```
/// let greeting = String::from("hello");
/// let length = terzetto::run(async {
///     terzetto::sleep(0.001).await?;
///     Ok(greeting.len())
/// })?;
/// assert_eq!(length, 5);
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn run<T>(main: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    Builder::new().run(main)
}

impl Builder {
    /// Runs `main` as [`run`] does, with these options.
    ///
    /// # Errors
    /// As [`run`].
    ///
    /// # Panics
    /// As [`run`].
    pub fn run<T>(self, main: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let mut run_loop = RunLoop::start(self, Box::pin(main))?;
        while !run_loop.is_over() {
            run_loop.run.do_between_ticks();
            run_loop.tick();
        }
        run_loop.finish()
    }

    fn build(self) -> Result<Rc<Run>, RunError> {
        let reactor = Reactor::new().map_err(RunError::Reactor)?;
        let inbox = Arc::new(Inbox::new(reactor.waker().map_err(RunError::Reactor)?));
        let seed = self.seed_in_force();
        let id = inbox::register(inbox.clone());
        let tree = PollTree::new(id, seed);
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
            scopes: Scopes::new(ScopeCell::new()),
            waits: Waits::default(),
            deadlines: RefCell::default(),
            unarmed: Cell::new(0),
            clock: self.clock,
            threads: Threads::new(self.thread_stack_size),
            signals: Signals::default(),
            network: NetworkHooks::default(),
            operations: Operations::new(),
            instruments: Instruments::new(self.instruments),
            system: System::new(context),
            idlers: RefCell::default(),
            stuck_check: StuckTaskCheck::default(),
            tasks: Cell::new(0),
            reactor: Rc::new(reactor),
            calls: RefCell::default(),
            main_scope: ScopeCell::new(),
            system_future: RefCell::default(),
            crash: RefCell::default(),
            variables: Variables::default(),
            guest: Cell::new(false),
        });
        #[cfg(feature = "signal")]
        if self.ctrl_c {
            run.claim_interrupt();
        }
        #[cfg(feature = "signal")]
        if let Some(dump) = self.dump_on_signal {
            run.claim_dump(dump);
        }
        Ok(run)
    }
}

/// A run and its main task, from start to end. The order of the fields is that in which they are
/// dropped: futures find their run alive.
pub(crate) struct RunLoop<T, F> {
    /// None once it has ended.
    main: Option<Pin<Box<F>>>,
    value: Option<Result<T, Error>>,
    entered: Entered,
    waker: Waker,
    pub(crate) run: Rc<Run>,
    active: ActiveRun,
}

impl<T, F: Future<Output = Result<T, Error>>> RunLoop<T, F> {
    /// Sets a run up, as the current one of this thread.
    pub(crate) fn start(builder: Builder, main: Pin<Box<F>>) -> Result<RunLoop<T, F>, Error> {
        if try_with(|_| ()).is_some() {
            return Err(RunError::Nested.into());
        }
        let run = builder.build()?;
        set_current(Some(run.clone()));
        run.enter();
        let active = ActiveRun(run.clone());
        run.clock.start();
        run.instruments.tell(|instrument| instrument.before_run());
        // The first tick is one in which events are looked at, too, if instruments are told of that.
        run.tree.note_poll();
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

    /// Whether the main task and the system tasks have ended.
    pub(crate) fn is_over(&self) -> bool {
        self.value.is_some() && self.run.system_future.borrow().is_none()
    }

    /// Polls all that is runnable, once.
    pub(crate) fn tick(&mut self) {
        let run = self.run.clone();
        run.tree.tick.set(run.tree.tick.get() + 1);
        if !run.tree.root_ready.get() {
            return;
        }
        run.tree.begin_root();
        while let Some((node, queued)) = run.tree.next_queued(run.tree.root()) {
            match node == run.main {
                true => self.poll_main(queued),
                false => run.poll_system(&node, queued),
            }
        }
        run.tree.end_poll(run.tree.root());
    }

    fn poll_main(&mut self, queued: Queued) {
        let RunLoop { main, value, entered, waker, run, .. } = self;
        let path = run.poll_path(entered.id());
        let polled = path.step(&run.main, queued, || {
            let Some(future) = main else { return Poll::Pending };
            let polled = future.as_mut().poll(&mut Context::from_waker(waker));
            if polled.is_ready() {
                *main = None;
                run.task_exited(&run.main);
            }
            polled
        });
        drop(path);
        if let Poll::Ready(outcome) = polled {
            *value = Some(outcome);
            run.shut_down_system();
        }
    }

    /// Takes the run down when it is over, and returns what came of it.
    pub(crate) fn finish(self) -> Result<T, Error> {
        let RunLoop { main, value, entered, run, active, .. } = self;
        drop(main);
        let value = match value {
            Some(value) => entered.close(value),
            None => Ok(None),
        };
        run.take_signals();
        drop(active);
        // Also one that came while the run was taken down. From here on Ctrl-C does again what it did before.
        let interrupt = run.unraised_interrupt();
        match (run.crash.take(), value, interrupt) {
            (Some(crash), ..) => Err(crash.into()),
            (None, Err(error), Some(interrupt)) if !error.is_interrupted() => {
                Err(ErrorGroup::new(FAILED_AND_INTERRUPTED, vec![interrupt.into(), error]).into())
            }
            (None, Err(error), _) => Err(error),
            (None, Ok(_), Some(interrupt)) => Err(interrupt.into()),
            (None, Ok(Some(value)), None) => Ok(value),
            (None, Ok(None), None) => match run.main_scope.reason() {
                // By the host of a guest run.
                Some(reason) if reason.source() == CancelSource::Explicit => {
                    Err(Cancelled::new(reason).into())
                }
                _ => Err(InternalError::new("the main task was cancelled for no reason", None).into()),
            },
        }
    }
}

/// While it lives, a run is the thread's current one; dropping it ends the run, whichever way that
/// comes.
struct ActiveRun(Rc<Run>);

impl Drop for ActiveRun {
    fn drop(&mut self) {
        let run = &self.0;
        let leave = Leave(run);
        run.inbox.announce_end();
        inbox::unregister(run.id);
        let last = run.inbox.close();
        // Accepted calls are made, also when the run failed, be it by a panic: somebody may wait for them. One
        // that panics itself is caught.
        let mut panics = FirstPanic::default();
        panics.catch(|| run.take_in(last));
        while run.make_calls() {}
        // Whatever of the user's is called now may panic, which must not keep the rest from being taken down.
        panics.catch(|| drop(run.system_future.take()));
        panics.catch(|| run.close_system());
        panics.catch(|| run.waits.end_all(run));
        panics.catch(|| run.tree.end_all());
        panics.catch(|| run.threads.close());
        run.release_signals();
        panics.catch(|| run.network.clear());
        panics.catch(|| run.main_task().ended());
        run.root_task().ended();
        panics.catch(|| run.variables.end());
        run.instruments.tell(|instrument| instrument.after_run());
        drop(leave);
        // What is kept of the run, a future or a token, keeps no descriptor open.
        run.reactor.close();
        run.inbox.close_waker();
        panics.resume();
    }
}

/// Dropped, it has the thread leave a run.
struct Leave<'a>(&'a Run);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.leave();
        // If the thread is still in it.
        let left = CURRENT.with_borrow_mut(|current| current.take_if(|run| run.id == self.0.id));
        // With nothing borrowed: what goes with the run may look for it.
        drop(left);
    }
}
