//! Who follows a run.

use std::{path::Path, time::Duration};

use crate::graph::{ItemError, Key};

/// Told what happens in a run: to draw a progress bar, for instance, or to keep a record.
///
/// The methods are called by the workers, in their threads, between two items: they should be
/// quick. Every method has an empty default.
pub trait Observer: Send + Sync {
    /// The run is about to begin; if it has a [folder](crate::job::JobFolder), that is made.
    fn began(&self, job: Option<&Path>) {
        let _ = job;
    }

    /// A worker is about to work on an item.
    fn started(&self, work: &str, key: &Key) {
        let _ = (work, key);
    }

    /// A worker is done with an item, well or badly.
    fn finished(&self, work: &str, key: &Key, elapsed: Duration, error: Option<&ItemError>) {
        let _ = (work, key, elapsed, error);
    }

    /// A work has failed. The error is told here once, however many ends it arrives at.
    fn failed(&self, error: &ItemError) {
        let _ = error;
    }

    /// An item has reached the end of its way, as a value or as an error.
    fn arrived(&self, key: &Key, error: Option<&ItemError>) {
        let _ = (key, error);
    }

    /// Called every [`sleep_time`](super::Options::sleep_time) while the run's loop is awake.
    fn statistics(&self, statistics: &Statistics) {
        let _ = statistics;
    }
}

/// What a run is doing at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many workers work on items of io works.
    pub io_workers: usize,
    /// How many workers work on items of cpu works.
    pub cpu_workers: usize,
    /// How many items wait in each queue.
    pub waiting: Vec<(String, usize)>,
    /// How many items have reached the end of their way with a value.
    pub done: usize,
    /// How many items have reached the end of their way as errors.
    pub failed: usize,
}

impl<O: Observer + ?Sized> Observer for Box<O> {
    fn began(&self, job: Option<&Path>) {
        (**self).began(job);
    }

    fn started(&self, work: &str, key: &Key) {
        (**self).started(work, key);
    }

    fn finished(&self, work: &str, key: &Key, elapsed: Duration, error: Option<&ItemError>) {
        (**self).finished(work, key, elapsed, error);
    }

    fn failed(&self, error: &ItemError) {
        (**self).failed(error);
    }

    fn arrived(&self, key: &Key, error: Option<&ItemError>) {
        (**self).arrived(key, error);
    }

    fn statistics(&self, statistics: &Statistics) {
        (**self).statistics(statistics);
    }
}
