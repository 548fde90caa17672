//! The traits by which an executor calls a work, whatever the types of its items are.
//!
//! A work keeps typed handles of its queues. Towards the executor it has two small traits, which know counts
//! and keys only. So nothing is ever cast back to its type, and no cast can fail.
//!
//! - [`Work`] is the work itself, which all workers share: a [`CalledWork`], whose function runs in threads, or a
//!   [`TaskWork`], whose function is async.
//! - [`Batch`] is what one worker has taken from a work. A worker uses it in three steps: it *takes* items,
//!   *runs* the work's function on them, and *delivers* the values. The first and the last step run under the
//!   scheduler's lock and only move items. The step between calls the user's function.
//!
//! A batch may have several items. If a work needs milliseconds for an item, one item is enough. If it needs
//! nanoseconds, several items share the cost of the lock.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use terzetto::Error;

use super::{BoxError, ItemError, Key, Progress, QueueId, WorkSettings};

/// How a work is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// Runs once, before all other works, on the executor's own thread.
    OneShot,
    /// Lists a series. It is asked for more items when its output has room.
    Source,
    /// Is called for each item, in a worker thread, and mostly waits.
    Io,
    /// Is called for each item, in a worker thread, and mostly computes.
    Cpu,
    /// Is called for each item, on the thread of the loops, and awaited.
    Task,
    /// Is called with its whole queues, whenever something has changed in them.
    Global,
    /// Brings items together, whenever one of them comes.
    Join,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::OneShot => "one-shot",
            Kind::Source => "source",
            Kind::Io => "io",
            Kind::Cpu => "cpu",
            Kind::Task => "task",
            Kind::Global => "global",
            Kind::Join => "join",
        })
    }
}

/// A work as a node of the graph.
pub(crate) struct WorkNode {
    pub name: Arc<str>,
    pub kind: Kind,
    pub inputs: Vec<QueueId>,
    pub outputs: Vec<QueueId>,
    /// How many of the inputs, counted from the first, must be full before the loops start.
    pub filled_first: usize,
    pub settings: WorkSettings,
    pub body: WorkBody,
}

/// The function of a one-shot work, with its queues bound.
pub(crate) type OneShotFn = Box<dyn FnOnce() -> Result<(), BoxError>>;

/// What a work does, by the way in which it is called.
pub(crate) enum WorkBody {
    OneShot(OneShotFn),
    Called(Arc<dyn CalledWork>),
    Task(Arc<dyn TaskWork>),
    Join(Box<dyn Join>),
}

/// What the scheduler asks every work but joins and one-shot works.
pub(crate) trait Work: Send + Sync {
    /// How many items the work could take now: its inputs have them, and its outputs have room.
    fn ready(&self) -> usize;

    /// Does a batch take one item only, however quick the work is?
    fn takes_one_at_a_time(&self) -> bool {
        false
    }

    /// Called when no other work can go on. A global work is now ready for its last call. Returns whether
    /// the work has become ready.
    fn finish(&self) -> bool {
        false
    }

    /// Has a source listed everything?
    fn is_exhausted(&self) -> bool {
        true
    }

    /// Asks a source for at most so many items, and drops their values. `None`: the work is no source.
    ///
    /// # Errors
    /// The iterator has panicked.
    fn list(&self, _most: usize) -> Option<Result<Vec<Key>, ItemError>> {
        None
    }

    /// How many items a work has taken out of its inputs and put into its outputs, if these numbers may differ.
    fn gathered(&self) -> Option<(usize, usize)> {
        None
    }
}

/// A source, an io, a cpu or a global work: it is called in a thread.
pub(crate) trait CalledWork: Work {
    /// An empty batch of this work, for one worker.
    fn new_batch(self: Arc<Self>) -> Box<dyn Batch>;
}

/// A work whose function is async.
pub(crate) trait TaskWork: Work {
    /// An empty batch of this work, for one task of the nursery.
    fn new_batch(self: Arc<Self>) -> Box<dyn TaskBatch>;
}

/// The items that one worker has taken from one work.
pub(crate) trait Batch: Send {
    /// Takes up to `count` items and reserves places for their values. Runs under the scheduler's lock.
    fn take(&mut self, count: usize);

    /// Calls the work's function for each item, and returns the number of calls. Stops early when the run is
    /// about to end.
    fn run(&mut self, context: &dyn CallContext) -> usize;

    /// Puts values and errors into the outputs, and unused items back. Runs under the scheduler's lock.
    fn deliver(&mut self, progress: &mut Progress);
}

/// One item of a task work. As [`Batch`], but its call is awaited. It stays on the thread of the loops.
pub(crate) trait TaskBatch {
    /// Takes an item, and reserves a place for its value. Runs under the scheduler's lock.
    fn take(&mut self);

    /// Calls the work's function, and returns the number of calls. The error is a cancellation.
    fn run<'a>(
        &'a mut self,
        context: &'a dyn CallContext,
    ) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + 'a>>;

    /// Puts the value or the error into the outputs. An item whose call was cancelled is recorded as interrupted.
    /// Runs under the scheduler's lock.
    fn deliver(&mut self, progress: &mut Progress);
}

/// What a batch needs to know while it runs, and whom it tells of each call.
pub(crate) trait CallContext {
    /// May the batch begin the next item?
    fn should_continue(&self) -> bool;
    /// Must the batch call `started` and `finished`?
    fn wants_calls(&self) -> bool;
    fn started(&self, key: &Key);
    fn finished(&self, key: &Key, elapsed: Duration, error: Option<&ItemError>);
    /// The call has failed.
    fn failed(&self, error: &ItemError);
    /// An attempt has failed, and the next one comes after `wait`.
    fn retrying(&self, key: &Key, error: &BoxError, wait: Duration);
    /// Blocks the thread for so long. Returns false, earlier, when the run is about to end.
    fn pause(&self, wait: Duration) -> bool;
}

/// A join. Its methods run under the scheduler's lock and only move values.
pub(crate) trait Join: Send + Sync {
    /// Moves what can be moved. Returns whether anything was.
    fn advance(&self, progress: &mut Progress) -> bool;

    /// Called when no work can go on. Takes one more item than the bound allows, so that items behind it can
    /// pass. Returns whether there was one.
    fn exceed_bound(&self) -> bool;

    /// Called when no work can go on and no join can take more. No further item will come, so an incomplete
    /// group leaves as an error. Returns whether there was one.
    fn fail_incomplete(&self, progress: &mut Progress) -> bool;

    /// The keys of the items that the join holds.
    fn held(&self) -> Vec<Key>;

    fn name(&self) -> &str;
}
