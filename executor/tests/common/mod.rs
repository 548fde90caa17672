//! What several tests need.
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

pub mod executors;
pub mod folder;
pub mod gauge;

pub use folder::{Folder, jobs, names};

use terzetto_executor::{Options, Queue, Topology};

/// Options that make queues fill and workers wait.
pub fn small() -> Options {
    Options::new().max_workers(2).queue_limit(4)
}

/// A queue with so many numbers from zero, each with itself as its key.
pub fn numbers(topology: &mut Topology, count: usize) -> Queue<usize> {
    let numbers = topology.queue::<usize>("numbers");
    topology.source("count", &numbers, (0..count).map(|n| (n.to_string(), n)));
    numbers
}
