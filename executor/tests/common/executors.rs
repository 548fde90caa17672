//! A topology on each executor.

use terzetto::Error;
use terzetto_executor::{ExecutorAsync, ExecutorSequential, Options, Outcome, Topology};

/// What runs a topology.
#[derive(Clone, Copy, Debug)]
pub enum On {
    Threads,
    OneThread,
    NoLoop,
}

pub const EVERYWHERE: [On; 3] = [On::Threads, On::OneThread, On::NoLoop];

/// Runs a topology. If a run on a loop hangs, it fails after so many seconds, so that its test does not hang, too.
pub fn execute_within(seconds: f64, topology: Topology, options: Options, on: On) -> Result<Outcome, Error> {
    let executor = match on {
        On::NoLoop => return ExecutorSequential::new(topology, options)?.run(),
        On::Threads => ExecutorAsync::new(topology, options)?,
        On::OneThread => ExecutorAsync::on_one_thread(topology, options)?,
    };
    terzetto::run(terzetto::fail_after(seconds, executor.run()))
}
