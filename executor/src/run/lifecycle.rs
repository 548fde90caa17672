//! Before and after: what every executor does around its works.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use terzetto::Error;

use super::{Control, Observer, OneShotError, Options, Outcome, outcome::Stalled};
use crate::{
    graph::{InvalidTopology, Topology, panic_text},
    job::{JobFolder, Record},
    scheduler::{Board, Left, OneShot},
};

/// A topology, checked and taken apart.
pub(super) struct Prepared {
    name: String,
    executor: &'static str,
    one_shots: Vec<OneShot>,
    board: Arc<Board>,
    options: Options,
    observers: Vec<Box<dyn Observer>>,
}

/// A run whose one-shot works have run.
pub(super) struct Started {
    pub board: Arc<Board>,
    pub sleep_time: Duration,
    observers: Vec<Box<dyn Observer>>,
    job: Option<JobFolder>,
    expected: Option<usize>,
    start: Instant,
}

impl Prepared {
    pub fn new(
        topology: Topology,
        options: Options,
        executor: &'static str,
        lone: bool,
    ) -> Result<Prepared, InvalidTopology> {
        topology.check()?;
        let name = topology.name().to_owned();
        let (one_shots, board) = Board::new(topology, &options, lone);
        Ok(Prepared { name, executor, one_shots, board: Arc::new(board), options, observers: Vec::new() })
    }

    pub fn observe(&mut self, observer: impl Observer + 'static) {
        self.observers.push(Box::new(observer));
    }

    pub fn control(&self) -> Control {
        Control { board: Arc::downgrade(&self.board) }
    }

    /// Makes the job's folder and runs the one-shot works.
    pub fn start(self) -> Result<Started, Error> {
        let Prepared { name, executor, one_shots, board, options, mut observers } = self;
        let start = Instant::now();
        let job = options.job(&name, executor)?;
        if let Some(job) = &job {
            observers.insert(0, Box::new(Record::new(job, options.level())));
        }
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
        let expected = options.expected();
        Ok(Started { board, sleep_time: options.period(), observers, job, expected, start })
    }
}

impl Started {
    /// The observers are for the board, which tells them.
    pub fn split(mut self) -> (Vec<Box<dyn Observer>>, Started) {
        (std::mem::take(&mut self.observers), self)
    }

    /// Tells what came of the run, to the job's folder, too.
    pub fn finish(self, ran: Result<(), Error>) -> Result<Outcome, Error> {
        let Left { ending, done, failed, errors, unused, unfinished, gathered, stalled } =
            self.board.take_left();
        let elapsed = self.start.elapsed();
        let arrived = (done + failed.len()).saturating_sub(errors.len());
        let missing = self.expected.map_or(0, |expected| expected.saturating_sub(arrived));
        let outcome = ran.and_then(|()| match stalled {
            Some(stalled) => {
                let errors = failed.into_iter().map(|(_, error)| error).collect();
                Err(Stalled { errors, ..stalled }.into())
            }
            None => {
                Ok(Outcome { ending, done, failed, errors, unused, unfinished, gathered, missing, elapsed })
            }
        });
        if let Some(job) = self.job {
            job.finish(&match &outcome {
                Ok(outcome) => format!("{:?}", outcome.ending).to_lowercase(),
                Err(error) if error.is_cancelled() => "cancelled".to_owned(),
                Err(_) => "error".to_owned(),
            });
        }
        outcome
    }
}
