//! The executor without loops: one item after the other, on the caller's thread.

use terzetto::Error;

use super::{Control, Observer, Options, Outcome, lifecycle::PreparedRun, loops::into_result};
use crate::{
    graph::{InvalidTopology, Topology},
    scheduler::Worker,
};

/// Runs one topology, once, on the caller's thread. The last work that may start comes first, so one item after
/// the other goes its whole way.
///
/// ```
/// use terzetto_executor::{ExecutorSequential, Options, Topology};
///
/// let mut topology = Topology::new("squares");
/// let numbers = topology.queue::<u64>("numbers");
/// let squares = topology.results::<u64>("squares");
/// topology.source("count", &numbers, (1..=3).map(|n| (n.to_string(), n)));
/// topology.cpu("square", &numbers).to(&squares).each(|_, n| Ok(n * n));
/// let outcome = ExecutorSequential::new(topology, Options::new())?.run()?;
/// assert_eq!(outcome.done, 3);
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct ExecutorSequential {
    prepared: PreparedRun,
}

impl ExecutorSequential {
    /// Checks the topology and prepares the run. The options about workers and time have no effect here.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`], as from [`Topology::check`], or if a work is a task: nothing here can await.
    pub fn new(topology: Topology, options: Options) -> Result<Self, InvalidTopology> {
        Ok(ExecutorSequential { prepared: PreparedRun::new(topology, options, "sequential", true, false)? })
    }

    /// Adds an observer, which is told what happens in the run.
    pub fn observe(&mut self, observer: impl Observer + 'static) {
        self.prepared.observe(observer);
    }

    /// A handle that can end the run early.
    pub fn control(&self) -> Control {
        self.prepared.control()
    }

    /// Runs the one-shot works and then the others, until every queue is empty.
    ///
    /// # Errors
    ///
    /// As [`ExecutorAsync::run`](super::ExecutorAsync::run), except for cancellation.
    pub fn run(self) -> Result<Outcome, Error> {
        let mut started = self.prepared.start()?;
        let observers = started.take_observers();
        let mut worker = Worker::unrequested(&started.scheduler);
        started.scheduler.open(observers);
        while worker.step() {}
        let ran = into_result(worker.take_errors());
        drop(worker);
        started.finish(ran)
    }
}
