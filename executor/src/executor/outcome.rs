//! What came of a run.

use std::{error::Error, fmt, time::Duration};

use crate::topology::{ItemError, Key};

/// What came of a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Why the run ended.
    pub ending: Ending,
    /// How many items reached the end of their way with a value.
    pub done: usize,
    /// The items that reached the end of their way as errors, in order of arrival.
    pub failed: Vec<(Key, ItemError)>,
    /// How long the run took.
    pub elapsed: Duration,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every queue was empty and no worker worked.
    Finished,
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
    pub(super) waiting: Vec<(String, usize)>,
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no work can go on, but items wait in")?;
        for (index, (queue, count)) in self.waiting.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma} queue `{queue}` ({count})")?;
        }
        Ok(())
    }
}

impl Error for Stalled {}
