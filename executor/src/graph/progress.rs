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
    /// The errors that works have raised, also those that never arrive. Those that have arrived are forgotten from
    /// time to time.
    pub(crate) raised: Vec<ItemError>,
    /// When `raised` is longer than this, it is tidied.
    raised_limit: usize,
    /// Errors of sources and global works, which are not about one item.
    pub(crate) work_errors: KeptErrors,
    /// Items of tasks whose calls were cancelled: the work's name, and the key of the item.
    pub(crate) interrupted: Vec<(Arc<str>, Key)>,
    /// Values that no group of a join wanted: the join's name, and the key of the value.
    pub(crate) unused: Vec<(Arc<str>, Key)>,
}

/// The first errors of a run, and how many there were. A million errors would take hundreds of megabytes.
#[derive(Debug, Default)]
pub(crate) struct KeptErrors {
    kept: Vec<(Key, ItemError)>,
    count: usize,
    limit: usize,
}

impl KeptErrors {
    /// Keeps so many errors at most.
    pub fn new(limit: usize) -> KeptErrors {
        KeptErrors { kept: Vec::new(), count: 0, limit }
    }

    pub fn add(&mut self, key: Key, error: ItemError) {
        self.count += 1;
        if self.kept.len() < self.limit {
            self.kept.push((key, error));
        }
    }

    /// How many errors there were.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn into_kept(self) -> Vec<(Key, ItemError)> {
        self.kept
    }
}

/// So many errors are raised before those that have arrived are forgotten for the first time.
const MANY_RAISED: usize = 1024;

impl Progress {
    /// No item yet. So many errors of works are kept at most.
    pub(crate) fn new(errors_kept: usize) -> Progress {
        let work_errors = KeptErrors::new(errors_kept);
        Progress { work_errors, raised_limit: MANY_RAISED, ..Progress::default() }
    }

    /// Forgets raised errors that have arrived. They are counted already.
    pub(crate) fn forget_counted(&mut self) {
        if self.raised.len() > self.raised_limit {
            self.raised.retain(|error| !error.is_counted());
            // What is left has not arrived. It is not looked at again for each error.
            self.raised_limit = (2 * self.raised.len()).max(MANY_RAISED);
        }
    }

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
        self.work_errors.add(work.clone(), error.clone());
    }
}
