//! Running a program in simulated networks of many seeds.

use crate::{
    Builder, Error,
    testing::{
        net::{Network, Report},
        trial::{checked, run_trial},
    },
};
use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

/// How many seeds are tried unless another number is given.
const SEEDS: u64 = 100;

/// The longest time that a job of `to_thread` takes, in seconds of the run's clock.
const LONGEST_JOB: f64 = 0.01;

/// What was tried.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Simulated {
    /// How many runs there were.
    pub runs: u64,
    /// The faults of all runs.
    pub report: Report,
    /// How many packets have arrived and faults have come, in all runs.
    pub events: u64,
    /// A number that stands for the traces of all runs.
    pub fingerprint: u64,
}

/// A program that is run in a simulated network, once for each seed.
///
/// Each run has a mock clock that jumps. The seed also decides the order of tasks that are runnable at the same time, and
/// when each job of [`to_thread`](crate::to_thread) is done: such jobs run one at a time, on the mock clock.
///
/// ```
/// use terzetto::{nursery, io::*, testing::net::{Link, Network, Simulation}};
/// let simulated = Simulation::new(async |network: &Network| {
///     network.set_link(Link::new().latency(0.01..=0.05).loss(0.1));
///     nursery(async |n| {
///         let serve = async || {
///             let stream = TcpListener::bind(([0, 0, 0, 0], 80))?.accept().await?;
///             Ok(stream.send_all(b"hello").await?)
///         };
///         let server = network.host("server");
///         n.start_soon(async move { server.serve(serve).await });
///         network.host("client").run(async {
///             let stream = open_tcp_stream("server", 80).await?;
///             assert_eq!(stream.receive_some(&mut [0; 16]).await?, 5);
///             Ok(())
///         }).await
///     }).await
/// })
/// .seeds(0..20)
/// .run();
/// assert_eq!(simulated.runs, 20);
/// ```
pub struct Simulation<'a, M> {
    program: M,
    seeds: Range<u64>,
    only: Option<u64>,
    twice: bool,
    check: Box<dyn Fn() + 'a>,
}

impl<'a, M: AsyncFn(&Network) -> Result<(), Error>> Simulation<'a, M> {
    /// A program that is run with the seeds from 0 to 99. It is called once for each.
    pub fn new(program: M) -> Self {
        Simulation { program, seeds: 0..SEEDS, only: None, twice: false, check: Box::new(|| ()) }
    }

    /// The seeds to try.
    pub fn seeds(mut self, seeds: Range<u64>) -> Self {
        self.seeds = seeds;
        self
    }

    /// Runs one seed alone: what a failure has named. It is not checked then that all faults happen.
    pub fn only(mut self, seed: u64) -> Self {
        self.only = Some(seed);
        self
    }

    /// Runs each seed twice, and compares the traces. They differ if the program depends on something that the seed
    /// does not decide: the system's clock, the order of a `HashMap`, threads that the program makes itself.
    pub fn twice(mut self) -> Self {
        self.twice = true;
        self
    }

    /// Calls `check` after each run, when everything of the program is gone. It panics if something is wrong.
    pub fn check(mut self, check: impl Fn() + 'a) -> Self {
        self.check = Box::new(check);
        self
    }

    /// Runs the program with one seed after the other.
    ///
    /// # Panics
    /// At the first seed that fails, with the call of [`Simulation::only`] that repeats it. A run fails if the program
    /// panics, returns an error, or never ends, or if the check panics. Also if a fault that was asked for has not had
    /// an effect in any of the runs.
    pub fn run(self) -> Simulated {
        let seeds = match self.only {
            Some(seed) => seed..seed + 1,
            None => self.seeds.clone(),
        };
        let mut all = Simulated { runs: 0, report: Report::default(), events: 0, fingerprint: 0 };
        for seed in seeds {
            let one = self.run_once(seed);
            if self.twice {
                let again = self.run_once(seed);
                compare(seed, &one.trace, &again.trace, one.fingerprint == again.fingerprint);
            }
            all.runs += 1;
            all.report.add(&one.report);
            all.events += one.events;
            all.fingerprint = all.fingerprint.rotate_left(1) ^ one.fingerprint;
        }
        if self.only.is_none()
            && let Err(missing) = all.report.all_happened()
        {
            panic!("the simulation has not tested what it was to test, in {} runs: {missing}", all.runs);
        }
        all
    }

    fn run_once(&self, seed: u64) -> OneRun {
        let made = RefCell::new(None);
        let program = async {
            let network = Network::install(seed)?;
            if self.twice {
                network.record_trace();
            }
            *made.borrow_mut() = Some(network.clone());
            (self.program)(&network).await
        };
        let durations = RefCell::new(fastrand::Rng::with_seed(seed));
        let builder =
            Builder::new().seed(seed).simulated_threads(move || durations.borrow_mut().f64() * LONGEST_JOB);
        let outcome = run_trial(builder, program, &Cell::new(false));
        let failure = match outcome {
            Err(failure) => Some(failure.to_string()),
            Ok(()) => checked(&self.check).err(),
        };
        if let Some(failure) = failure {
            panic!("the program failed in a simulated network: {failure}\nto repeat it: .only({seed})");
        }
        let network = made.take();
        let network = network.as_ref();
        OneRun {
            report: network.map(Network::report).unwrap_or_default(),
            trace: network.map(Network::trace).unwrap_or_default(),
            events: network.map_or(0, Network::events),
            fingerprint: network.map_or(0, Network::fingerprint),
        }
    }
}

/// What is left of one run.
struct OneRun {
    report: Report,
    trace: Vec<String>,
    events: u64,
    fingerprint: u64,
}

/// Compares the traces of two runs with one seed.
fn compare(seed: u64, one: &[String], again: &[String], equal: bool) {
    if equal && one == again {
        return;
    }
    let same = one.iter().zip(again).take_while(|(one, again)| one == again).count();
    let line = |trace: &[String]| trace.get(same).cloned().unwrap_or_else(|| "nothing".to_owned());
    panic!(
        "two runs with the seed {seed} differ after {same} events: one has {:?}, and the other has {:?}",
        line(one),
        line(again)
    );
}
