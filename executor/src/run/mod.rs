//! Runs a topology: the executors, their options, and what comes of a run.
//!
//! [`ExecutorAsync`] runs each work as an async loop. All loops live in one nursery, and functions run in worker
//! threads. [`ExecutorSequential`] runs one item after the other and needs no runtime. Nothing outlives a run:
//! when it returns, no worker works for it any more.
//!
//! # Where to read
//!
//! - `options`: what is set before a run. `control`: how it is ended early. `observer`: who is told of it, and
//!   `statistics`: its numbers.
//!   `outcome` and `errors`: what comes of it.
//! - `lifecycle`: what every executor does before and after its works: it checks the graph, makes the job's
//!   folder, runs one-shot works, and makes the outcome.
//! - `executor_async` and its `loops`; `executor_sequential`.
//! - The decisions which work starts next are in `scheduler`, beside this folder.

mod control;
mod errors;
mod executor_async;
mod executor_sequential;
mod lifecycle;
mod loops;
mod observer;
mod options;
mod outcome;
mod statistics;

pub use control::Control;
pub use errors::{OneShotError, Stalled};
pub use executor_async::ExecutorAsync;
pub use executor_sequential::ExecutorSequential;
pub use loops::{ExecutorFunctions, RunLoops, WorkLoop};
pub use observer::Observer;
pub use options::{Options, default_workers};
pub use outcome::{Ending, Gathered, GaveUp, Outcome, Unfinished, Unused};
pub use statistics::{Statistics, WorkStatistics, bottleneck};
