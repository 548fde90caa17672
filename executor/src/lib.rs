//! terzetto-executor.
#![forbid(unsafe_code)]

pub mod plot;
pub mod results;
pub mod series;
pub mod topology;

pub use topology::{BoxError, InvalidTopology, Item, ItemError, Key, Kind, Problem, Queue, Topology};
