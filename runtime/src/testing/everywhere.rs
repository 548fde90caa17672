//! Cancelling a program at each of its cancel points, one run for each.
//!
//! Code that is right when nothing goes wrong is often wrong when it is cancelled half-way: a permit is not given back, a
//! message is lost, a child waits for ever. Such a fault hides at one certain `await`. This runs a program once and
//! counts its cancel points: every checkpoint, and every place where an operation blocks. Then it runs the program again
//! for each of them, and cancels it there, drops it there, or lets it panic there. It reports the first case that fails,
//! with the place in the source. Each run has a mock clock that jumps, so time costs nothing, and each run of one case
//! is the same.

use crate::{
    Builder, CancelScope, Error, Task,
    core::{run, task::current::main_task},
    lowlevel::Instrument,
    testing::trial::{TrialFailure, checked, run_trial},
};
use std::{
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    fmt, iter,
    panic::panic_any,
    rc::Rc,
};

/// How many seconds of the run's clock a job of `to_thread` takes, so that each run of one case is the same.
const JOB_DURATION: f64 = 0.001;

/// What happens to a program at one of its cancel points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strike {
    /// The scope around the whole program is cancelled.
    Cancel,
    /// The future of the whole program is dropped, at the end of the tick.
    Drop,
    /// The task that is at the cancel point panics.
    Panic,
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Strike::Cancel => "cancelled",
            Strike::Drop => "dropped",
            Strike::Panic => "made to panic",
        })
    }
}

/// The panic of [`Strike::Panic`].
#[derive(Debug, Clone, Copy)]
struct StruckPanic;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// How many cancel points the program has if nothing strikes it.
    pub points: usize,
    /// How many times it was run.
    pub runs: usize,
}

/// Runs a program once for each of its cancel points, and cancels it there. For more than that, see [`Everywhere`].
///
/// # Panics
/// If a case fails; see [`Everywhere::run`].
///
/// ```
/// use terzetto::{channel, nursery, testing::cancel_everywhere};
/// let coverage = cancel_everywhere(async || {
///     let (sender, receiver) = channel(1);
///     nursery(async |n| {
///         n.start_soon(async { Ok(sender.send("hello").await?) });
///         assert_eq!(receiver.receive().await?, "hello");
///         Ok(())
///     })
///     .await
/// });
/// assert!(coverage.points >= 3 && coverage.runs == coverage.points + 1);
/// ```
pub fn cancel_everywhere(program: impl AsyncFn() -> Result<(), Error>) -> Coverage {
    Everywhere::new(program).run()
}

/// A program that is struck at each of its cancel points. Those of system tasks do not count: they belong to libraries.
///
/// ```
/// use std::cell::Cell;
/// use terzetto::{checkpoint, testing::{Everywhere, Strike}};
/// let held = Cell::new(0);
/// let coverage = Everywhere::new(async || {
///     held.set(held.get() + 1);
///     let outcome = async {
///         checkpoint().await?;
///         Ok(checkpoint().await?)
///     }.await;
///     held.set(held.get() - 1); // also if it was cancelled
///     outcome
/// })
/// .strikes([Strike::Cancel])
/// .check(|| assert_eq!(held.get(), 0, "something is still held"))
/// .run();
/// assert_eq!(coverage.points, 2);
/// ```
pub struct Everywhere<'a, M> {
    program: M,
    strikes: Vec<Strike>,
    pairs: usize,
    only: Option<Vec<(Strike, usize)>>,
    check: Box<dyn Fn() + 'a>,
}

impl<'a, M: AsyncFn() -> Result<(), Error>> Everywhere<'a, M> {
    /// A program that is cancelled everywhere. It is called once for each run.
    pub fn new(program: M) -> Self {
        Everywhere { program, strikes: vec![Strike::Cancel], pairs: 0, only: None, check: Box::new(|| ()) }
    }

    /// What is done at each cancel point, one after the other. The default is [`Strike::Cancel`] alone.
    pub fn strikes(mut self, strikes: impl IntoIterator<Item = Strike>) -> Self {
        self.strikes = strikes.into_iter().collect();
        self
    }

    /// Tries also pairs: a cancellation, and then one of the strikes at each cancel point that the program comes to
    /// afterwards, while it cleans up. Tries at most so many of them.
    pub fn pairs(mut self, budget: usize) -> Self {
        self.pairs = budget;
        self
    }

    /// Calls `check` after each run, when everything of the program is gone. It panics if something is wrong.
    pub fn check(mut self, check: impl Fn() + 'a) -> Self {
        self.check = Box::new(check);
        self
    }

    /// Runs one case alone: what a failure has named. The points are counted from one.
    pub fn only(mut self, case: impl IntoIterator<Item = (Strike, usize)>) -> Self {
        self.only = Some(case.into_iter().collect());
        self
    }

    /// Runs all cases.
    ///
    /// # Panics
    /// At the first case that fails, with the place in the source, and with the call of [`Everywhere::only`] that
    /// repeats it. A case fails if the program panics of itself, returns an error, or never ends, or if the check
    /// panics. A program that is not struck must succeed, too.
    pub fn run(self) -> Coverage {
        if let Some(case) = &self.only {
            self.try_case(case);
            return Coverage { points: 0, runs: 1 };
        }
        let points = self.try_case(&[]);
        let (mut runs, mut after_cancel) = (1, Vec::new());
        for &strike in &self.strikes {
            for point in 1..=points {
                let seen = self.try_case(&[(strike, point)]);
                runs += 1;
                if strike == Strike::Cancel {
                    after_cancel.push((point, seen));
                }
            }
        }
        // A second cancellation of the same scope would do nothing.
        let others: Vec<Strike> =
            self.strikes.iter().copied().filter(|&other| other != Strike::Cancel).collect();
        let mut pairs = Vec::new();
        for (point, seen) in after_cancel {
            for later in point + 1..=seen {
                pairs.extend(others.iter().map(|&other| [(Strike::Cancel, point), (other, later)]));
            }
        }
        for pair in pairs.iter().take(self.pairs) {
            self.try_case(pair);
            runs += 1;
        }
        Coverage { points, runs }
    }

    /// Runs one case. Returns how many cancel points the program came to.
    fn try_case(&self, case: &[(Strike, usize)]) -> usize {
        let (seen, outcome) = self.run_once(case, None);
        let failure = outcome.err().or_else(|| checked(&self.check).err());
        if let Some(failure) = failure {
            self.fail(case, &failure);
        }
        seen
    }

    /// Reports a case that has failed. Runs it again to learn where the cancel points are.
    #[track_caller]
    fn fail(&self, case: &[(Strike, usize)], failure: &str) -> ! {
        let places = RefCell::new(Vec::new());
        let _again = self.run_once(case, Some(&places));
        let mut text = match case {
            [] => "the program fails if nothing is done to it".to_owned(),
            _ => "the program".to_owned(),
        };
        for (index, (strike, point)) in case.iter().enumerate() {
            let joined = if index == 0 { " was" } else { ", and then" };
            text += &format!("{joined} {strike} at its cancel point {point}");
            if let Some(place) = places.borrow().get(index) {
                text += &format!(" ({place})");
            }
        }
        text += &format!(": {failure}");
        if !case.is_empty() {
            let words = case.iter().map(|(strike, point)| format!("(Strike::{strike:?}, {point})"));
            text += &format!("\nto repeat it: .only([{}])", words.collect::<Vec<_>>().join(", "));
        }
        panic!("{text}")
    }

    fn run_once(
        &self,
        case: &[(Strike, usize)],
        places: Option<&RefCell<Vec<String>>>,
    ) -> (usize, Result<(), String>) {
        let state = Rc::new(CaseState::default());
        let scope = CancelScope::new();
        let struck: Rc<RefCell<Vec<String>>> = Rc::default();
        let observer = {
            let (state, scope, case) = (state.clone(), scope.clone(), case.to_vec());
            let struck = places.is_some().then(|| struck.clone());
            move || state.at_cancel_point(&scope, &case, struck.as_deref())
        };
        let program = async {
            run::with(|run| run.tree.watches.observe(Rc::new(observer)));
            scope.run((self.program)()).await.map(drop)
        };
        // With an instrument each tick goes through the run loop, so a drop is not late.
        let builder = Builder::new().instrument(Rc::new(Silent)).simulated_threads(|| JOB_DURATION);
        let outcome = run_trial(builder, program, &state.drop_now).or_else(|failure| match failure {
            TrialFailure::Panicked(payload) if payload.is::<StruckPanic>() => Ok(()),
            failure => Err(failure.to_string()),
        });
        if let Some(places) = places {
            *places.borrow_mut() = struck.take();
        }
        (state.seen.get(), outcome)
    }
}

/// How far a run has come.
#[derive(Default)]
struct CaseState {
    seen: Cell<usize>,
    drop_now: Cell<bool>,
}

impl CaseState {
    fn at_cancel_point(
        &self,
        scope: &CancelScope,
        case: &[(Strike, usize)],
        places: Option<&RefCell<Vec<String>>>,
    ) {
        if !is_in_program() {
            return;
        }
        self.seen.set(self.seen.get() + 1);
        let Some((strike, _)) = case.iter().find(|(_, point)| *point == self.seen.get()) else { return };
        if let Some(places) = places {
            places.borrow_mut().push(place_in_source());
        }
        match strike {
            Strike::Cancel => scope.cancel_with_reason("a test cancels at this point"),
            Strike::Drop => self.drop_now.set(true),
            Strike::Panic => panic_any(StruckPanic),
        }
    }
}

/// Whether the current task is the main task or one below it, and not a system task.
fn is_in_program() -> bool {
    let main = main_task();
    let current = run::with(|run| run.tree.current_task());
    iter::successors(current, Task::parent).any(|task| task == main)
}

/// The nearest function on the stack that is neither of this crate nor of the standard library, with its place.
fn place_in_source() -> String {
    let trace = Backtrace::force_capture().to_string();
    let mut lines = trace.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        let Some((_, function)) = line.split_once(": ") else { continue };
        let library = ["terzetto::", "core::", "std::", "alloc::", "futures_"];
        let is_library = |name: &str| library.iter().any(|prefix| name.starts_with(prefix));
        if is_library(function.trim_start_matches(['<', '&'])) {
            continue;
        }
        return match lines.peek().and_then(|next| next.strip_prefix("at ")) {
            Some(at) => format!("{at}, in {function}"),
            None => format!("in {function}; its line is not known, since there is no debug information"),
        };
    }
    "the place is not known: there is no debug information".to_owned()
}

/// An instrument without hooks.
struct Silent;
impl Instrument for Silent {}
