//! What is known of the items, during a run and after it.

use super::{ScheduledWork, Scheduler};
use crate::{
    graph::{ItemError, Key},
    run::{Ending, Gathered, Stalled, Statistics, Unfinished, Unused},
};

/// What has become of the items of a run.
pub(crate) struct RunSummary {
    pub ending: Ending,
    pub done: usize,
    pub failed: Vec<(Key, ItemError)>,
    pub errors: Vec<ItemError>,
    pub unused: Vec<Unused>,
    pub unfinished: Vec<Unfinished>,
    pub gathered: Vec<Gathered>,
    pub stalled: Option<Stalled>,
}

impl Scheduler {
    /// What the run does at this moment.
    pub fn statistics(&self) -> Statistics {
        let state = self.lock();
        Statistics {
            io_workers: state.busy_io,
            cpu_workers: state.busy_cpu,
            waiting: self.queues.iter().map(|queue| (queue.name().to_owned(), queue.len())).collect(),
            done: state.progress.done,
            failed: state.failed.len(),
        }
    }

    /// The summary of the run. All workers must have left.
    pub fn take_summary(&self) -> RunSummary {
        let mut state = self.lock();
        // Items that a join has moved to the end after the last delivery.
        let mut arrived = std::mem::take(&mut state.progress.arrived);
        // Errors that a work has taken out of its queues and dropped. Nobody else would report them.
        let dropped: Vec<ItemError> =
            state.progress.raised.drain(..).filter(|error| !error.is_counted()).collect();
        arrived.extend(dropped.into_iter().map(|error| (error.key().clone(), Some(error))));
        for (key, error) in arrived {
            self.report_arrival(&key, error.as_ref());
            state.failed.extend(error.map(|error| (key, error)));
        }
        let errors = std::mem::take(&mut state.progress.work_errors);
        let unused = std::mem::take(&mut state.progress.unused);
        let finished = if errors.is_empty() { Ending::Finished } else { Ending::Failed };
        RunSummary {
            ending: state.early_ending.unwrap_or(finished),
            done: state.progress.done,
            failed: std::mem::take(&mut state.failed),
            errors,
            unused: unused.into_iter().map(|(work, key)| Unused { work: work.to_string(), key }).collect(),
            unfinished: self.unfinished(),
            gathered: self.gathered(),
            stalled: state.stalled.take(),
        }
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
