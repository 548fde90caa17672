//! Reads the folders of jobs.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    folder::{END, INFO, LOCK, RESULTS, job_folders},
    lock::{Holder, Lock},
    numbers,
};
use crate::run::{WorkStatistics, bottleneck};

/// The state of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Its process runs.
    Running,
    /// It has ended, and its folder says how: `finished`, `failed`, `stopped`, `cancelled`, `gave up` or `error`.
    Ended(String),
    /// Its process has ended without writing how.
    Killed,
}

/// What the folder of a job says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobReport {
    /// The folder.
    pub folder: PathBuf,
    /// The state of the job.
    pub state: JobState,
    /// The topology's name.
    pub topology: String,
    /// The executor that runs it.
    pub executor: String,
    /// The part of the series, such as `1/4`, if it is not the whole.
    pub shard: Option<String>,
    /// The number of its process.
    pub pid: Option<u32>,
    /// How many items have arrived with a value.
    pub done: usize,
    /// How many items have failed.
    pub failed: usize,
    /// How many results are expected.
    pub expected: Option<usize>,
    /// How long the job has run.
    pub elapsed: Option<Duration>,
    /// The name of its machine.
    pub host: Option<String>,
    /// What each work had done when the job last wrote it down: once a second, and at its end.
    pub works: Vec<WorkStatistics>,
    /// How long the job had run then.
    pub works_elapsed: Duration,
}

impl JobReport {
    /// How many items arrive in a second.
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.elapsed?.as_secs_f64();
        (seconds > 0.0).then(|| (self.done + self.failed) as f64 / seconds)
    }

    /// The work that holds the others up, and its load: see [`bottleneck`].
    pub fn bottleneck(&self) -> Option<(&WorkStatistics, f64)> {
        let work = bottleneck(&self.works)?;
        Some((work, work.load(self.works_elapsed)))
    }

    /// How long a running job still needs at this rate.
    pub fn left(&self) -> Option<Duration> {
        let rate = self.rate().filter(|rate| *rate > 0.0)?;
        let missing = self.expected?.saturating_sub(self.done + self.failed);
        Duration::try_from_secs_f64(missing as f64 / rate).ok()
    }
}

/// Reads the folders of all jobs in a folder for results, in the order of their names. A name begins with the
/// second in which the job began. Folders that cannot be read are left out.
pub fn job_reports(results: &Path) -> Vec<JobReport> {
    job_folders(results).into_iter().filter_map(read).collect()
}

fn read(folder: PathBuf) -> Option<JobReport> {
    let info = fs::read_to_string(folder.join(INFO)).ok()?;
    let end = fs::read_to_string(folder.join(END)).ok();
    let list = fs::read_to_string(folder.join(RESULTS)).unwrap_or_default();
    let count = |word: &str| list.lines().filter(|line| line.starts_with(word)).count();
    let file = folder.join(LOCK);
    let state = match &end {
        Some(end) => JobState::Ended(value(end, "ending").unwrap_or_default()),
        None if is_held(&file) => JobState::Running,
        None => JobState::Killed,
    };
    let start = value(&info, "time_start").and_then(|text| humantime::parse_rfc3339(&text).ok());
    let until = match (&state, &end) {
        (JobState::Running, _) => Some(SystemTime::now()),
        (_, Some(end)) => value(end, "time_end").and_then(|text| humantime::parse_rfc3339(&text).ok()),
        // The last result is the last thing known of the job.
        _ => fs::metadata(folder.join(RESULTS)).and_then(|data| data.modified()).ok(),
    };
    let numbers = numbers::read(&folder);
    Some(JobReport {
        host: value(&info, "host"),
        works: numbers.work.into_iter().map(WorkStatistics::from).collect(),
        works_elapsed: Duration::try_from_secs_f64(numbers.elapsed).unwrap_or_default(),
        state,
        topology: value(&info, "topology").unwrap_or_default(),
        executor: value(&info, "executor").unwrap_or_default(),
        shard: value(&info, "shard"),
        pid: value(&info, "process").and_then(|text| text.parse().ok()),
        done: count("done\t"),
        failed: count("failed\t"),
        expected: value(&info, "expected_results").and_then(|text| text.parse().ok()),
        elapsed: start.zip(until).and_then(|(start, until)| until.duration_since(start).ok()),
        folder,
    })
}

/// Is the process of this lock alive? Nothing is written here, so the time is this machine's.
fn is_held(file: &Path) -> bool {
    Lock::read(file).is_some_and(|lock| lock.holder(file, SystemTime::now()) != Holder::Gone)
}

/// The value of a line `name = value`, without quotes. The job files need no more of TOML than that.
fn value(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(" = ")?;
        (key == name).then(|| value.trim_matches('"').to_owned())
    })
}
