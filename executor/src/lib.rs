//! Topologies of works, run as async loops in one nursery: fluidimage's `ExecutorAsync` in Rust.
//!
//! A long computation on many items is rarely one function: files are read, arrays are computed,
//! results are written, and each step wants another resource. A [`Topology`] says what there is to do
//! as data: keyed [queues](Queue), and works that move items from one queue to the next. It is checked
//! before it runs, and can be drawn. [`ExecutorAsync`] runs it: first the one-shot works, which fill
//! queues; then each other work as an async loop in one nursery of [`terzetto`]. A loop waits until
//! its input has an item, a worker is free and its output has room; then the item's function runs in
//! a worker thread. All waiting is on events, nothing polls.
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
//! # Errors
//!
//! An item is a key and a value or an error. An error passes later works untouched, down to the end of
//! its key's way, where it is counted; the other items go on. With
//! [`stop_if_error`](Options::stop_if_error) the first error ends the run instead. A panic in a work
//! is its item's error.
//!
//! # fluidimage's names
//!
//! [`executor`] has a table of the executor's pieces. Of topologies:
//!
//! | fluidimage | here |
//! |---|---|
//! | a queue, a dictionary | [`Queue`] |
//! | a work of kind `one shot` | [`Topology::one_shot`]; if it only lists a series, [`Topology::source`] |
//! | a work of kind `io`; of no kind | [`Topology::io`]; [`Topology::cpu`] |
//! | a `global` work | [`Topology::global`] |
//! | a `global` work that makes couples | [`Topology::join`] |
//! | a tuple of input queues | a tuple of references: `topology.cpu("add", (&a, &b))` |
//! | `eat_key_value` | every function is given the key |
//! | `saving.how` | [`results::Saving`] |
//! | `complete`, which looks whether files are there | [`results::ResultsCheck`], which looks whether they are whole and of the same parameters |
//! | `job_<time>_<pid>/` | [`results::JobFolder`] |
//! | `create_default_params`, `params.xml` | [`params::Params`], [`params::DEFAULTS`] |
//! | `ind_start`, `ind_stop`, `ind_step`; `strcouple` | [`series::IndexRange`]; [`series::CoupleRule`] |
//! | topologies for PIV, BOS; preprocessing; mean image | [`topologies::piv`]; [`topologies::preprocess`]; [`topologies::mean`] |
//!
//! # Where to read
//!
//! `topology/` is what there is to do, `executor/` runs it, `results/` keeps what comes of it,
//! `processes/` spreads it over several processes. `series/`, `params/`, `plot/` and `topologies/` are
//! what the program `terzetto` (in `program/`) needs for images.
#![forbid(unsafe_code)]

pub mod fluidimage;
pub mod graph;
pub mod job;
pub mod processes;
pub mod results;
pub mod run;
mod scheduler;
mod shard;

pub use graph::{BoxError, InvalidTopology, Item, ItemError, Key, Kind, Moment, Problem, Queue, Topology};
pub use run::{
    Control, Ending, ExecutorAsync, ExecutorSequential, Gathered, Observer, OneShotError, Options, Outcome,
    Stalled, Statistics, Unfinished, Unused,
};
pub use shard::{Shard, ShardError};
