//! A dataflow library: a graph of queues and works, run as async loops in one nursery.
//!
//! It is for long computations on many items, such as a series of images: read files, compute, save. Each step
//! needs another resource, and each item can fail by itself. The library overlaps the steps, bounds the memory, and
//! carries each error to the end of its own item.
//!
//! You describe the graph with a [`Topology`]: [queues](Queue) of keyed items, and works that take items from one
//! queue and put them into the next. It is checked before it runs, and can be drawn. [`ExecutorAsync`] runs it on
//! [`terzetto`]: first the one-shot works, then each other work as a loop in one nursery. A function runs in a
//! worker thread when its input has an item, a worker is free, and its output has room. Nothing polls.
//!
//! ```
//! use terzetto_executor::{ExecutorAsync, Options, Topology};
//!
//! let mut topology = Topology::new("words");
//! let names = topology.queue::<&'static str>("names");
//! let texts = topology.queue::<String>("texts");
//! let lengths = topology.results::<usize>("lengths");
//! topology.one_shot("list", (), &names, |(), names| {
//!     for name in ["ada", "grace"] { names.push(name, name); }
//!     Ok(())
//! });
//! topology.io("read", &names).to(&texts).each(|_key, name| Ok(format!("hello {name}")));
//! topology.cpu("measure", &texts).to(&lengths).each(|_key, text| Ok(text.len()));
//!
//! let executor = ExecutorAsync::new(topology, Options::new().max_workers(2))?;
//! terzetto::run(executor.run())?;
//! let mut found: Vec<_> = lengths.drain().into_iter().map(|(key, length)| (key.to_string(), length)).collect();
//! found.sort_by(|a, b| a.0.cmp(&b.0));
//! assert!(matches!(&found[0], (key, Ok(9)) if key == "ada"));
//! # Ok::<(), terzetto::Error>(())
//! ```
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | item | a key, and a value or the error in its place |
//! | to arrive | of an item: to reach the end of the graph, a queue of results or a work without output |
//! | work | a node of the graph that takes items and makes items |
//! | worker | what calls functions of works: a task of the nursery, in a thread of its own |
//! | run | one execution of one topology |
//! | job | the record of a run in a folder |
//! | part, shard | some of the items of a series, for one process of several |
//! | task | of a cluster: one of the processes that its scheduler starts |
//!
//! # Errors
//!
//! An error or a panic of a work takes the place of the item. Later works pass it on unchanged, and the other items
//! go on. With [`stop_if_error`](Options::stop_if_error), the first error ends the run.
//!
//! # Where next
//!
//! - [`graph`]: queues and works. [`run`]: executors, options, outcomes. `scheduler`, which is private, decides which
//!   work starts.
//! - [`gantt`]: a chart of which work ran when. [`job`]: the record of a run. [`results`]: files that are whole, and manifests that say what they were made of.
//! - [`processes`]: a series computed by several processes, each with a [`Shard`] of it.
//! - [`fluidimage`]: for readers who know the Python library that this one follows.
//!
//! The crate knows nothing of images. The program `terzetto` (crate `terzetto-program`) uses it for them.
#![forbid(unsafe_code)]

mod cluster;
pub mod fluidimage;
pub mod gantt;
pub mod graph;
pub mod job;
mod parts;
pub mod processes;
pub mod results;
pub mod run;
mod scheduler;
mod shard;

pub use cluster::{ClusterTask, Parts};
pub use graph::{
    BoxError, InvalidTopology, Item, ItemError, Key, Kind, Moment, Problem, Queue, TimeLimitExceeded,
    Topology,
};
pub use parts::{PartsError, agree_on_parts};
pub use run::{
    Control, Ending, ExecutorAsync, ExecutorSequential, Gathered, GaveUp, Observer, OneShotError, Options,
    Outcome, Stalled, Statistics, Unfinished, Unused, WorkStatistics, bottleneck,
};
pub use shard::{Shard, ShardError};

// The program in the README is one of the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
