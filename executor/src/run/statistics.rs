//! Numbers of a run, while it runs and after it.

use std::time::Duration;

use crate::graph::Kind;

/// A work with this load is busy nearly all the time.
const BUSY: f64 = 0.8;

/// What a run does at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many workers run items of io works.
    pub io_workers: usize,
    /// How many workers run items of cpu works.
    pub cpu_workers: usize,
    /// How many items wait in each queue.
    pub waiting: Vec<(String, usize)>,
    /// How many items have arrived with a value.
    pub done: usize,
    /// How many items have arrived as errors.
    pub failed: usize,
    /// What each work has done so far, in the direction of flow.
    pub works: Vec<WorkStatistics>,
}

/// What a work has done.
///
/// ```
/// use terzetto_executor::{ExecutorSequential, Options, Topology};
///
/// let mut topology = Topology::new("squares");
/// let numbers = topology.queue::<u64>("numbers");
/// topology.source("count", &numbers, (1..=3).map(|n| (n.to_string(), n)));
/// topology.cpu("square", &numbers).each(|_, n| if n == 2 { Err("two".into()) } else { Ok(()) });
/// let outcome = ExecutorSequential::new(topology, Options::new())?.run()?;
/// let square = &outcome.works[1];
/// assert_eq!((&*square.work, square.calls, square.failed), ("square", 3, 1));
/// assert!(square.mean().is_some());
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WorkStatistics {
    /// The work's name.
    pub work: String,
    /// How it is run.
    pub kind: Kind,
    /// How many calls have ended. A source is called for each item that it lists, and once more at its end.
    pub calls: u64,
    /// How many of them have failed.
    pub failed: u64,
    /// How many attempts have failed and were made again: see [`retry`](crate::graph::EachBuilder::retry). They belong to the same call.
    pub retries: u64,
    /// How long all calls took together. Calls that run at the same time count each.
    pub busy: Duration,
    /// How many workers run the work now.
    pub running: usize,
    /// How many workers may run it at once.
    pub max_workers: usize,
    /// How many items wait for it now.
    pub waiting: usize,
    /// How long an item has waited for it on average, from the end of the work before. It is computed from the
    /// lengths of the queues, which are looked at once in each
    /// [`statistics_period`](super::Options::statistics_period). `None` if nobody has looked, as in
    /// [`ExecutorSequential`](super::ExecutorSequential).
    pub mean_wait: Option<Duration>,
}

impl WorkStatistics {
    /// How long a call took on average.
    pub fn mean(&self) -> Option<Duration> {
        (self.calls > 0).then(|| self.busy.div_f64(self.calls as f64))
    }

    /// Which part of the time the work was busy, from 0 to about 1: 1 means that as many calls ran all the time as
    /// may run at once. `elapsed` is the time since the run began.
    pub fn load(&self, elapsed: Duration) -> f64 {
        let possible = elapsed.as_secs_f64() * self.max_workers as f64;
        if possible > 0.0 { self.busy.as_secs_f64() / possible } else { 0.0 }
    }

    /// Says in one line, for people, how busy the work was and what that means for a run that it
    /// [holds up](bottleneck). `elapsed` is the time since the run began.
    pub fn describe_load(&self, elapsed: Duration) -> String {
        let load = self.load(elapsed);
        let mut text = format!(
            "{}, busy {:.0} % of the time, {:.1} ms a call, {} waiting",
            self.work,
            100.0 * load,
            1000.0 * self.mean().unwrap_or_default().as_secs_f64(),
            self.waiting
        );
        text.push_str(&match (self.kind, load) {
            (Kind::Source | Kind::Global, BUSY..) => {
                "; it runs one call at a time, nearly always, and the others wait for it".to_owned()
            }
            (_, BUSY..) if self.max_workers == 1 => {
                "; only one call may run at a time, and one runs nearly always".to_owned()
            }
            (_, BUSY..) => {
                format!("; nearly always all {} calls run that may run at once", self.max_workers)
            }
            _ => "; no work is busy all the time, so cores, disks, or short queues limit the run".to_owned(),
        });
        text
    }
}

/// The work that holds the others up: the one with the greatest [load](WorkStatistics::load). More workers, or less
/// to do in this work, would make the run faster. `None` if nothing was called.
pub fn bottleneck(works: &[WorkStatistics]) -> Option<&WorkStatistics> {
    let load = |work: &WorkStatistics| work.busy.as_secs_f64() / work.max_workers.max(1) as f64;
    works.iter().filter(|work| work.calls > 0).max_by(|a, b| load(a).total_cmp(&load(b)))
}
