//! What is to be done, as data: queues, and works that take items from one queue and put them into
//! the next.
//!
//! Scientific image series are processed in stages with very different needs: reading waits for a
//! disk, computing wants a core, saving waits again. Saying the stages once, as a graph, leaves it
//! to an executor to overlap them, to bound memory, and to carry each error to the end of its own
//! item without disturbing the others.
//!
//! ```text
//! one-shot ──► (paths) ──► io: read ──► (arrays) ──► join ──► (couples) ──► cpu: compute ──► …
//!     └──────► (groups) ───────────────────────────────┘
//! ```
//!
//! - A [`Queue<T>`] holds items in order of arrival: a [`Key`] and a value of type `T`, or the
//!   [`ItemError`] that befell it.
//! - A *one-shot* work runs once, before everything else, and fills queues.
//! - An *io* or *cpu* work is called once for each item, in a worker thread. The two kinds differ
//!   only in that their workers are counted apart, so that waiting for a disk never takes a core's
//!   place.
//! - A *join* brings the items of several keys together; it moves values and computes nothing.
//!
//! The types of queues and functions are checked by the compiler when the topology is built; the
//! graph's shape is checked by [`Topology::check`] before anything runs.

mod build;
mod check;
mod dot;
mod item;
mod join;
mod queue;
mod work;

pub use build::{EachBuilder, IntoQueueSet, JoinBuilder, Topology};
pub use check::{InvalidTopology, Problem};
pub(crate) use item::panic_text;
pub use item::{BoxError, Item, ItemError, Key};
pub use queue::{Queue, QueueSet};
pub use work::Kind;

pub(crate) use queue::{AnyQueue, QueueId};
pub(crate) use work::{Begun, Body, Delivery, Job, Join, MultiShot, WorkNode};
