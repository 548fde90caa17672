//! What is known of the items, during a run and after it.

use std::{sync::Arc, time::Duration};

use super::{FlowNode, ScheduledWork, Scheduler, SchedulerState};
use crate::{
    graph::{ItemError, Key},
    run::{Ending, Gathered, Outcome, Stalled, Statistics, Unfinished, Unused, WorkStatistics},
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
            works: self.work_statistics(&state),
        }
    }

    /// What each work has done, in the direction of flow.
    fn work_statistics(&self, state: &SchedulerState) -> Vec<WorkStatistics> {
        let index = |node: &FlowNode| match node {
            FlowNode::Work(index) => Some(*index),
            FlowNode::Join(_) => None,
        };
        let of_work = |index: usize| {
            let work = &self.works[index];
            let of_kind = if self.single_worker && !work.is_task() { 1 } else { work.max_workers };
            work.statistics(state.running[index], of_kind)
        };
        self.flow.iter().filter_map(index).map(of_work).collect()
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
        let interrupted = std::mem::take(&mut state.progress.interrupted);
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
            unfinished: self.unfinished(&interrupted),
            gathered: self.gathered(),
            missing: 0,
            works: self.work_statistics(&state),
            gave_up: state.gave_up.take(),
            elapsed: Duration::ZERO,
        };
        (outcome, state.stalled.take())
    }

    /// The items that have not arrived: in queues, in joins, in sources, in calls that were cancelled.
    fn unfinished(&self, interrupted: &[(Arc<str>, Key)]) -> Vec<Unfinished> {
        let queues = self.queues.iter().filter(|queue| !queue.keeps_results());
        let queues = queues.map(|queue| (queue.name(), queue.keys()));
        let joins = self.joins.iter().map(|join| (join.name(), join.held()));
        let sources = self.works.iter().filter(|work| !work.work().is_exhausted());
        let in_calls = self.works.iter().map(|work| {
            let of_work = interrupted.iter().filter(|(name, _)| *name == work.name);
            (&*work.name, of_work.map(|(_, key)| key.clone()).collect::<Vec<Key>>())
        });
        let waiting = queues.chain(joins).chain(in_calls).filter(|(_, keys)| !keys.is_empty());
        waiting
            .chain(sources.map(|work| (&*work.name, Vec::new())))
            .map(|(at, keys)| Unfinished { at: at.to_owned(), keys })
            .collect()
    }

    /// How many items went through each work that may take and make different numbers.
    fn gathered(&self) -> Vec<Gathered> {
        let counts = |work: &ScheduledWork| {
            let (taken, made) = work.work().gathered()?;
            Some(Gathered { work: work.name.to_string(), taken, made })
        };
        self.works.iter().filter_map(counts).collect()
    }
}
