//! One item after the other, on the caller's thread, without a loop and without a runtime.

use terzetto::Error;

use super::{Control, Observer, Options, Outcome, lifecycle::Prepared, loops::ended_by};
use crate::{
    graph::{InvalidTopology, Topology},
    scheduler::Shift,
};

/// Runs one topology, once, on the caller's thread: last work first, so that one item after the
/// other goes its whole way. fluidimage's `exec_sequential`.
///
/// ```
/// use terzetto_executor::{ExecutorSequential, Options, Topology};
///
/// let mut topology = Topology::new("squares");
/// let numbers = topology.queue::<u64>("numbers");
/// let squares = topology.results::<u64>("squares");
/// topology.source("count", &numbers, (1..=3).map(|n| (n.to_string(), n)));
/// topology.cpu("square", &numbers).to(&squares).each(|_, n| Ok(n * n));
/// let outcome = ExecutorSequential::new(topology, Options::new())?.compute()?;
/// assert_eq!(outcome.done, 3);
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct ExecutorSequential {
    prepared: Prepared,
}

impl ExecutorSequential {
    /// Checks the topology and makes it ready to run. Of the options, those about workers and time
    /// have no meaning here.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`] as [`Topology::check`] tells it.
    pub fn new(topology: Topology, options: Options) -> Result<Self, InvalidTopology> {
        Ok(ExecutorSequential { prepared: Prepared::new(topology, options, "sequential", true)? })
    }

    /// Has `observer` told what happens, beside those told already.
    pub fn observe(&mut self, observer: impl Observer + 'static) {
        self.prepared.observe(observer);
    }

    /// A handle with which the run can be ended early.
    pub fn control(&self) -> Control {
        self.prepared.control()
    }

    /// Runs the one-shot works and then the others, until every queue is empty.
    ///
    /// # Errors
    ///
    /// As [`ExecutorAsync::compute`](super::ExecutorAsync::compute), but for cancellation.
    pub fn compute(self) -> Result<Outcome, Error> {
        let (observers, started) = self.prepared.start()?.split();
        let board = &started.board;
        let mut shift = Shift::uncalled(board);
        board.open(observers);
        while shift.turn() {}
        let ran = ended_by(shift.take_errors());
        drop(shift);
        started.finish(ran)
    }
}
