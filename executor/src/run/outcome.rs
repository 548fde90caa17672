//! What has come of a run.

use std::{fmt, time::Duration};

use super::{WorkStatistics, bottleneck};
use crate::graph::{ItemError, Key};

/// What has come of a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Why the run ended.
    pub ending: Ending,
    /// How many items arrived at the end of the graph with a value.
    pub done: usize,
    /// How many items arrived as errors.
    pub failed_count: usize,
    /// The items that arrived as errors, in order of arrival. Of very many, only the first are
    /// [kept](super::Options::errors_kept); [`failed_count`](Outcome::failed_count) counts all.
    ///
    /// Behind them are the errors that a global work took out of its queues and did not pass on. Each of these
    /// is under the key on which its work failed. An error of a source or a global work is here under the name
    /// of the work.
    pub failed: Vec<(Key, ItemError)>,
    /// The errors of sources and global works. They are not about one item, and may cost any number of items. A
    /// run with such an error ends as [`Ending::Failed`]. Of very many, only the first are
    /// [kept](super::Options::errors_kept).
    pub errors: Vec<ItemError>,
    /// How many errors of sources and global works there were. Each of them is in
    /// [`failed_count`](Outcome::failed_count), too.
    pub errors_count: usize,
    /// Values that a join removed, because no group wanted them or because their key came a second time.
    pub unused: Vec<Unused>,
    /// Items that had not arrived when the run ended early. It is empty after a run that was not ended early.
    pub unfinished: Vec<Unfinished>,
    /// How many items each global work took and made, and each work with
    /// [`flat_map`](crate::graph::EachBuilder::flat_map). Such a work may drop items, and this shows it.
    pub gathered: Vec<Gathered>,
    /// How many of the [expected](super::Options::expected_results) items have not arrived.
    pub missing: usize,
    /// What each work has done, in the direction of flow.
    pub works: Vec<WorkStatistics>,
    /// Why the run has stopped by itself, if it has.
    pub gave_up: Option<GaveUp>,
    /// How long the run took.
    pub elapsed: Duration,
}

impl Outcome {
    /// Has every item arrived with a value?
    pub fn is_complete(&self) -> bool {
        self.ending == Ending::Finished
            && self.failed_count == 0
            && self.unused.is_empty()
            && self.unfinished.is_empty()
            && self.missing == 0
    }

    /// The work that has held the others up: see [`bottleneck`].
    pub fn bottleneck(&self) -> Option<&WorkStatistics> {
        bottleneck(&self.works)
    }
}

/// A value that no work wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unused {
    /// The join that removed it.
    pub work: String,
    /// The item's key.
    pub key: Key,
}

/// Items that had not arrived when a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfinished {
    /// The queue in which they wait, the join that holds them, the task whose calls were cancelled, or the source
    /// that had not listed all.
    pub at: String,
    /// Their keys. There are none for a source, because the keys it has not listed are not known.
    pub keys: Vec<Key>,
}

/// How many items went through a work that may take and make different numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gathered {
    /// The work.
    pub work: String,
    /// How many items it took out of its inputs.
    pub taken: usize,
    /// How many items came into its outputs.
    pub made: usize,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// Every queue was empty and no worker ran.
    Finished,
    /// As `Finished`, but a source or a global work has failed. Items may be missing: see [`Outcome::errors`].
    Failed,
    /// [`Control::stop`](super::Control::stop) was called. Running items were finished, and nothing new started.
    Stopped,
    /// [`Control::cancel`](super::Control::cancel) was called.
    Cancelled,
    /// The run has stopped by itself, because it made no sense to go on. [`Outcome::gave_up`] says why.
    GaveUp,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ending::Finished => "finished",
            Ending::Failed => "failed",
            Ending::Stopped => "stopped",
            Ending::Cancelled => "cancelled",
            Ending::GaveUp => "gave up",
        })
    }
}

/// Why a run has stopped by itself. Running items were finished; the others are in [`Outcome::unfinished`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum GaveUp {
    /// So many calls of works have failed: [`Options::max_errors`](super::Options::max_errors).
    TooManyErrors(usize),
    /// Works could not write: the disk or a quota is full, or the file system can only be read. This is the first
    /// such error. Every further item would fail in the same way.
    NoRoom(ItemError),
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GaveUp::TooManyErrors(count) => write!(f, "the run has stopped after {count} errors"),
            GaveUp::NoRoom(error) => {
                write!(f, "the run has stopped, because nothing can be written any more: {error}")
            }
        }
    }
}
