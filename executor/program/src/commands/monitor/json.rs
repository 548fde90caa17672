//! The view as JSON, for programs. Times are in seconds; what is not known is `null`.

use std::{path::Path, time::Duration};

use serde::Serialize;
use terzetto_executor::{
    BoxError, Kind, WorkStatistics,
    job::{JobReport, JobState},
};

use super::parts::Parts;

#[derive(Serialize)]
struct View {
    folder: String,
    /// The parts of the series together, if the newest job is one.
    parts: Option<PartsView>,
    jobs: Vec<JobView>,
}

#[derive(Serialize)]
struct PartsView {
    count: usize,
    begun: usize,
    running: usize,
    done: usize,
    failed: usize,
    expected: Option<usize>,
    rate: f64,
}

#[derive(Serialize)]
struct JobView {
    folder: String,
    topology: String,
    executor: String,
    part: Option<String>,
    /// `running`, `killed`, or how it has ended: `finished`, `failed`, `stopped`, `cancelled`, `gave up`, `error`.
    state: String,
    process: Option<u32>,
    host: Option<String>,
    done: usize,
    failed: usize,
    expected: Option<usize>,
    elapsed: Option<f64>,
    rate: Option<f64>,
    left: Option<f64>,
    bottleneck: Option<String>,
    works: Vec<WorkView>,
}

#[derive(Serialize)]
struct WorkView {
    name: String,
    kind: Kind,
    calls: u64,
    failed: u64,
    retries: u64,
    busy: f64,
    mean: Option<f64>,
    /// The part of the time in which it was busy.
    load: f64,
    running: usize,
    max_workers: usize,
    waiting: usize,
    mean_wait: Option<f64>,
}

/// The jobs as one JSON document.
pub fn text(folder: &Path, jobs: &[JobReport]) -> Result<String, BoxError> {
    let parts = Parts::of(jobs).map(|parts| {
        let Parts { count, begun, running, done, failed, expected, rate } = parts;
        PartsView { count, begun, running, done, failed, expected, rate }
    });
    let view = View { folder: folder.display().to_string(), parts, jobs: jobs.iter().map(job).collect() };
    Ok(serde_json::to_string_pretty(&view)?)
}

fn job(job: &JobReport) -> JobView {
    let running = job.state == JobState::Running;
    JobView {
        folder: job.folder.display().to_string(),
        topology: job.topology.clone(),
        executor: job.executor.clone(),
        part: job.shard.clone(),
        state: match &job.state {
            JobState::Running => "running".to_owned(),
            JobState::Killed => "killed".to_owned(),
            JobState::Ended(how) => how.clone(),
        },
        process: job.pid,
        host: job.host.clone(),
        done: job.done,
        failed: job.failed,
        expected: job.expected,
        elapsed: job.elapsed.map(|time| time.as_secs_f64()),
        rate: job.rate(),
        left: job.left().filter(|_| running).map(|time| time.as_secs_f64()),
        bottleneck: job.bottleneck().map(|(work, _)| work.work.clone()),
        works: job.works.iter().map(|of_job| work(of_job, job.works_elapsed)).collect(),
    }
}

fn work(work: &WorkStatistics, elapsed: Duration) -> WorkView {
    WorkView {
        name: work.work.clone(),
        kind: work.kind,
        calls: work.calls,
        failed: work.failed,
        retries: work.retries,
        busy: work.busy.as_secs_f64(),
        mean: work.mean().map(|time| time.as_secs_f64()),
        load: work.load(elapsed),
        running: work.running,
        max_workers: work.max_workers,
        waiting: work.waiting,
        mean_wait: work.mean_wait.map(|time| time.as_secs_f64()),
    }
}
