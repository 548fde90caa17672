//! terzetto-executor.
#![forbid(unsafe_code)]

pub mod executor;
pub mod plot;
pub mod results;
pub mod series;
pub mod topologies;
pub mod topology;

pub use executor::{Control, Ending, ExecutorAsync, Observer, OneShotError, Options, Outcome, Stalled};
pub use topology::{BoxError, InvalidTopology, Item, ItemError, Key, Kind, Problem, Queue, Topology};
