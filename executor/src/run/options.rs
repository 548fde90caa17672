//! Options of a run.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    thread::available_parallelism,
    time::Duration,
};

use log::LevelFilter;

use crate::{
    job::{JobError, JobFolder, JobInfo},
    shard::Shard,
};

/// Options of a run: how much may run and wait at once, what an error does, where a record is kept.
///
/// An option `x` is set by `x` and read by `get_x`, as in [`std::process::Command`]. The defaults are those of
/// fluidimage; its names are aliases, see [`fluidimage`](crate::fluidimage).
///
/// ```
/// use terzetto_executor::Options;
///
/// let options = Options::new().max_workers(4);
/// assert_eq!(options.get_queue_limit(), 16);
/// let options = options.queue_limit(2).stop_if_error(true);
/// assert_eq!(options.get_queue_limit(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    max_workers: usize,
    queue_limit: Option<usize>,
    resources: BTreeMap<String, u64>,
    statistics_period: Duration,
    log_level: LevelFilter,
    stop_if_error: bool,
    max_errors: Option<usize>,
    errors_kept: usize,
    results_folder: Option<PathBuf>,
    params: String,
    expected_results: Option<usize>,
    shard: Option<Shard>,
    lease: Duration,
    gantt_chart: bool,
}

impl Options {
    /// The defaults for this machine.
    pub fn new() -> Self {
        let cores = available_parallelism().map_or(1, |cores| cores.get());
        Options {
            max_workers: default_workers(cores),
            queue_limit: None,
            resources: BTreeMap::new(),
            statistics_period: Duration::from_millis(10),
            log_level: LevelFilter::Info,
            stop_if_error: false,
            max_errors: None,
            errors_kept: 10_000,
            results_folder: None,
            params: String::new(),
            expected_results: None,
            shard: None,
            lease: Duration::from_secs(60),
            gantt_chart: false,
        }
    }

    /// How many io works may run at once, and also how many cpu works; at least 1. The two kinds are counted
    /// apart. Default: [`default_workers`] for the cores of this machine.
    #[must_use]
    pub fn max_workers(mut self, workers: usize) -> Self {
        self.max_workers = workers.max(1);
        self
    }

    /// How many items may wait in a queue between works; at least 1. Default: four for each worker, and at
    /// least 8.
    ///
    /// A call reserves the place of its value before it starts. So a limit below the number of workers also limits
    /// how many calls of a work run at once.
    #[must_use]
    pub fn queue_limit(mut self, items: usize) -> Self {
        self.queue_limit = Some(items.max(1));
        self
    }

    /// How much there is of a resource, such as GPUs, licences, bytes of memory. Works say how much a call
    /// [uses](crate::graph::EachBuilder::uses) of it.
    #[must_use]
    pub fn resource(mut self, name: impl Into<String>, amount: u64) -> Self {
        self.resources.insert(name.into(), amount);
        self
    }

    /// Does the first error of an item end the run? Default: no. The item's error is kept, and other items go
    /// on.
    #[must_use]
    pub fn stop_if_error(mut self, stop: bool) -> Self {
        self.stop_if_error = stop;
        self
    }

    /// After how many errors of works the run gives up; at least 1. Running items are finished, nothing new starts,
    /// and the run ends with [`Ending::GaveUp`](super::Ending::GaveUp). By default it goes on, whatever fails.
    /// Whatever the option, a run gives up after a few errors that say that nothing can be written: a full disk, for
    /// instance.
    ///
    /// [`stop_if_error`](Options::stop_if_error) is stricter: the run then returns the error and no outcome.
    #[must_use]
    pub fn max_errors(mut self, count: usize) -> Self {
        self.max_errors = Some(count.max(1));
        self
    }

    /// How many errors are kept: in [`Outcome::failed`](super::Outcome::failed), in
    /// [`Outcome::errors`](super::Outcome::errors), and as files in the job's folder. All are counted and logged.
    /// Default: 10,000. An error takes some hundred bytes.
    #[must_use]
    pub fn errors_kept(mut self, count: usize) -> Self {
        self.errors_kept = count;
        self
    }

    /// How often observers are told [statistics](super::Observer::statistics). It is also how long quick items
    /// wait at most behind a slow one, until another worker is requested. At least 1 ms; default: 10 ms.
    #[must_use]
    pub fn statistics_period(mut self, period: Duration) -> Self {
        self.statistics_period = period.max(Duration::from_millis(1));
        self
    }

    /// How much is written into the job's log file. `Info`, the default, writes a line at the end of each call
    /// of a work. Calls of less than a millisecond are summed up once a second, after the first hundred of each
    /// work. `Debug` writes a line at the start and at the end of every call.
    #[must_use]
    pub fn log_level(mut self, level: LevelFilter) -> Self {
        self.log_level = level;
        self
    }

    /// The folder for results, which must exist. A [`JobFolder`] is made in it, for the parameters, the log, the
    /// list of results and the errors of this run. By default there is no such folder, and nothing is written.
    #[must_use]
    pub fn results_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.results_folder = Some(folder.into());
        self
    }

    /// The parameters of the computation, as TOML. They are kept in the job's folder.
    #[must_use]
    pub fn params(mut self, toml: impl Into<String>) -> Self {
        self.params = toml.into();
        self
    }

    /// Is a [Gantt chart](crate::gantt::GanttChart) of the run written into the job's folder at the end, as `gantt.svg`,
    /// `gantt.html`, and `gantt.json` for <https://ui.perfetto.dev>? Without a [folder](Options::results_folder) this
    /// has no effect. Default: no. It costs some 0.2 µs for each call of a work, and at most some 2 MB of memory.
    #[must_use]
    pub fn gantt_chart(mut self, written: bool) -> Self {
        self.gantt_chart = written;
        self
    }

    /// How many items are expected to arrive. The job's folder keeps the number, and
    /// [`Outcome::missing`](super::Outcome::missing) is computed from it.
    #[must_use]
    pub fn expected_results(mut self, count: usize) -> Self {
        self.expected_results = Some(count);
        self
    }

    /// The part of a series that this run computes. Runs of different parts may share a folder for results.
    #[must_use]
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = Some(shard);
        self
    }

    /// How long a folder for results stays taken, for runs on other machines, when nothing is heard of this process
    /// any more. A thread renews the claim several times within this time. At least 1 s; default: 60 s. A run on
    /// the same machine sees at once that the process has ended, and so does a requeued task of a cluster.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// See [`max_workers`](Options::max_workers).
    pub fn get_max_workers(&self) -> usize {
        self.max_workers
    }

    /// See [`queue_limit`](Options::queue_limit).
    pub fn get_queue_limit(&self) -> usize {
        self.queue_limit.unwrap_or_else(|| self.max_workers.saturating_mul(4).max(8))
    }

    /// How much there is of a [`resource`](Options::resource). `None` if it has not been set.
    pub fn get_resource(&self, name: &str) -> Option<u64> {
        self.resources.get(name).copied()
    }

    pub(crate) fn resources(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        self.resources.iter().map(|(name, amount)| (name.clone(), *amount))
    }

    /// See [`stop_if_error`](Options::stop_if_error).
    pub fn get_stop_if_error(&self) -> bool {
        self.stop_if_error
    }

    /// See [`max_errors`](Options::max_errors).
    pub fn get_max_errors(&self) -> Option<usize> {
        self.max_errors
    }

    /// See [`errors_kept`](Options::errors_kept).
    pub fn get_errors_kept(&self) -> usize {
        self.errors_kept
    }

    /// See [`statistics_period`](Options::statistics_period).
    pub fn get_statistics_period(&self) -> Duration {
        self.statistics_period
    }

    /// See [`log_level`](Options::log_level).
    pub fn get_log_level(&self) -> LevelFilter {
        self.log_level
    }

    /// See [`results_folder`](Options::results_folder).
    pub fn get_results_folder(&self) -> Option<&Path> {
        self.results_folder.as_deref()
    }

    /// See [`params`](Options::params).
    pub fn get_params(&self) -> &str {
        &self.params
    }

    /// See [`expected_results`](Options::expected_results).
    pub fn get_expected_results(&self) -> Option<usize> {
        self.expected_results
    }

    /// See [`lease`](Options::lease).
    pub fn get_lease(&self) -> Duration {
        self.lease
    }

    /// See [`gantt_chart`](Options::gantt_chart).
    pub fn get_gantt_chart(&self) -> bool {
        self.gantt_chart
    }

    /// See [`shard`](Options::shard).
    pub fn get_shard(&self) -> Option<Shard> {
        self.shard
    }

    /// Makes the folder of a job, if there is a folder for results.
    pub(super) fn make_job_folder(
        &self,
        topology: &str,
        executor: &str,
    ) -> Result<Option<JobFolder>, JobError> {
        let Some(folder) = &self.results_folder else {
            return Ok(None);
        };
        let info = JobInfo {
            topology: topology.to_owned(),
            executor: executor.to_owned(),
            max_workers: self.get_max_workers(),
            queue_limit: self.get_queue_limit(),
            expected_results: self.expected_results,
            shard: self.shard,
            lease: self.lease,
        };
        JobFolder::create(folder, &info, &self.params).map(Some)
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::new()
    }
}

/// The default number of workers on a machine with so many cores: two more than cores below 16 cores, else as
/// many as cores.
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
    fn what_is_set_is_read() {
        let shard = "2/3".parse().ok();
        let (long, short) = (Duration::from_secs(90), Duration::from_millis(20));
        let options = Options::new().resource("gpu", 4).max_errors(7).errors_kept(8).lease(long);
        let options = options.statistics_period(short).log_level(LevelFilter::Debug).stop_if_error(true);
        let options = options.results_folder("out").params("a = 1").expected_results(9);
        let options = options.shard("2/3".parse().expect("a part")).gantt_chart(true);
        assert!(options.get_gantt_chart() && !Options::new().get_gantt_chart());
        assert_eq!((options.get_resource("gpu"), options.get_resource("cpu")), (Some(4), None));
        assert_eq!((options.get_max_errors(), options.get_errors_kept()), (Some(7), 8));
        assert_eq!((options.get_lease(), options.get_statistics_period()), (long, short));
        assert_eq!((options.get_log_level(), options.get_stop_if_error()), (LevelFilter::Debug, true));
        assert_eq!((options.get_results_folder(), options.get_params()), (Some(Path::new("out")), "a = 1"));
        assert_eq!((options.get_expected_results(), options.get_shard()), (Some(9), shard));
    }

    #[test]
    fn zero_is_one() {
        let options = Options::new().max_workers(0).queue_limit(0);
        assert_eq!((options.get_max_workers(), options.get_queue_limit()), (1, 1));
    }
}
