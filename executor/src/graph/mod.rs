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
//! - A *one-shot* work runs once, before everything else, and fills queues. A *source* lists a
//!   series as far as there is room for it.
//! - An *io* or *cpu* work is called once for each item, in a worker thread. The two kinds differ
//!   only in that their workers are counted apart, so that waiting for a disk never takes a core's
//!   place. It may have several outputs (fan-out: each value goes into its queue) and several inputs
//!   (fan-in: the items of one key are brought together).
//! - A *join* brings the items of several keys together; it moves values and computes nothing.
//! - A *global* work sees its whole queues and does with them what it likes.
//!
//! The types of queues and functions are checked by the compiler when the topology is built; the
//! graph's shape is checked by [`Topology::check`] before anything runs.

mod builders;
mod check;
mod drawing;
mod item;
mod problem;
mod queue;
mod queue_set;
mod topology;
mod work;
mod works;

pub use builders::{EachBuilder, IntoInput, JoinBuilder};
pub(crate) use item::panic_text;
pub use item::{BoxError, Item, ItemError, Key};
pub use problem::{InvalidTopology, Problem};
pub use queue::Queue;
pub use queue_set::{IntoQueueSet, OutputSet, QueueSet};
pub use topology::{Topology, WorkInfo};
pub use work::Kind;
pub use works::Moment;

pub(crate) use queue::{AnyQueue, QueueId};
pub(crate) use queue_set::Ends;
pub(crate) use work::{Body, Hand, Join, OneShotFn, Watch, Work, WorkNode};
