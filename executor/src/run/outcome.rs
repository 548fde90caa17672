//! What came of a run.

use std::{error::Error, fmt, time::Duration};

use crate::graph::{ItemError, Key};

/// What came of a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Why the run ended.
    pub ending: Ending,
    /// How many items reached the end of their way with a value.
    pub done: usize,
    /// The items that reached the end of their way as errors, in order of arrival. Then the errors that a global work
    /// took out of its queues and did not pass on, each under the key on which its work failed. An error of a source or
    /// a global work is here under the work's name.
    pub failed: Vec<(Key, ItemError)>,
    /// The errors of sources and global works, which are not about one item: nobody knows how many items they cost. With
    /// any of them the run ends as [`Ending::Failed`].
    pub errors: Vec<ItemError>,
    /// Values that a join sorted out: no group wanted them, or their key came a second time.
    pub unused: Vec<Unused>,
    /// What had not reached its end when the run ended early; after a run that went its whole way there is nothing.
    pub unfinished: Vec<Unfinished>,
    /// How many items each global work took and put. Such a work may drop what it likes: here it shows.
    pub gathered: Vec<Gathered>,
    /// How many of the [expected](super::Options::expected_results) items have not reached an end.
    pub missing: usize,
    /// How long the run took.
    pub elapsed: Duration,
}

impl Outcome {
    /// Has every item reached its end with a value?
    pub fn is_complete(&self) -> bool {
        self.ending == Ending::Finished
            && self.failed.is_empty()
            && self.unused.is_empty()
            && self.unfinished.is_empty()
            && self.missing == 0
    }
}

/// A value that no work wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unused {
    /// The join that sorted it out.
    pub work: String,
    /// The item's key.
    pub key: Key,
}

/// Items that were under way when a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfinished {
    /// The queue in which they wait, the join that holds them, or the source that had not listed everything.
    pub at: String,
    /// Their keys; of a source that had not listed everything they are not known, and there are none.
    pub keys: Vec<Key>,
}

/// How many items went through a global work.
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
pub enum Ending {
    /// Every queue was empty and no worker worked.
    Finished,
    /// The same, but a source or a global work has failed, so that items may be missing: see [`Outcome::errors`].
    Failed,
    /// [`Control::stop`](super::Control::stop): what ran was finished, nothing else was started.
    Stopped,
    /// [`Control::cancel`](super::Control::cancel).
    Cancelled,
}

/// A one-shot work failed, so that the run could not begin.
#[derive(Debug)]
pub struct OneShotError {
    pub(super) work: String,
    pub(super) cause: String,
}

impl OneShotError {
    /// The name of the work that failed.
    pub fn work(&self) -> &str {
        &self.work
    }
}

impl fmt::Display for OneShotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one-shot work `{}` failed: {}", self.work, self.cause)
    }
}

impl Error for OneShotError {}

/// Items wait, but no work can take any of them and none is running. The checks of a topology
/// should make this impossible: an error here is better than waiting for ever.
#[derive(Debug)]
pub struct Stalled {
    pub(crate) waiting: Vec<(String, usize)>,
    pub(crate) errors: Vec<ItemError>,
}

impl Stalled {
    /// The errors of items and works that there were before.
    pub fn errors(&self) -> &[ItemError] {
        &self.errors
    }
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no work can go on, but items wait in")?;
        for (index, (queue, count)) in self.waiting.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma} queue `{queue}` ({count})")?;
        }
        if let Some((first, others)) = self.errors.split_first() {
            write!(f, "; before that, {first}")?;
            if !others.is_empty() {
                write!(f, ", and {} more", others.len())?;
            }
        }
        Ok(())
    }
}

impl Error for Stalled {}
