//! What every executor does before and after its works.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use terzetto::Error;

use super::{Control, Observer, OneShotError, Options, Outcome, Stalled};
use crate::{
    gantt::GanttChart,
    graph::{InvalidTopology, Topology, check_options, panic_text},
    job::{JobFolder, Record},
    scheduler::{OneShot, Scheduler},
};

/// A checked topology, ready to run.
pub(super) struct PreparedRun {
    name: String,
    executor: &'static str,
    one_shots: Vec<OneShot>,
    scheduler: Arc<Scheduler>,
    options: Options,
    observers: Vec<Box<dyn Observer>>,
}

/// A run whose one-shot works have run.
pub(super) struct StartedRun {
    name: String,
    pub scheduler: Arc<Scheduler>,
    pub statistics_period: Duration,
    observers: Vec<Box<dyn Observer>>,
    job: Option<JobFolder>,
    chart: Option<Arc<GanttChart>>,
    expected: Option<usize>,
    start: Instant,
}

impl PreparedRun {
    /// Checks a topology and takes it apart.
    pub fn new(
        topology: Topology,
        options: Options,
        executor: &'static str,
        single_worker: bool,
        has_loop: bool,
    ) -> Result<PreparedRun, InvalidTopology> {
        topology.check()?;
        check_options(&topology, &options, has_loop)?;
        let name = topology.name().to_owned();
        let (one_shots, scheduler) = Scheduler::new(topology, &options, single_worker);
        let (scheduler, observers) = (Arc::new(scheduler), Vec::new());
        Ok(PreparedRun { name, executor, one_shots, scheduler, options, observers })
    }

    pub fn observe(&mut self, observer: impl Observer + 'static) {
        self.observers.push(Box::new(observer));
    }

    pub fn control(&self) -> Control {
        Control { scheduler: Arc::downgrade(&self.scheduler) }
    }

    /// Makes the job's folder and runs the one-shot works.
    pub fn start(self) -> Result<StartedRun, Error> {
        let PreparedRun { name, executor, one_shots, scheduler, options, mut observers } = self;
        let start = Instant::now();
        let job = options.make_job_folder(&name, executor)?;
        if let Some(job) = &job {
            let control = Control { scheduler: Arc::downgrade(&scheduler) };
            job.when_lost(move || control.cancel());
            observers
                .insert(0, Box::new(Record::new(job, options.get_log_level(), options.get_errors_kept())));
        }
        let chart = (job.is_some() && options.get_gantt_chart()).then(|| Arc::new(GanttChart::new()));
        observers.extend(chart.clone().map(|chart| Box::new(chart) as Box<dyn Observer>));
        for observer in &observers {
            observer.began(job.as_ref().map(JobFolder::path));
        }
        for (work, function) in one_shots {
            log::debug!("one-shot work `{work}` runs");
            let cause = match catch_unwind(AssertUnwindSafe(function)) {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(payload) => format!("it panicked: {}", panic_text(&*payload)),
            };
            return Err(OneShotError { work: work.to_string(), cause }.into());
        }
        let (statistics_period, expected) = (options.get_statistics_period(), options.get_expected_results());
        Ok(StartedRun { name, scheduler, statistics_period, observers, job, chart, expected, start })
    }
}

impl StartedRun {
    /// Takes the observers out, for the scheduler.
    pub fn take_observers(&mut self) -> Vec<Box<dyn Observer>> {
        std::mem::take(&mut self.observers)
    }

    /// Makes the outcome of a run, and writes its ending into the job's folder.
    pub fn finish(self, ran: Result<(), Error>) -> Result<Outcome, Error> {
        let (mut outcome, stalled) = self.scheduler.take_outcome();
        let arrived = (outcome.done + outcome.failed_count).saturating_sub(outcome.errors_count);
        outcome.missing = self.expected.map_or(0, |expected| expected.saturating_sub(arrived));
        outcome.elapsed = self.start.elapsed();
        if let Some(job) = &self.job {
            job.write_numbers(outcome.elapsed, &outcome.works);
            if let Some(chart) = &self.chart {
                chart.end(outcome.elapsed, &outcome.works);
                if let Err(error) = chart.write_into(job.path(), &self.name) {
                    log::warn!("the Gantt chart cannot be written into `{}`: {error}", job.path().display());
                }
            }
        }
        let outcome = ran.and_then(|()| match stalled {
            Some(stalled) => {
                let errors = outcome.failed.into_iter().map(|(_, error)| error).collect();
                Err(Stalled { errors, ..stalled }.into())
            }
            None => Ok(outcome),
        });
        if let Some(job) = self.job {
            let outcome = match job.take_lost() {
                Some(lost) => Err(lost.into()),
                None => outcome,
            };
            job.finish(&match &outcome {
                Ok(outcome) => outcome.ending.to_string(),
                Err(error) if error.is_cancelled() => "cancelled".to_owned(),
                Err(_) => "error".to_owned(),
            });
            return outcome;
        }
        outcome
    }
}
