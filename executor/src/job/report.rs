//! What the folders of jobs say: for whoever watches.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    folder::{END, INFO, LOCK, RESULTS, job_folders},
    lock::Lock,
};

/// How a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Its process runs.
    Running,
    /// It has ended, in the way that it said: `finished`, `failed`, `stopped`, `cancelled` or
    /// `error`.
    Ended(String),
    /// Its process is gone and has not said how it ended.
    Killed,
}

/// What the folder of a job says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobReport {
    /// The folder.
    pub folder: PathBuf,
    /// How the job is.
    pub state: JobState,
    /// The topology's name.
    pub topology: String,
    /// Which executor runs it.
    pub executor: String,
    /// The part of the series, such as `1/4`, or nothing for the whole.
    pub shard: Option<String>,
    /// The process.
    pub pid: Option<u32>,
    /// How many results there are.
    pub done: usize,
    /// How many items have failed.
    pub failed: usize,
    /// How many results are expected.
    pub expected: Option<usize>,
    /// How long the job has been running, or ran.
    pub elapsed: Option<Duration>,
}

impl JobReport {
    /// Results and failures a second.
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.elapsed?.as_secs_f64();
        (seconds > 0.0).then(|| (self.done + self.failed) as f64 / seconds)
    }

    /// How long a running job still needs, if it goes on as before.
    pub fn left(&self) -> Option<Duration> {
        let rate = self.rate().filter(|rate| *rate > 0.0)?;
        let missing = self.expected?.saturating_sub(self.done + self.failed);
        Duration::try_from_secs_f64(missing as f64 / rate).ok()
    }
}

/// Reads the folders of all jobs in a folder for results, the oldest first. A folder in which
/// nothing can be read is left out.
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
        None if Lock::read(&file).is_some_and(|lock| lock.is_held(&file)) => JobState::Running,
        None => JobState::Killed,
    };
    let start = value(&info, "time_start").and_then(|text| humantime::parse_rfc3339(&text).ok());
    let until = match (&state, &end) {
        (JobState::Running, _) => Some(SystemTime::now()),
        (_, Some(end)) => value(end, "time_end").and_then(|text| humantime::parse_rfc3339(&text).ok()),
        // The last result is the last sign of life.
        _ => fs::metadata(folder.join(RESULTS)).and_then(|data| data.modified()).ok(),
    };
    Some(JobReport {
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

/// The value of a line `name = value`, its quotes taken away: all that our own files need.
fn value(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(" = ")?;
        (key == name).then(|| value.trim_matches('"').to_owned())
    })
}
