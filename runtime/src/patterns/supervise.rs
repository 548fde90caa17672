//! Supervision: tasks that are begun again when they fail.
//!
//! An error of a task cancels its nursery, since nobody knows what the others can do without it. A supervisor knows: it
//! begins the task again, after a pause. But it does not do so for ever. A task that fails again and again has a cause
//! that another beginning does not remove, so the supervisor has a budget. When that is used up, the supervisor fails
//! itself, and the code above decides.
//!
//! The words are Erlang's. [`Supervisor::one_for_one`] begins only the task again that has failed.
//! [`Supervisor::all_for_one`] cancels and joins the others, and begins all again, for tasks that cannot go on without
//! each other.

use crate::{
    Error,
    core::seconds::Seconds,
    current_time, nursery, sleep,
    time::{Backoff, Delays},
};
use std::{
    cell::RefCell, collections::VecDeque, error::Error as StdError, fmt, panic::Location, pin::Pin, rc::Rc,
};

type Attempt<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

/// Which tasks are begun again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    OneForOne,
    AllForOne,
}

struct Supervised<'a> {
    name: String,
    added_at: &'static Location<'static>,
    begin: Box<dyn Fn() -> Attempt<'a> + 'a>,
}

/// Tasks that are begun again when they fail; Erlang's supervisor.
///
/// | setting | method | without it |
/// |---|---|---|
/// | how often all of them together may be begun again, within which time | [`restarts`](Supervisor::restarts) | 3 times within 5 s, as in Elixir |
/// | the pauses before a task is begun again | [`backoff`](Supervisor::backoff) | 0.1 s, doubled up to 10 s |
///
/// ```
/// use std::cell::Cell;
/// use terzetto::{Error, supervise::Supervisor};
/// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
/// let begun = Cell::new(0);
/// Supervisor::one_for_one()
///     .restarts(5, 60.0)
///     .task("feed", async || {
///         begun.set(begun.get() + 1);
///         if begun.get() < 3 { Err(Error::msg("the line is down")) } else { Ok(()) }
///     })
///     .run()
///     .await?;
/// assert_eq!(begun.get(), 3);
/// # Ok(())
/// # }).unwrap();
/// ```
#[doc(alias = "restart")]
#[must_use = "a supervisor does nothing until it runs"]
pub struct Supervisor<'a> {
    strategy: Strategy,
    tasks: Vec<Supervised<'a>>,
    restarts: usize,
    within: f64,
    backoff: Backoff,
}

/// A supervisor has given up: its tasks have failed more often than it may begin them again.
///
/// The last error is its source, so [`Error::find`] finds what it was.
///
/// ```
/// use terzetto::{Error, supervise::{Supervisor, TooManyRestarts}};
/// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
/// let broken = async || Err(Error::msg("the disk is full"));
/// let error = Supervisor::one_for_one().task("log", broken).run().await.unwrap_err();
/// let gave_up: &TooManyRestarts = error.find().unwrap();
/// assert_eq!((gave_up.task(), gave_up.last_error().to_string().as_str()), ("log", "the disk is full"));
/// # Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct TooManyRestarts {
    task: String,
    restarts: usize,
    within: f64,
    error: Error,
}

impl TooManyRestarts {
    /// The name of the task that failed last; with [`Supervisor::all_for_one`] the names of all.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The error of the last failure; with [`Supervisor::all_for_one`] the group of them.
    pub fn last_error(&self) -> &Error {
        &self.error
    }
}

impl fmt::Display for TooManyRestarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooManyRestarts { task, restarts, within, error } = self;
        write!(f, "{task} failed after {restarts} restarts within {within} s: {error}")
    }
}

impl StdError for TooManyRestarts {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.error)
    }
}

impl<'a> Supervisor<'a> {
    /// A supervisor that begins a task again when it has failed, and leaves the others alone.
    pub fn one_for_one() -> Supervisor<'a> {
        Supervisor::new(Strategy::OneForOne)
    }

    /// A supervisor that cancels and joins all tasks when one has failed, and then begins all again, also those that
    /// had ended well.
    pub fn all_for_one() -> Supervisor<'a> {
        Supervisor::new(Strategy::AllForOne)
    }

    fn new(strategy: Strategy) -> Supervisor<'a> {
        Supervisor {
            strategy,
            tasks: Vec::new(),
            restarts: 3,
            within: 5.0,
            backoff: Backoff::exponential(0.1).at_most(10),
        }
    }

    /// Adds a task. `begin` is called for each beginning, and may borrow from the frame. A task that ends well is not
    /// begun again.
    #[track_caller]
    pub fn task<F>(mut self, name: impl Into<String>, begin: F) -> Supervisor<'a>
    where
        F: AsyncFn() -> Result<(), Error> + 'a,
    {
        let begin = Rc::new(begin);
        let begin = Box::new(move || {
            let begin = begin.clone();
            Box::pin(async move { begin().await }) as Attempt<'a>
        });
        self.tasks.push(Supervised { name: name.into(), added_at: Location::caller(), begin });
        self
    }

    /// Allows at most so many restarts of all tasks together within any `seconds`.
    ///
    /// # Panics
    /// If `seconds` is negative or NaN.
    pub fn restarts(self, at_most: usize, seconds: impl Seconds) -> Supervisor<'a> {
        Supervisor { restarts: at_most, within: seconds.checked_seconds("seconds"), ..self }
    }

    /// Sets the pauses before restarts. Each task has its own: the first failure leads to the first delay of `backoff`,
    /// the next one to the next delay. They begin with the first delay again when the task has run for the seconds of
    /// [`restarts`](Supervisor::restarts) before it failed. (With [`Supervisor::all_for_one`] all tasks count as one.)
    ///
    /// ```
    /// use terzetto::{supervise::Supervisor, time::Backoff};
    /// let supervisor = Supervisor::one_for_one().backoff(Backoff::exponential(0.5).at_most(30).jitter(0.5));
    /// # drop(supervisor);
    /// ```
    pub fn backoff(self, backoff: Backoff) -> Supervisor<'a> {
        Supervisor { backoff, ..self }
    }

    /// Runs the tasks until all have ended well. Each restart is logged at the level `warn`.
    ///
    /// # Cancellation
    /// As of a [nursery](nursery()). A task that fails because it is cancelled is not begun again, nor is one with a
    /// Ctrl-C.
    ///
    /// # Errors
    /// A group with a [`TooManyRestarts`] if the budget is used up. Then the other tasks are cancelled and joined.
    ///
    /// # Panics
    /// If a task panics, when all have ended. A panic is a defect, and another beginning does not remove it.
    pub async fn run(self) -> Result<(), Error> {
        match self.strategy {
            Strategy::OneForOne => self.run_each().await,
            Strategy::AllForOne => self.run_all().await,
        }
    }

    async fn run_each(&self) -> Result<(), Error> {
        let budget = &Budget::default();
        nursery(async move |n| {
            for task in &self.tasks {
                n.start_soon_for(task.name.clone(), task.added_at, async move {
                    let mut pauses = Pauses::new(&self.backoff);
                    loop {
                        let Err(error) = (task.begin)().await else { return Ok(()) };
                        self.pause(&task.name, error, budget, &mut pauses).await?;
                    }
                });
            }
            Ok(())
        })
        .await
    }

    async fn run_all(&self) -> Result<(), Error> {
        let (budget, mut pauses) = (Budget::default(), Pauses::new(&self.backoff));
        let names = self.tasks.iter().map(|task| &*task.name).collect::<Vec<_>>().join(", ");
        loop {
            let all = nursery(async |n| {
                for task in &self.tasks {
                    n.start_soon_for(task.name.clone(), task.added_at, (task.begin)());
                }
                Ok(())
            });
            let Err(error) = all.await else { return Ok(()) };
            self.pause(&names, error, &budget, &mut pauses).await?;
        }
    }

    /// Handles a failure: waits until it is time to begin again, or returns the error that ends the supervisor.
    async fn pause(
        &self,
        name: &str,
        error: Error,
        budget: &Budget,
        pauses: &mut Pauses<'_>,
    ) -> Result<(), Error> {
        if error.cancelled().is_some() || error.is_interrupted() {
            return Err(error);
        }
        let now = current_time();
        if budget.used(now - self.within) >= self.restarts {
            let (task, restarts, within) = (name.to_owned(), self.restarts, self.within);
            return Err(TooManyRestarts { task, restarts, within, error }.into());
        }
        budget.use_one(now);
        let pause = pauses.next(now - self.within);
        // Jitter has more digits than anybody wants to read.
        let milliseconds = (pause * 1000.0).round();
        log::warn!("{name} has failed, and begins again in {} s: {error}", milliseconds / 1000.0);
        sleep(pause).await?;
        pauses.begun_at = current_time();
        Ok(())
    }
}

/// The times at which restarts were allowed.
#[derive(Default)]
struct Budget(RefCell<VecDeque<f64>>);

impl Budget {
    /// How many there were since a time. Forgets those before.
    fn used(&self, since: f64) -> usize {
        let mut times = self.0.borrow_mut();
        while times.front().is_some_and(|&time| time < since) {
            times.pop_front();
        }
        times.len()
    }

    fn use_one(&self, now: f64) {
        self.0.borrow_mut().push_back(now);
    }
}

/// The pauses of one task.
struct Pauses<'s> {
    backoff: &'s Backoff,
    delays: Delays,
    /// When the task was begun last.
    begun_at: f64,
}

impl<'s> Pauses<'s> {
    fn new(backoff: &'s Backoff) -> Pauses<'s> {
        Pauses { backoff, delays: backoff.delays(), begun_at: current_time() }
    }

    /// The next pause, or the first one if the task has run well since `since`.
    fn next(&mut self, since: f64) -> f64 {
        if self.begun_at < since {
            self.delays = self.backoff.delays();
        }
        self.delays.next().expect("delays have no end")
    }
}

impl fmt::Debug for Supervisor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.tasks.iter().map(|task| &*task.name).collect();
        f.debug_struct("Supervisor")
            .field("strategy", &self.strategy)
            .field("tasks", &names)
            .finish_non_exhaustive()
    }
}
