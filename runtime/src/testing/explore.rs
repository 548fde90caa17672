//! Running a program under many schedules.
//!
//! A program must not depend on the order in which tasks run that are runnable at the same time. A mistake of that kind
//! shows in one order out of hundreds. This runs the program again and again, each time in another order. Where a batch
//! has several tasks, each order of them is a schedule. It goes through them systematically: if the program has few
//! enough schedules, all of them are tried, and the result says so. If it has more, the rest of the budget goes to
//! schedules chosen at random. A failing schedule is made as simple as possible, and reported with the call that repeats
//! it.
//!
//! The clock is a mock clock that jumps. What comes from outside (threads, sockets, processes) is not explored. Children
//! are polled within their nursery, so the tasks of different nurseries are not mixed within one tick.

use crate::{
    Builder, Error,
    testing::trial::{checked, run_trial},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// How many schedules are tried unless another number is given.
const SCHEDULES: usize = 1000;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explored {
    /// How many schedules were tried.
    pub schedules: usize,
    /// Whether these are all schedules that the program has.
    pub all: bool,
}

/// Runs a program under up to a thousand schedules. For more than that, see [`Explore`].
///
/// # Panics
/// If a schedule fails; see [`Explore::run`].
///
/// ```
/// use std::cell::RefCell;
/// use terzetto::{nursery, testing::explore};
/// let explored = explore(async || {
///     let order = RefCell::new(Vec::new());
///     nursery(async |n| {
///         for name in ["a", "b", "c"] {
///             let order = &order;
///             n.start_soon(async move { Ok(order.borrow_mut().push(name)) });
///         }
///         Ok(())
///     })
///     .await?;
///     assert_eq!(order.borrow().len(), 3);
///     Ok(())
/// });
/// assert!(explored.all && explored.schedules == 6);
/// ```
pub fn explore(program: impl AsyncFn() -> Result<(), Error>) -> Explored {
    Explore::new(program).run()
}

/// A program that is run under many schedules.
///
/// ```should_panic
/// use std::cell::Cell;
/// use terzetto::{checkpoint, nursery, testing::Explore};
/// // Two tasks add one each, but there is a checkpoint between reading and writing.
/// Explore::new(async || {
///     let sum = Cell::new(0);
///     nursery(async |n| {
///         for _ in 0..2 {
///             n.start_soon(async {
///                 let read = sum.get();
///                 checkpoint().await?;
///                 Ok(sum.set(read + 1))
///             });
///         }
///         Ok(())
///     })
///     .await?;
///     assert_eq!(sum.get(), 2);
///     Ok(())
/// })
/// .run();
/// ```
pub struct Explore<'a, M> {
    program: M,
    schedules: usize,
    seed: u64,
    only: Option<Vec<usize>>,
    check: Box<dyn Fn() + 'a>,
}

impl<'a, M: AsyncFn() -> Result<(), Error>> Explore<'a, M> {
    /// A program that is run under up to a thousand schedules. It is called once for each of them.
    pub fn new(program: M) -> Self {
        Explore { program, schedules: SCHEDULES, seed: 0, only: None, check: Box::new(|| ()) }
    }

    /// Tries up to so many schedules. The first half of them is systematic. The other half is at random, if the program
    /// has more schedules than that.
    pub fn schedules(mut self, schedules: usize) -> Self {
        self.schedules = schedules.max(1);
        self
    }

    /// The seed of the schedules at random. The default is zero: each run of the test tries the same ones.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Calls `check` after each run, when everything of the program is gone. It panics if something is wrong.
    pub fn check(mut self, check: impl Fn() + 'a) -> Self {
        self.check = Box::new(check);
        self
    }

    /// Runs one schedule alone: the choices that a failure has named.
    pub fn only(mut self, choices: impl IntoIterator<Item = usize>) -> Self {
        self.only = Some(choices.into_iter().collect());
        self
    }

    /// Runs the program under one schedule after the other.
    ///
    /// # Panics
    /// At the first schedule that fails. It is made simpler first, and told with the call of [`Explore::only`] that
    /// repeats it. A schedule fails if the program panics, returns an error, or never ends, or if the check panics.
    pub fn run(self) -> Explored {
        if let Some(only) = &self.only {
            self.try_schedule(&mut Schedule::systematic(only.clone()));
            return Explored { schedules: 1, all: false };
        }
        // Depth first: each schedule differs from the one before in the last choice that has another option.
        let (mut tried, mut next) = (0, Some(Vec::new()));
        while let Some(choices) = next.take_if(|_| tried == 0 || tried < self.schedules.div_ceil(2)) {
            let mut schedule = Schedule::systematic(choices);
            self.try_schedule(&mut schedule);
            tried += 1;
            next = schedule.following();
        }
        if next.is_none() {
            return Explored { schedules: tried, all: true };
        }
        let mut random = fastrand::Rng::with_seed(self.seed);
        while tried < self.schedules {
            self.try_schedule(&mut Schedule::at_random(random.fork()));
            tried += 1;
        }
        Explored { schedules: tried, all: false }
    }

    fn try_schedule(&self, schedule: &mut Schedule) {
        let Err(failure) = self.run_once(schedule) else { return };
        let (choices, failure) = self.simplify(schedule.choices(), failure);
        let words = choices.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        panic!("the program failed under a certain schedule: {failure}\nto repeat it: .only([{words}])")
    }

    /// Makes a failing schedule simpler: as many tasks as possible run in the order of their wakes.
    fn simplify(&self, mut choices: Vec<usize>, mut failure: String) -> (Vec<usize>, String) {
        for place in (0..choices.len()).rev() {
            // The first option is what is chosen where nothing is planned.
            while choices.last() == Some(&0) {
                choices.pop();
            }
            if place >= choices.len() || choices[place] == 0 {
                continue;
            }
            let mut simpler = choices.clone();
            simpler[place] = 0;
            if let Err(still) = self.run_once(&mut Schedule::systematic(simpler.clone())) {
                (choices, failure) = (simpler, still);
            }
        }
        while choices.last() == Some(&0) {
            choices.pop();
        }
        (choices, failure)
    }

    fn run_once(&self, schedule: &mut Schedule) -> Result<(), String> {
        let made = Rc::new(RefCell::new(std::mem::take(schedule)));
        let chooser = made.clone();
        let builder = Builder::new().chooser(Rc::new(move |options| chooser.borrow_mut().choose(options)));
        let outcome = run_trial(builder, (self.program)(), &Cell::new(false));
        *schedule = made.take();
        outcome.map_err(|failure| failure.to_string())?;
        checked(&self.check)
    }
}

/// The choices of one run.
#[derive(Default)]
struct Schedule {
    /// What is chosen first. After that the first option is taken, or one at random.
    planned: Vec<usize>,
    random: Option<fastrand::Rng>,
    /// Each choice that was made, and how many options there were.
    made: Vec<(usize, usize)>,
}

impl Schedule {
    fn systematic(planned: Vec<usize>) -> Schedule {
        Schedule { planned, ..Schedule::default() }
    }

    fn at_random(random: fastrand::Rng) -> Schedule {
        Schedule { random: Some(random), ..Schedule::default() }
    }

    fn choose(&mut self, options: usize) -> usize {
        let planned = self.planned.get(self.made.len()).copied();
        let chosen = match (planned, &mut self.random) {
            (Some(planned), _) => planned.min(options - 1),
            (None, Some(random)) => random.usize(0..options),
            (None, None) => 0,
        };
        self.made.push((chosen, options));
        chosen
    }

    fn choices(&self) -> Vec<usize> {
        self.made.iter().map(|(chosen, _)| *chosen).collect()
    }

    /// What to choose in the schedule that follows this one, if there is one.
    fn following(mut self) -> Option<Vec<usize>> {
        while let Some((chosen, options)) = self.made.pop() {
            if chosen + 1 < options {
                let mut choices = self.choices();
                choices.push(chosen + 1);
                return Some(choices);
            }
        }
        None
    }
}
