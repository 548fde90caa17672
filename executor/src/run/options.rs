//! How much may run and wait at once.

use std::{path::PathBuf, thread::available_parallelism, time::Duration};

use log::LevelFilter;

use crate::{
    job::{JobError, JobFolder, JobInfo},
    shard::Shard,
};

/// How much may run and wait at once, and what an error does. The defaults are fluidimage's.
///
/// ```
/// use terzetto_executor::Options;
///
/// let options = Options::new().nb_max_workers(4);
/// assert_eq!(options.queue_limit(), 16);
/// let options = options.nb_items_queue_max(2).stop_if_error(true);
/// assert_eq!(options.queue_limit(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    nb_max_workers: usize,
    nb_items_queue_max: Option<usize>,
    sleep_time: Duration,
    logging_level: LevelFilter,
    stop_if_error: bool,
    path_dir_result: Option<PathBuf>,
    params: String,
    expected_results: Option<usize>,
    shard: Option<Shard>,
}

impl Options {
    /// The defaults for this machine.
    pub fn new() -> Self {
        let cores = available_parallelism().map_or(1, |cores| cores.get());
        Options {
            nb_max_workers: default_workers(cores),
            nb_items_queue_max: None,
            sleep_time: Duration::from_millis(10),
            logging_level: LevelFilter::Info,
            stop_if_error: false,
            path_dir_result: None,
            params: String::new(),
            expected_results: None,
            shard: None,
        }
    }

    /// How many io works, and apart from them how many cpu works, may run at once; at least 1.
    /// Default: two more than the machine has cores if these are fewer than 16, else the number of
    /// cores.
    #[must_use]
    pub fn nb_max_workers(mut self, workers: usize) -> Self {
        self.nb_max_workers = workers.max(1);
        self
    }

    /// How many items may wait in a queue between works; at least 1. Default: four for each worker,
    /// at least 8.
    #[must_use]
    pub fn nb_items_queue_max(mut self, items: usize) -> Self {
        self.nb_items_queue_max = Some(items.max(1));
        self
    }

    /// Should the first error of an item end the whole run? Default: no, the item's error is kept
    /// and the others go on.
    #[must_use]
    pub fn stop_if_error(mut self, stop: bool) -> Self {
        self.stop_if_error = stop;
        self
    }

    /// The period of [statistics](super::Observer::statistics), and the longest that a few quick
    /// items may wait behind a slow one before another worker is called for them. Nothing polls:
    /// loops wake on events. At least 1 ms; default: 10 ms.
    #[must_use]
    pub fn sleep_time(mut self, time: Duration) -> Self {
        self.sleep_time = time.max(Duration::from_millis(1));
        self
    }

    /// How much the job's log file tells: with `Info`, the default, a line for each call of a work,
    /// when it ends; with `Debug` one when it begins, too.
    #[must_use]
    pub fn logging_level(mut self, level: LevelFilter) -> Self {
        self.logging_level = level;
        self
    }

    /// The folder for results, which must exist. A folder for this run is made in it, with its
    /// parameters, its log, the list of its results, and its errors: see
    /// [`JobFolder`](crate::job::JobFolder). Without it, the default, nothing is written.
    #[must_use]
    pub fn path_dir_result(mut self, folder: impl Into<PathBuf>) -> Self {
        self.path_dir_result = Some(folder.into());
        self
    }

    /// The parameters of the computation, TOML, to be kept in the job's folder.
    #[must_use]
    pub fn params(mut self, toml: impl Into<String>) -> Self {
        self.params = toml.into();
        self
    }

    /// How many items are expected to reach an end: for whoever watches the job's folder, and for
    /// [`Outcome::missing`](super::Outcome::missing).
    #[must_use]
    pub fn expected_results(mut self, count: usize) -> Self {
        self.expected_results = Some(count);
        self
    }

    /// The part of a series that this run is about: runs of different parts may share a folder for
    /// results.
    #[must_use]
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = Some(shard);
        self
    }

    /// The limit of workers of each kind in force.
    pub fn workers(&self) -> usize {
        self.nb_max_workers
    }

    /// The limit of items in a queue in force.
    pub fn queue_limit(&self) -> usize {
        self.nb_items_queue_max.unwrap_or_else(|| self.nb_max_workers.saturating_mul(4).max(8))
    }

    /// Does the first error of an item end the run?
    pub fn stops_if_error(&self) -> bool {
        self.stop_if_error
    }

    pub(super) fn expected(&self) -> Option<usize> {
        self.expected_results
    }

    pub(super) fn period(&self) -> Duration {
        self.sleep_time
    }

    pub(super) fn level(&self) -> LevelFilter {
        self.logging_level
    }

    /// Makes the folder of a job, if one is wanted.
    pub(super) fn job(&self, topology: &str, executor: &str) -> Result<Option<JobFolder>, JobError> {
        let Some(folder) = &self.path_dir_result else {
            return Ok(None);
        };
        let info = JobInfo {
            topology: topology.to_owned(),
            executor: executor.to_owned(),
            nb_max_workers: self.workers(),
            nb_items_queue_max: self.queue_limit(),
            expected_results: self.expected_results,
            shard: self.shard,
        };
        JobFolder::create(folder, &info, &self.params).map(Some)
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::new()
    }
}

/// fluidimage's default for a machine with so many cores.
pub fn default_workers(cores: usize) -> usize {
    if cores < 16 { cores + 2 } else { cores }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_follow_the_cores() {
        assert_eq!(default_workers(1), 3);
        assert_eq!(default_workers(15), 17);
        assert_eq!(default_workers(16), 16);
    }

    #[test]
    fn zero_is_one() {
        let options = Options::new().nb_max_workers(0).nb_items_queue_max(0);
        assert_eq!((options.workers(), options.queue_limit()), (1, 1));
    }
}
