//! What is known of the items, during a run and after it.

use std::time::Duration;

use super::{ScheduledWork, Scheduler};
use crate::{
    graph::ItemError,
    run::{Ending, Gathered, Outcome, Stalled, Statistics, Unfinished, Unused},
};

impl Scheduler {
    /// What the run does at this moment.
    pub fn statistics(&self) -> Statistics {
        let state = self.lock();
        Statistics {
            io_workers: state.busy_io,
            cpu_workers: state.busy_cpu,
            waiting: self.queues.iter().map(|queue| (queue.name().to_owned(), queue.len())).collect(),
            done: state.progress.done,
            failed: state.failed.count(),
        }
    }

    /// What has become of the items of the run, without what only its caller knows: the expected number and the
    /// time. And why the run could not go on, if it could not. All workers must have left.
    pub fn take_outcome(&self) -> (Outcome, Option<Stalled>) {
        let mut state = self.lock();
        // Items that a join has moved to the end after the last delivery.
        let mut arrived = std::mem::take(&mut state.progress.arrived);
        // Errors that a work has taken out of its queues and dropped. Nobody else would report them.
        let dropped: Vec<ItemError> =
            state.progress.raised.drain(..).filter(|error| !error.is_counted()).collect();
        arrived.extend(dropped.into_iter().map(|error| (error.key().clone(), Some(error))));
        for (key, error) in arrived {
            self.report_arrival(&key, error.as_ref());
            if let Some(error) = error {
                state.failed.add(key, error);
            }
        }
        let work_errors = std::mem::take(&mut state.progress.work_errors);
        let unused = std::mem::take(&mut state.progress.unused);
        let finished = if work_errors.count() == 0 { Ending::Finished } else { Ending::Failed };
        let failed = std::mem::take(&mut state.failed);
        let outcome = Outcome {
            ending: state.early_ending.unwrap_or(finished),
            done: state.progress.done,
            failed_count: failed.count(),
            failed: failed.into_kept(),
            errors_count: work_errors.count(),
            errors: work_errors.into_kept().into_iter().map(|(_, error)| error).collect(),
            unused: unused.into_iter().map(|(work, key)| Unused { work: work.to_string(), key }).collect(),
            unfinished: self.unfinished(),
            gathered: self.gathered(),
            missing: 0,
            gave_up: state.gave_up.take(),
            elapsed: Duration::ZERO,
        };
        (outcome, state.stalled.take())
    }

    /// The items that have not arrived: in queues, in joins, in sources.
    fn unfinished(&self) -> Vec<Unfinished> {
        let queues = self.queues.iter().filter(|queue| !queue.keeps_results());
        let queues = queues.map(|queue| (queue.name(), queue.keys()));
        let joins = self.joins.iter().map(|join| (join.name(), join.held()));
        let sources = self.works.iter().filter(|work| !work.work.is_exhausted());
        let waiting = queues.chain(joins).filter(|(_, keys)| !keys.is_empty());
        waiting
            .chain(sources.map(|work| (&*work.name, Vec::new())))
            .map(|(at, keys)| Unfinished { at: at.to_owned(), keys })
            .collect()
    }

    /// How many items went through each global work.
    fn gathered(&self) -> Vec<Gathered> {
        let counts = |work: &ScheduledWork| {
            let (taken, made) = work.work.gathered()?;
            Some(Gathered { work: work.name.to_string(), taken, made })
        };
        self.works.iter().filter_map(counts).collect()
    }
}
