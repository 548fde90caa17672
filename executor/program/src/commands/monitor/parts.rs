//! The jobs that compute parts of one series, taken together.

use std::collections::BTreeMap;

use terzetto_executor::{
    Shard,
    job::{JobReport, JobState},
};

/// The parts of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// How many parts there are.
    pub count: usize,
    /// How many of them have a job.
    pub begun: usize,
    /// How many of these jobs run.
    pub running: usize,
    /// How many items the jobs have computed, and how many have failed.
    pub done: usize,
    pub failed: usize,
    /// How many the jobs were to compute, if all of them say so.
    pub expected: Option<usize>,
    /// How many items arrive in a second.
    pub rate: f64,
}

impl Parts {
    /// The parts among these jobs, which are in the order in which they began. If a part was computed more than once,
    /// its last job counts. `None` if the newest job is no part.
    pub fn of(jobs: &[JobReport]) -> Option<Parts> {
        let shard = |job: &JobReport| job.shard.as_ref()?.parse::<Shard>().ok();
        let count = shard(jobs.last()?)?.count();
        let of_series = jobs.iter().filter_map(|job| Some((shard(job)?, job)));
        let latest: BTreeMap<usize, &JobReport> = of_series
            .filter(|(shard, _)| shard.count() == count)
            .map(|(shard, job)| (shard.index(), job))
            .collect();
        let jobs = || latest.values();
        let is_running = |job: &&&JobReport| job.state == JobState::Running;
        Some(Parts {
            count,
            begun: latest.len(),
            running: jobs().filter(is_running).count(),
            done: jobs().map(|job| job.done).sum(),
            failed: jobs().map(|job| job.failed).sum(),
            expected: jobs().map(|job| job.expected).sum(),
            rate: jobs().filter(is_running).filter_map(|job| job.rate()).sum(),
        })
    }
}
