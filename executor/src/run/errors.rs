//! Errors of a run as a whole.

use std::{error::Error, fmt};

use crate::graph::ItemError;

/// A one-shot work has failed, so the run could not begin.
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

/// Items wait, no work can take one of them, and no work runs.
///
/// A global work that leaves items in its inputs at the end causes this. For other works, the checks of the
/// topology prevent it.
#[derive(Debug)]
pub struct Stalled {
    pub(crate) waiting: Vec<(String, usize)>,
    pub(crate) errors: Vec<ItemError>,
}

impl Stalled {
    /// The errors of items and works before the run stalled.
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
