//! The numbers of a run in its job's folder: what each work has done. They are written once a second and at the end,
//! so that others can read them while the run goes on.

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};

use super::folder::NUMBERS;
use crate::{
    graph::Kind,
    results::{WriteError, write_atomic_unsynced},
    run::WorkStatistics,
};

/// The numbers of a run.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct Numbers {
    /// How long the run had taken, in seconds.
    pub elapsed: f64,
    #[serde(default)]
    pub work: Vec<WorkNumbers>,
}

/// The numbers of a work. Times are in seconds.
#[derive(Serialize, Deserialize)]
pub(super) struct WorkNumbers {
    name: String,
    kind: Kind,
    calls: u64,
    failed: u64,
    retries: u64,
    busy: f64,
    running: usize,
    max_workers: usize,
    waiting: usize,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    mean_wait: Option<f64>,
}

impl From<&WorkStatistics> for WorkNumbers {
    fn from(work: &WorkStatistics) -> WorkNumbers {
        WorkNumbers {
            name: work.work.clone(),
            kind: work.kind,
            calls: work.calls,
            failed: work.failed,
            retries: work.retries,
            busy: work.busy.as_secs_f64(),
            running: work.running,
            max_workers: work.max_workers,
            waiting: work.waiting,
            mean_wait: work.mean_wait.map(|wait| wait.as_secs_f64()),
        }
    }
}

impl From<WorkNumbers> for WorkStatistics {
    fn from(work: WorkNumbers) -> WorkStatistics {
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        WorkStatistics {
            work: work.name,
            kind: work.kind,
            calls: work.calls,
            failed: work.failed,
            retries: work.retries,
            busy: time(work.busy),
            running: work.running,
            max_workers: work.max_workers,
            waiting: work.waiting,
            mean_wait: work.mean_wait.map(time),
        }
    }
}

/// Writes the numbers of a run into the folder of its job.
pub(super) fn write(job: &Path, elapsed: Duration, works: &[WorkStatistics]) -> Result<(), WriteError> {
    let numbers =
        Numbers { elapsed: elapsed.as_secs_f64(), work: works.iter().map(WorkNumbers::from).collect() };
    // Numbers and names are always TOML.
    let text = toml::to_string(&numbers).unwrap_or_default();
    write_atomic_unsynced(&job.join(NUMBERS), text.as_bytes())
}

/// Reads the numbers of a run. There are none before its first second is over.
pub(super) fn read(job: &Path) -> Numbers {
    let text = std::fs::read_to_string(job.join(NUMBERS)).unwrap_or_default();
    toml::from_str(&text).unwrap_or_default()
}
