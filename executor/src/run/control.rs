//! Ending a run early.

use std::sync::Weak;

use super::Ending;
use crate::scheduler::Board;

/// Ends a run early, from any thread. Clones end the same run; once it has ended they do nothing.
#[derive(Clone)]
pub struct Control {
    /// Weak, since an observer of the run may hold it.
    pub(super) board: Weak<Board>,
}

impl Control {
    /// Lets running functions finish and starts nothing new. What still waits in queues stays
    /// there. The run ends with [`Ending::Stopped`]. fluidimage's SIGUSR2.
    pub fn stop(&self) {
        self.ask(Ending::Stopped);
    }

    /// Cancels the run's nursery: items that wait for a thread are given up; functions that already
    /// run in one cannot be interrupted and are waited for. The run ends with
    /// [`Ending::Cancelled`]. fluidimage's Ctrl-C.
    pub fn cancel(&self) {
        self.ask(Ending::Cancelled);
    }

    fn ask(&self, ending: Ending) {
        if let Some(board) = self.board.upgrade() {
            board.ask(ending);
        }
    }
}
