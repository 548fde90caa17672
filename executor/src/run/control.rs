//! Ending a run early.

use std::sync::Weak;

use super::Ending;
use crate::scheduler::Scheduler;

/// Ends a run early, from any thread. Clones end the same run. Once the run has ended, they do nothing.
#[derive(Clone)]
pub struct Control {
    /// Weak, because an observer of the run may hold it.
    pub(super) scheduler: Weak<Scheduler>,
}

impl Control {
    /// Lets running functions finish and starts nothing new. Items that wait in queues stay there. The run ends
    /// with [`Ending::Stopped`].
    pub fn stop(&self) {
        self.end_early(Ending::Stopped);
    }

    /// Cancels the run's nursery. A worker that waits for a thread gives up. A function that runs in a thread
    /// cannot be interrupted; the run waits for it. The run ends with [`Ending::Cancelled`].
    pub fn cancel(&self) {
        self.end_early(Ending::Cancelled);
    }

    fn end_early(&self, ending: Ending) {
        if let Some(scheduler) = self.scheduler.upgrade() {
            scheduler.end_early(ending);
        }
    }
}
