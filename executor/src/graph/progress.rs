//! What has become of the items so far.

use std::sync::Arc;

use super::{ItemError, Key};

/// What has become of the items so far. Works record it when they deliver.
///
/// An item *arrives* when it reaches the end of the graph: a queue of results, or a work without output.
#[doc(hidden)]
#[derive(Default)]
pub struct Progress {
    /// Does an observer want the keys of the items that arrive?
    pub(crate) keys_wanted: bool,
    /// How many items have arrived with a value.
    pub(crate) done: usize,
    /// Items that have arrived since this list was last emptied: errors, and values if keys are wanted.
    pub(crate) arrived: Vec<(Key, Option<ItemError>)>,
    /// Every error that works have raised, also those that never arrive.
    pub(crate) raised: Vec<ItemError>,
    /// Errors of sources and global works, which are not about one item.
    pub(crate) work_errors: Vec<ItemError>,
    /// Values that no group of a join wanted: the join's name, and the key of the value.
    pub(crate) unused: Vec<(Arc<str>, Key)>,
}

impl Progress {
    /// Records an item that has arrived.
    pub(crate) fn add(&mut self, key: &Key, error: Option<&ItemError>) {
        self.done += usize::from(error.is_none());
        if let Some(error) = error {
            error.mark_counted();
        }
        if self.keys_wanted || error.is_some() {
            self.arrived.push((key.clone(), error.cloned()));
        }
    }

    /// Records an error that is not about one item. It is counted under the name of the work.
    pub(crate) fn add_work_error(&mut self, work: &Key, error: &ItemError) {
        self.add(work, Some(error));
        self.work_errors.push(error.clone());
    }
}
