//! Running a program under many schedules.
//!
//! A program must not depend on the order in which tasks run that are runnable at the same time. A mistake of that kind
//! shows in one order out of hundreds. This runs the program again and again, each time in another order. Where a batch
//! has several tasks, each order of them is a schedule. It goes through them systematically: if the program has few
//! enough schedules, all of them are tried, and the result says so. If it has more, the rest of the budget goes to
//! schedules chosen at random, and to schedules by [priorities](Explore::depth), which find certain mistakes sooner. A
//! failing schedule is made as simple as possible, and reported with the call that repeats it.
//!
//! The clock is a mock clock that jumps. Jobs of [`to_thread`](crate::to_thread) are part of the schedule: each takes
//! no time, a millisecond, or a second of that clock, and has all of its effects at the end of it. Tasks that a
//! [simulated network](crate::testing::net) wakes at one instant are in one batch, so their order is explored, too.
//! Real sockets and processes are not. Children are polled within their nursery, so the tasks of different nurseries are
//! not mixed within one tick.
//!
//! # Why no schedule is left out
//!
//! Partial-order reduction (sleep sets, DPOR) tries only one order of two steps that are independent. That needs to know
//! what a step reads and writes. Tasks of one run share ordinary memory: a `Cell` that two of them borrow is enough to
//! make the order matter, and this library never sees such an access. Two steps that touch no lock, channel or queue in
//! common may thus still depend on each other. No independence that this library could compute is sound. So the
//! systematic search is the plain one, and the number of schedules says what it costs.

use crate::{
    Builder, Error,
    testing::{
        schedule::Schedule,
        trial::{checked, run_trial},
    },
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// How many schedules are tried unless another number is given.
const SCHEDULES: usize = 1000;

/// The depth of the mistakes for which schedules by priorities are made, unless another is given.
const DEPTH: usize = 3;

/// How many seconds a job of a thread may take.
const DURATIONS: [f64; 3] = [0.0, 0.001, 1.0];

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
    depth: usize,
    only: Option<Vec<usize>>,
    check: Box<dyn Fn() + 'a>,
}

impl<'a, M: AsyncFn() -> Result<(), Error>> Explore<'a, M> {
    /// A program that is run under up to a thousand schedules. It is called once for each of them.
    pub fn new(program: M) -> Self {
        Explore { program, schedules: SCHEDULES, seed: 0, depth: DEPTH, only: None, check: Box::new(|| ()) }
    }

    /// Tries up to so many schedules. The first half of them is systematic. If the program has more schedules than that,
    /// the others are by turns at random and by [priorities](Explore::depth).
    pub fn schedules(mut self, schedules: usize) -> Self {
        self.schedules = schedules.max(1);
        self
    }

    /// The seed of the schedules at random. The default is zero: each run of the test tries the same ones.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The depth of the mistakes for which schedules by priorities are made. The default is three.
    ///
    /// The depth of a mistake is the number of pairs of steps that must come in a certain order for it to show. Most
    /// have a small one: two, if a task must be late once. In a schedule by priorities each task has a priority drawn at
    /// random, and of a batch the task with the highest one runs first. At `depth - 1` places, drawn at random, the task
    /// that would run next becomes the last of all. So one task can be late for the whole program, which a new draw in
    /// each batch hardly ever brings.
    ///
    /// This is the algorithm PCT (Burckhardt, Kothari, Musuvathi and Nagarakatti, 2010), within what this runtime can do:
    /// each runnable task runs once in each tick, whatever its priority. So the probability that the paper proves does
    /// not carry over.
    ///
    /// # Panics
    /// If the depth is zero.
    pub fn depth(mut self, depth: usize) -> Self {
        assert!(
            depth > 0,
            "the argument `depth` of Explore::depth must not be zero: each mistake has a depth of at least one"
        );
        self.depth = depth;
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
        let (mut tried, mut next, mut longest) = (0, Some(Vec::new()), 0);
        while let Some(choices) = next.take_if(|_| tried == 0 || tried < self.schedules.div_ceil(2)) {
            let mut schedule = Schedule::systematic(choices);
            self.try_schedule(&mut schedule);
            tried += 1;
            longest = longest.max(schedule.length());
            next = schedule.following();
        }
        if next.is_none() {
            return Explored { schedules: tried, all: true };
        }
        let mut random = fastrand::Rng::with_seed(self.seed);
        while tried < self.schedules {
            let mut schedule = match tried % 2 {
                0 => Schedule::at_random(random.fork()),
                _ => Schedule::by_priorities(random.fork(), self.depth, longest),
            };
            self.try_schedule(&mut schedule);
            tried += 1;
            longest = longest.max(schedule.length());
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
        let (chooser, clock) = (made.clone(), made.clone());
        let builder = Builder::new()
            .chooser(Rc::new(move |nodes| {
                chooser.borrow_mut().choose(nodes.len(), |place| nodes.get(place).and_then(|node| node.id()))
            }))
            .simulated_threads(move || DURATIONS[clock.borrow_mut().choose(DURATIONS.len(), |_| None)]);
        let outcome = run_trial(builder, (self.program)(), &Cell::new(false));
        *schedule = made.take();
        outcome.map_err(|failure| failure.to_string())?;
        checked(&self.check)
    }
}
