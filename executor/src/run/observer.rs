//! Observers of a run.

use std::{path::Path, sync::Arc, time::Duration};

use super::Statistics;
use crate::graph::{ItemError, Key};

/// Is told what happens in a run. An observer draws a progress bar, for instance, or keeps a record.
///
/// Workers call the methods, in their threads, between two items. So the methods should be quick. Every method
/// has an empty default.
pub trait Observer: Send + Sync {
    /// The run begins. Its [folder](crate::job::JobFolder), if it has one, has been made.
    fn began(&self, job: Option<&Path>) {
        let _ = job;
    }

    /// A worker begins to work on an item.
    fn started(&self, work: &str, key: &Key) {
        let _ = (work, key);
    }

    /// A worker has finished with an item. `error` is its error, if it failed.
    fn finished(&self, work: &str, key: &Key, elapsed: Duration, error: Option<&ItemError>) {
        let _ = (work, key, elapsed, error);
    }

    /// A work has failed. This is called once for each error, however many items carry it.
    fn failed(&self, error: &ItemError) {
        let _ = error;
    }

    /// An item has arrived at the end of the graph, as a value or as an error.
    fn arrived(&self, key: &Key, error: Option<&ItemError>) {
        let _ = (key, error);
    }

    /// Is called once in each [`statistics_period`](super::Options::statistics_period).
    fn statistics(&self, statistics: &Statistics) {
        let _ = statistics;
    }
}

/// A pointer to an observer is one, too.
macro_rules! observer_behind {
    ($pointer:ident) => {
        impl<O: Observer + ?Sized> Observer for $pointer<O> {
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
    };
}

observer_behind!(Box);
observer_behind!(Arc);
