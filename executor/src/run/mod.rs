//! Runs a topology.

mod control;
mod executor_async;
mod executor_sequential;
mod lifecycle;
mod loops;
mod observer;
mod options;
mod outcome;

pub use control::Control;
pub use executor_async::ExecutorAsync;
pub use executor_sequential::ExecutorSequential;
pub use observer::{Observer, Statistics};
pub use options::{Options, default_workers};
pub use outcome::{Ending, Gathered, OneShotError, Outcome, Stalled, Unfinished, Unused};
