//! The run loop.
//!
//! A run is a loop over ticks. Each tick polls, from the root strand down, every strand that was
//! runnable when it began, once. Between ticks the loop looks outside: messages from other threads,
//! the operating system's events, the clock. If nothing is runnable it sleeps in the reactor until
//! the next deadline or event, so an idle run costs nothing.

use super::{
    clock::Clock,
    context::Context as TaskContext,
    deadlines::{Deadlines, Due},
    inbox::{self, Inbox, Message},
    instrument::{Instrument, Instruments},
    reactor::Reactor,
    scope::Scopes,
    strand::{ROOT, Slot, Strands},
    system::{self, System},
    task::Task,
    wait::{Operations, Waits},
    waker::{self, RunId, StrandId},
};
use crate::{
    Builder, CancelReason, CancelSource, Error, InternalError, RunError,
    scope::{Entered, ScopeCell},
    signal::Signals,
    threads::Threads,
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// A run that is busy looks for the system's events after so many polls: often enough that no socket
/// starves, seldom enough that the system call does not count.
const POLLS_PER_LOOK: u32 = 64;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Run>>> = const { RefCell::new(None) };
}

/// The state of a run, shared by all that happens inside it. Each part has a cell of its own, and no
/// borrow is held while code that is not the core's own is called.
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) strands: Strands,
    pub(crate) scopes: Scopes,
    pub(crate) waits: Waits,
    pub(crate) deadlines: RefCell<Deadlines>,
    pub(crate) clock: Rc<dyn Clock>,
    pub(crate) threads: Threads,
    pub(crate) signals: Signals,
    pub(crate) operations: Operations,
    pub(crate) instruments: Instruments,
    pub(crate) system: System,
    /// Waits for the run to be idle, by the time that it must have been.
    pub(crate) idlers: RefCell<Deadlines>,
    /// How many tasks live.
    pub(crate) tasks: Cell<usize>,
    pub(crate) reactor: Rc<Reactor>,
    /// Callbacks of the token not called yet.
    calls: RefCell<VecDeque<inbox::Callback>>,
    main: Task,
    main_scope: Rc<ScopeCell>,
    /// The future of the system tasks, and its strand.
    system_future: RefCell<Option<(SystemFuture, StrandId)>>,
    crash: RefCell<Option<InternalError>>,
}

type SystemFuture = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Calls `f` with the current run, if there is one.
pub(crate) fn try_with<R>(f: impl FnOnce(&Rc<Run>) -> R) -> Option<R> {
    CURRENT.try_with(|current| current.borrow().as_ref().map(f)).ok().flatten()
}

/// The current run.
///
/// # Panics
/// Outside a run.
pub(crate) fn current() -> Rc<Run> {
    match try_with(Rc::clone) {
        Some(run) => run,
        None => panic!(
            "this function of terzetto works only inside `terzetto::run`, and no run is active on this thread"
        ),
    }
}

/// Runs `main` and everything it starts on this thread, and returns what `main` returns.
///
/// Mirrors `trio.run`. `main` may borrow from the caller's frame.
///
/// # Errors
/// The error of `main`, unchanged; a [`RunError`] if the run could not start.
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
        if try_with(|_| ()).is_some() {
            return Err(RunError::Nested.into());
        }
        let reactor = Reactor::new().map_err(RunError::Reactor)?;
        let inbox = Arc::new(Inbox::new(reactor.bell().map_err(RunError::Reactor)?));
        let seed = self.seed_in_force();
        let id = inbox::register(inbox.clone());
        let strands = Strands::new(id, seed);
        let state = Rc::new(Run {
            id,
            inbox,
            main: Task::new(strands.number(), "main".into(), None, TaskContext::current()),
            strands,
            scopes: Scopes::new(ScopeCell::new()),
            waits: Waits::default(),
            deadlines: RefCell::default(),
            clock: self.clock,
            threads: Threads::new(self.thread_stack_size),
            signals: Signals::default(),
            operations: Operations::new(),
            instruments: Instruments::new(self.instruments),
            system: System::new(),
            idlers: RefCell::default(),
            tasks: Cell::new(1),
            reactor: Rc::new(reactor),
            calls: RefCell::default(),
            main_scope: ScopeCell::new(),
            system_future: RefCell::default(),
            crash: RefCell::default(),
        });
        CURRENT.set(Some(state.clone()));
        // Ends the run whichever way this function is left.
        let active = Active(state.clone());
        if self.ctrl_c {
            state.claim_interrupt();
        }
        if self.dump_on_signal {
            state.claim_dump();
        }
        state.clock.start();
        state.instruments.tell(|instrument| instrument.before_run());
        let strand = state.strands.add((ROOT, Slot::Body), state.main.clone());
        state.main.set_strand(strand);
        state.instruments.tell(|instrument| instrument.task_spawned(&state.main));
        state.wake(strand);
        let value = {
            // Declared last, so dropped first: futures find their run alive.
            let entered = Entered::new(state.clone(), state.main_scope.clone());
            let mut main = pin!(main);
            let value = state.turn(strand, |cx| {
                let _within = state.scopes.within(entered.id());
                main.as_mut().poll(cx)
            });
            entered.close(value)
        };
        state.take_signals();
        let interrupt = state.unraised_interrupt();
        drop(active);
        match (state.crash.take(), value, interrupt) {
            (Some(crash), ..) => Err(crash.into()),
            (None, Err(error), _) => Err(error),
            (None, Ok(_), Some(interrupt)) => Err(interrupt.into()),
            (None, Ok(Some(value)), None) => Ok(value),
            (None, Ok(None), None) => {
                Err(InternalError::new("the main task was cancelled for no reason", None).into())
            }
        }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let run = &self.0;
        inbox::unregister(run.id);
        let last = run.inbox.close();
        // Accepted calls are made, also when the run failed.
        if !std::thread::panicking() {
            run.take_in(last);
            while run.make_calls() {}
        }
        let system = run.system_future.take();
        drop(system);
        run.system.clear();
        run.threads.close();
        run.release_signals();
        run.main.ended();
        run.instruments.tell(|instrument| instrument.after_run());
        CURRENT.set(None);
    }
}

/// While it lives, a run is the thread's current one.
struct Active(Rc<Run>);

impl Run {
    /// Turns the loop until the main task has ended, and then the system tasks.
    fn turn<T>(&self, main: StrandId, mut poll_main: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        let waker = waker::new(self.id, main);
        let mut value = None;
        loop {
            self.look_outside();
            self.strands.tick.set(self.strands.tick.get() + 1);
            if self.strands.root_ready.get() {
                self.strands.begin_root();
                while let Some(turn) = self.strands.next_due(ROOT) {
                    match turn.slot {
                        Slot::Body if value.is_some() => {}
                        Slot::Body => {
                            let polled = self.step(turn.strand, turn.woken, || {
                                poll_main(&mut Context::from_waker(&waker))
                            });
                            if let Poll::Ready(done) = polled {
                                value = Some(done);
                                self.task_exited(main);
                                self.system.shut_down();
                            }
                        }
                        Slot::Child(_) => self.poll_system(turn.strand, turn.woken),
                    }
                }
                self.strands.end_poll(ROOT);
            }
            if value.is_some() && self.system_future.borrow().is_none() {
                break;
            }
        }
        match value {
            Some(value) => value,
            None => unreachable!("the loop ends only with a value"),
        }
    }

    /// Polls a strand by `poll`, and tells instruments if that is a step of its task.
    #[inline]
    pub(crate) fn step<R>(&self, strand: StrandId, woken: bool, poll: impl FnOnce() -> R) -> R {
        let outer = self.strands.current.replace(Some(strand));
        if woken {
            self.tell_of(strand, |instrument, task| instrument.before_task_step(task));
        }
        let polled = poll();
        if woken {
            self.tell_of(strand, |instrument, task| instrument.after_task_step(task));
        }
        self.strands.current.set(outer);
        polled
    }

    #[inline]
    fn tell_of(&self, strand: StrandId, hook: impl Fn(&dyn Instrument, &Task)) {
        self.instruments.tell(|instrument| {
            if let Some(task) = self.strands.task_of(strand) {
                hook(instrument, &task);
            }
        });
    }

    /// Makes a strand run in the next tick.
    pub(crate) fn wake(&self, strand: StrandId) {
        if self.strands.wake(strand) {
            self.tell_of(strand, |instrument, task| instrument.task_scheduled(task));
        }
    }

    /// A task has ended: its future is dropped, its strand goes.
    pub(crate) fn task_exited(&self, strand: StrandId) {
        if let Some(task) = self.strands.remove(strand) {
            self.tasks.set(self.tasks.get() - 1);
            task.ended();
            self.instruments.tell(|instrument| instrument.task_exited(&task));
        }
    }

    pub(crate) fn main_task(&self) -> Task {
        self.main.clone()
    }

    pub(crate) fn calls_waiting(&self) -> usize {
        self.take_in(self.inbox.take());
        self.calls.borrow().len()
    }

    /// The tasks that no other has started.
    pub(crate) fn root_tasks(&self) -> Vec<Task> {
        self.strands.tasks_in(ROOT)
    }

    /// Begins to serve system tasks.
    pub(crate) fn start_system(self: &Rc<Run>) {
        let task = Task::new(self.strands.number(), "system tasks".into(), None, TaskContext::default());
        let strand = self.strands.add((ROOT, Slot::Child(0)), task.clone());
        task.set_strand(strand);
        self.tasks.set(self.tasks.get() + 1);
        self.instruments.tell(|instrument| instrument.task_spawned(&task));
        let future = Box::pin(system::serve(self.clone()));
        *self.system_future.borrow_mut() = Some((future, strand));
        self.wake(strand);
    }

    fn poll_system(&self, strand: StrandId, woken: bool) {
        // Taken out while it is polled: it may start system tasks itself.
        let Some((mut future, of)) = self.system_future.take() else { return };
        let waker = waker::new(self.id, strand);
        let polled = self.step(strand, woken, || {
            let poll = || future.as_mut().poll(&mut Context::from_waker(&waker));
            catch_unwind(AssertUnwindSafe(poll))
        });
        match polled {
            Ok(Poll::Pending) => {
                *self.system_future.borrow_mut() = Some((future, of));
                return;
            }
            Ok(Poll::Ready(Ok(()))) => {}
            Ok(Poll::Ready(Err(error))) => self.crashed(system::failure(error)),
            Err(payload) => self.crashed(InternalError::of_panic("a system task panicked", &*payload)),
        }
        drop(future);
        self.task_exited(strand);
    }

    /// The run is broken: the main task is cancelled, and the run will return `error`.
    pub(crate) fn crashed(&self, error: InternalError) {
        log::error!("{error}");
        let reason = CancelReason::with_text(CancelSource::Shutdown, error.to_string());
        self.crash.borrow_mut().get_or_insert(error);
        self.main_scope.cancel(reason);
    }

    /// What happens between two ticks.
    fn look_outside(&self) {
        self.take_in(self.inbox.take());
        self.take_signals();
        if !self.has_work() {
            self.sleep();
            self.take_in(self.inbox.take());
            self.take_signals();
        } else if self.reactor.anybody_waits() && self.strands.polls_since_look() >= POLLS_PER_LOOK {
            self.look_at_events(0.0);
        }
        self.make_calls();
        self.expire_deadlines();
    }

    fn has_work(&self) -> bool {
        self.strands.root_ready.get() || !self.calls.borrow().is_empty()
    }

    /// Sleeps until the next deadline or event. If nothing happens for long enough, wakes who waits
    /// for that, or else lets a mock clock jump.
    fn sleep(&self) {
        let next = self.deadlines.borrow().next();
        let mut timeout = match next {
            Some(deadline) => self.clock.deadline_to_sleep_time(deadline).max(0.0),
            None => f64::INFINITY,
        };
        let cushion = self.idlers.borrow().next().filter(|&cushion| cushion < timeout);
        timeout = cushion.unwrap_or(timeout);
        let jump = self.clock.autojump_threshold().filter(|&threshold| next.is_some() && threshold < timeout);
        timeout = jump.unwrap_or(timeout);
        let heard = if timeout > 0.0 {
            if !self.inbox.try_sleep() {
                return;
            }
            let heard = self.look_at_events(timeout);
            self.inbox.awake();
            heard
        } else {
            self.look_at_events(0.0)
        };
        self.take_in(self.inbox.take());
        if heard || self.has_work() {
            return;
        }
        match (jump, cushion, next) {
            (Some(_), _, Some(deadline)) => self.clock.autojump(deadline),
            (None, Some(cushion), _) => self.idle_for(cushion),
            _ => {}
        }
    }

    /// Waits for the operating system's events up to `timeout` seconds, and wakes who waited for them.
    fn look_at_events(&self, timeout: f64) -> bool {
        let limit = (timeout < 1e6).then(|| Duration::from_secs_f64(timeout));
        self.instruments.tell(|instrument| instrument.before_io_wait(timeout));
        let heard = self.reactor.wait(limit, |wait| {
            self.reschedule(wait);
        });
        self.instruments.tell(|instrument| instrument.after_io_wait(timeout));
        self.strands.looked();
        heard
    }

    /// Wakes all who waited for the run to be idle for just so long.
    fn idle_for(&self, cushion: f64) {
        loop {
            let due = self.idlers.borrow_mut().pop_due(cushion);
            match due {
                Some(Due::Wake(wait)) => drop(self.reschedule(wait)),
                _ => break,
            }
        }
    }

    fn take_in(&self, messages: impl Iterator<Item = Message>) {
        for message in messages {
            match message {
                Message::Wake(strand) => self.wake(strand),
                Message::Call(call) => self.calls.borrow_mut().push_back(call),
                Message::JobDone(job) => self.threads.job_done(self, job),
            }
        }
    }

    pub(crate) fn take_signals(&self) {
        match self.inbox.take_signals() {
            0 => {}
            signals => self.signals_arrived(signals),
        }
    }

    /// Makes the calls that are waiting now; those that they queue wait for the next time.
    fn make_calls(&self) -> bool {
        let calls = self.calls.take();
        let any = !calls.is_empty();
        for call in calls {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(call)) {
                self.crashed(InternalError::of_panic("a callback of the token panicked", &*payload));
            }
        }
        any
    }

    fn expire_deadlines(&self) {
        if self.deadlines.borrow().next().is_none() {
            return;
        }
        let now = self.clock.now();
        loop {
            let due = self.deadlines.borrow_mut().pop_due(now);
            match due {
                None => break,
                Some(Due::Wake(wait)) => {
                    self.reschedule(wait);
                }
                Some(Due::Cancel(scope)) => {
                    if let Some(cell) = self.scopes.cell(scope) {
                        cell.cancel(CancelReason::new(CancelSource::Deadline));
                    }
                }
            }
        }
    }
}
