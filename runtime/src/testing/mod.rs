//! For tests: a clock that the test owns, waiting until nothing happens, steps in order, and looking
//! whether code is a checkpoint.

mod checkpoints;
mod clock;
mod idle;
mod sequencer;

pub use checkpoints::{assert_checkpoints, assert_no_checkpoints};
pub use clock::MockClock;
pub use idle::wait_all_tasks_blocked;
pub use sequencer::{Sequencer, SequencerError};
