//! The run loop.
//!
//! A run is a loop over ticks. Each tick polls, from the root strand down, every strand that was
//! runnable when it began, once. Between ticks the loop looks outside: messages from other threads,
//! the operating system's events, the clock. If nothing is runnable it sleeps in the reactor until
//! the next deadline or event, so an idle run costs nothing.

use super::{
    clock::{Clock, SystemClock},
    deadlines::{Deadlines, Due},
    inbox::{self, Inbox, Message},
    reactor::Reactor,
    scope::Scopes,
    strand::{Strands, TaskInfo},
    wait::{Abortable, Unabortable, Waits},
    waker::{self, RunId},
};
use crate::{CancelReason, CancelSource, Error, scope::ScopeCell, threads::pool::Pool};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    error::Error as StdError,
    fmt,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

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
    pub(crate) pool: Pool,
    /// Shared by all operations that need no clean-up on abort.
    pub(crate) abortable: Rc<Abortable>,
    /// Shared by all operations that cannot be aborted.
    pub(crate) unabortable: Rc<Unabortable>,
    reactor: RefCell<Reactor>,
    /// Callbacks of the token not called yet.
    calls: RefCell<VecDeque<inbox::Callback>>,
    root: Cell<u32>,
}

/// Why a run could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// This thread is inside a run already.
    Nested,
    /// The reactor could not be made.
    Reactor(std::io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Nested => {
                f.write_str("`run` was called inside a run on the same thread; use a nursery")
            }
            RunError::Reactor(_) => f.write_str("the run's reactor could not be made"),
        }
    }
}

impl StdError for RunError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            RunError::Nested => None,
            RunError::Reactor(error) => Some(error),
        }
    }
}

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

/// Options of a run.
///
/// ```
/// use terzetto::{Builder, testing::MockClock};
/// // A day passes in no time: the clock jumps to the next deadline when all tasks are blocked.
/// Builder::new().clock(MockClock::autojump()).run(async {
///     terzetto::sleep(86_400.0).await?;
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct Builder {
    clock: Rc<dyn Clock>,
}

impl Default for Builder {
    fn default() -> Self {
        Builder::new()
    }
}

impl Builder {
    /// The defaults: the system's clock.
    pub fn new() -> Builder {
        Builder { clock: Rc::new(SystemClock::new()) }
    }

    /// Takes another clock. The `Rc` can be kept, to steer the clock from inside the run.
    pub fn clock(mut self, clock: Rc<impl Clock + 'static>) -> Builder {
        self.clock = clock;
        self
    }

    /// As [`run`], with these options.
    ///
    /// # Errors
    /// As [`run`].
    pub fn run<T>(self, main: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        if try_with(|_| ()).is_some() {
            return Err(RunError::Nested.into());
        }
        let reactor = Reactor::new().map_err(RunError::Reactor)?;
        let inbox = Arc::new(Inbox::new(reactor.bell().map_err(RunError::Reactor)?));
        let id = inbox::register(inbox.clone());
        let state = Rc::new(Run {
            id,
            inbox,
            strands: Strands::new(id),
            scopes: Scopes::new(ScopeCell::new()),
            waits: Waits::default(),
            deadlines: RefCell::default(),
            clock: self.clock,
            pool: Pool::new(),
            abortable: Rc::new(Abortable),
            unabortable: Rc::new(Unabortable),
            reactor: RefCell::new(reactor),
            calls: RefCell::default(),
            root: Cell::new(0),
        });
        CURRENT.set(Some(state.clone()));
        // Ends the run whichever way this function is left.
        let _active = Active(state.clone());
        let task = Rc::new(TaskInfo { name: "main".into() });
        state.root.set(state.strands.add(None, task));
        state.clock.start();
        // Declared last, so dropped first: futures find their run alive.
        let mut main = pin!(main);
        state.strands.wake(state.root.get());
        state.turn(|cx| main.as_mut().poll(cx))
    }
}

/// While it lives, a run is the thread's current one.
struct Active(Rc<Run>);

impl Drop for Active {
    fn drop(&mut self) {
        inbox::unregister(self.0.id);
        let last = self.0.inbox.close();
        self.0.pool.close();
        // Accepted calls are made, also when the run failed.
        if !std::thread::panicking() {
            self.0.take_in(last);
            while self.0.make_calls() {}
        }
        CURRENT.set(None);
    }
}

impl Run {
    /// Turns the loop until the root strand is done.
    fn turn<T>(&self, mut poll_root: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        let waker = waker::new(self.id, self.root.get());
        let mut cx = Context::from_waker(&waker);
        loop {
            self.look_outside();
            self.strands.tick.set(self.strands.tick.get() + 1);
            if !self.strands.root_ready.get() {
                continue;
            }
            self.strands.begin_root(self.root.get());
            self.strands.current.set(Some(self.root.get()));
            let polled = poll_root(&mut cx);
            self.strands.current.set(None);
            if let Poll::Ready(value) = polled {
                return value;
            }
        }
    }

    /// What happens between two ticks.
    fn look_outside(&self) {
        if !self.strands.root_ready.get() && self.calls.borrow().is_empty() {
            self.sleep();
        }
        self.take_in(self.inbox.take());
        self.make_calls();
        self.expire_deadlines();
    }

    /// Sleeps until the next deadline or event; lets an idle mock clock jump.
    fn sleep(&self) {
        let next = self.deadlines.borrow().next();
        let mut timeout = match next {
            Some(deadline) => self.clock.deadline_to_sleep_time(deadline).max(0.0),
            None => f64::INFINITY,
        };
        let jump = self.clock.autojump_threshold().filter(|&threshold| threshold < timeout);
        timeout = jump.unwrap_or(timeout);
        if timeout > 0.0 && !self.inbox.try_sleep() {
            return;
        }
        let limit = (timeout < 1e6).then(|| Duration::from_secs_f64(timeout));
        let heard = self.reactor.borrow_mut().wait(limit);
        self.inbox.awake();
        if let (Some(_), false, Some(deadline)) = (jump, heard, next) {
            self.clock.autojump(deadline);
        }
    }

    fn take_in(&self, messages: VecDeque<Message>) {
        for message in messages {
            match message {
                Message::Wake(strand) => self.strands.wake(strand),
                Message::Call(call) => self.calls.borrow_mut().push_back(call),
            }
        }
    }

    /// Makes the calls that are waiting now; those that they queue wait for the next time.
    fn make_calls(&self) -> bool {
        let calls = self.calls.take();
        let any = !calls.is_empty();
        for call in calls {
            call();
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
