//! A worker of a task: it calls the task's function for one item after the other, and awaits it. It is a task of the
//! nursery, and runs nothing else.

use std::{sync::Arc, time::Duration, time::Instant};

use terzetto::Error;

use super::{Scheduler, SchedulerState, Who, worker::WorkerContext};
use crate::graph::{ItemError, Key, TaskBatch};

/// A worker of a task, from its arrival to its departure.
pub(crate) struct TaskWorker {
    scheduler: Arc<Scheduler>,
    work: usize,
    batch: Option<Box<dyn TaskBatch>>,
    /// Items that have arrived at the end of the graph, to be reported without the lock.
    arrived: Vec<(Key, Option<ItemError>)>,
    /// Errors that end the run.
    errors: Vec<ItemError>,
    /// Has the worker an item now?
    has_item: bool,
    /// Has the worker found nothing to do? Then the scheduler no longer counts it.
    left: bool,
}

impl TaskWorker {
    /// A worker that the scheduler has requested for a task.
    pub fn requested(scheduler: &Arc<Scheduler>, work: usize) -> TaskWorker {
        scheduler.requested_worker_arrived(work);
        TaskWorker {
            scheduler: scheduler.clone(),
            work,
            batch: scheduler.works[work].new_task_batch(),
            arrived: Vec::new(),
            errors: Vec::new(),
            has_item: false,
            left: false,
        }
    }

    /// Awaits one call after the other. Returns the errors that end the run.
    ///
    /// # Errors
    /// A cancellation. The item whose call was cancelled is recorded as interrupted.
    pub async fn run(mut self) -> Result<Vec<ItemError>, Error> {
        let scheduler = self.scheduler.clone();
        self.take(&mut scheduler.lock());
        while self.has_item {
            let Some(batch) = &mut self.batch else { break };
            let start = Instant::now();
            let context = WorkerContext::new(&scheduler, self.work);
            // If this is cancelled or dropped, `drop` delivers.
            let calls = batch.run(&context).await?;
            scheduler.works[self.work].record_time(calls, start.elapsed());
            let (mut raised, mut errors) = context.into_errors();
            self.errors.append(&mut errors);
            let mut state = scheduler.lock();
            state.progress.raised.append(&mut raised);
            self.deliver(&mut state);
            self.take(&mut state);
            drop(state);
            for (key, error) in self.arrived.drain(..) {
                scheduler.report_arrival(&key, error.as_ref());
            }
        }
        Ok(std::mem::take(&mut self.errors))
    }

    fn deliver(&mut self, state: &mut SchedulerState) {
        self.has_item = false;
        if let Some(batch) = &mut self.batch {
            batch.deliver(&mut state.progress);
        }
        self.scheduler.clone().delivered(state, self.work, &mut self.arrived);
    }

    /// Takes the next item, or leaves.
    fn take(&mut self, state: &mut SchedulerState) {
        if self.scheduler.next(state, Who::Task(self.work)).is_none() {
            self.leave(state);
            return;
        }
        if let Some(batch) = &mut self.batch {
            batch.take();
        }
        self.has_item = true;
        // This worker does nothing but its task, so that others are needed for all else.
        self.scheduler.request_worker(state, Duration::MAX);
    }

    fn leave(&mut self, state: &mut SchedulerState) {
        self.left = true;
        state.workers -= 1;
        state.task_workers -= 1;
    }
}

impl Drop for TaskWorker {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let scheduler = self.scheduler.clone();
        let mut state = scheduler.lock();
        if self.has_item {
            self.deliver(&mut state);
        }
        self.leave(&mut state);
        drop(state);
        for (key, error) in self.arrived.drain(..) {
            scheduler.report_arrival(&key, error.as_ref());
        }
    }
}
