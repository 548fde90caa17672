//! The graph: queues, and works that take items from one queue and put them into the next.
//!
//! A series of data is processed in stages, and each stage needs another resource: reading waits for a disk,
//! computing needs a core, saving waits again. A [`Topology`] describes the stages as a graph. An executor
//! then overlaps them, bounds the memory, and carries each error to the end of its own item.
//!
//! ```text
//! one-shot ──► (paths) ──► io: read ──► (arrays) ──► join ──► (couples) ──► cpu: compute ──► …
//!     └──────► (groups) ───────────────────────────────┘
//! ```
//!
//! - A [`Queue<T>`] holds items in order of arrival. An [item](Item) is a [`Key`] and a value of type `T`, or
//!   the [`ItemError`] in place of the value.
//! - A *one-shot* work runs once, before all other works, and fills queues.
//! - A *source* lists a series. It is asked for the next item when its output queue has room.
//! - An *io* or *cpu* work is called once for each item, in a worker thread. The two kinds differ in one thing:
//!   their workers are counted apart, so that a work which waits for a disk takes no place from one that
//!   computes. Such a work may have several outputs (fan-out) and several inputs (fan-in by key), or make many
//!   items of one.
//! - A *task* is called once for each item, too, but its function is async.
//! - A *join* brings the items of several keys together. It moves values and computes nothing.
//! - A *global* work sees its whole queues and takes and puts what it likes.
//!
//! The compiler checks the types of queues and functions. [`Topology::check`] checks the shape of the graph
//! before anything runs.
//!
//! # Where to read
//!
//! 1. `item`, `item_error` and `queue`: the data.
//! 2. `topology`, `each_builder`, `builders`: how a graph is made. `settings`: what it says of one work. `check` and
//!    `problem`: what may be wrong with it.
//! 3. `work`: the traits by which an executor calls a work. `works` implements them, one kind a file.
//! 4. `queue_set`: several queues as one input or output. `progress`: what has become of the items.
//! 5. `drawing`: pictures of a graph. `library`: graphs in TOML. `nearest`: hints at misspelt names.

mod any_queue;
mod builders;
mod check;
mod drawing;
mod each_builder;
mod item;
mod item_error;
mod library;
mod nearest;
mod problem;
mod progress;
mod queue;
mod queue_set;
mod settings;
mod topology;
mod work;
mod works;

pub use builders::{IntoInput, JoinBuilder};
pub use each_builder::{Awaiting, Blocking, EachBuilder};
pub use item::{BoxError, Item, Key};
pub use item_error::ItemError;
pub use library::{DataError, WorkLibrary};
pub use problem::{InvalidTopology, Problem};
pub use queue::Queue;
pub use queue_set::{IntoQueueSet, OutputSet, QueueSet};
pub use settings::TimeLimitExceeded;
pub use topology::{Listed, Topology, WorkInfo};
pub use work::Kind;
pub use works::Moment;

pub(crate) use any_queue::{AnyQueue, QueueId};
pub(crate) use check::check_options;
pub(crate) use item_error::panic_text;
pub(crate) use progress::{KeptErrors, Progress};
pub(crate) use settings::WorkSettings;
pub(crate) use work::{
    Batch, CallContext, CalledWork, Join, OneShotFn, TaskBatch, TaskWork, Work, WorkBody, WorkNode,
};
