//! A worker: it goes from item to item, in its thread, until there is nothing to do.

use std::{
    cell::RefCell,
    sync::Arc,
    time::{Duration, Instant},
};

use terzetto::observe::work_span;

use super::{ScheduledWork, Scheduler, SchedulerState, Who};
use crate::graph::{Batch, BoxError, CallContext, ItemError, Key};

/// A worker, from its arrival to its departure.
pub(crate) struct Worker {
    scheduler: Arc<Scheduler>,
    /// The worker's batch of each work, made when it is first needed.
    batches: Vec<Option<Box<dyn Batch>>>,
    /// Items that have arrived at the end of the graph, to be reported without the lock.
    arrived: Vec<(Key, Option<ItemError>)>,
    /// Errors that end the run.
    errors: Vec<ItemError>,
    /// The work whose batch has items now.
    next: Option<usize>,
    /// Has the worker found nothing to do? Then the scheduler no longer counts it.
    left: bool,
}

impl Worker {
    /// A worker that the scheduler has requested for a work.
    pub fn requested(scheduler: &Arc<Scheduler>, work: usize) -> Worker {
        scheduler.requested_worker_arrived(work);
        Worker::new(scheduler)
    }

    /// A worker that nobody has requested.
    pub fn unrequested(scheduler: &Arc<Scheduler>) -> Worker {
        scheduler.unrequested_worker_arrived();
        Worker::new(scheduler)
    }

    fn new(scheduler: &Arc<Scheduler>) -> Worker {
        let batches = scheduler.works.iter().map(|_| None).collect();
        let scheduler = scheduler.clone();
        Worker { scheduler, batches, arrived: Vec::new(), errors: Vec::new(), next: None, left: false }
    }

    /// Runs the next batch. Returns false if there is nothing left to do; the worker has left then.
    pub fn step(&mut self) -> bool {
        let scheduler = self.scheduler.clone();
        if self.next.is_none() && !self.left {
            self.take(&mut scheduler.lock());
        }
        let Some((index, batch)) =
            self.next.take().and_then(|index| Some((index, self.batches[index].as_mut()?)))
        else {
            return false;
        };
        let work = &scheduler.works[index];
        let start = Instant::now();
        let context = WorkerContext::new(&scheduler, index);
        let span = work_span(&work.name);
        let calls = batch.run(&context);
        drop(span);
        work.record_time(calls, start.elapsed());
        let (mut raised, mut errors) = context.into_errors();
        self.errors.append(&mut errors);
        // Delivering and taking the next batch share one lock.
        let mut state = scheduler.lock();
        state.progress.raised.append(&mut raised);
        batch.deliver(&mut state.progress);
        scheduler.delivered(&mut state, index, &mut self.arrived);
        self.take(&mut state);
        drop(state);
        for (key, error) in self.arrived.drain(..) {
            scheduler.report_arrival(&key, error.as_ref());
        }
        self.next.is_some()
    }

    /// Takes the next batch, or leaves.
    fn take(&mut self, state: &mut SchedulerState) {
        let Some((index, count)) = self.scheduler.next(state, Who::Thread) else {
            // The worker leaves under the lock under which it found nothing. So if two workers find
            // nothing, the second one sees that it is the last.
            self.left = true;
            state.workers -= 1;
            return;
        };
        let work = &self.scheduler.works[index];
        if self.batches[index].is_none() {
            self.batches[index] = work.new_batch();
        }
        if let Some(batch) = &mut self.batches[index] {
            batch.take(count);
        }
        self.next = Some(index);
        self.scheduler.request_worker(state, work.expected_time(count));
    }

    /// The errors that have ended the run.
    pub fn take_errors(&mut self) -> Vec<ItemError> {
        std::mem::take(&mut self.errors)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let scheduler = &self.scheduler;
        let mut state = scheduler.lock();
        if let Some(index) = self.next.take()
            && let Some(batch) = &mut self.batches[index]
        {
            // The items were taken and not used, so they go back to their queue.
            batch.deliver(&mut state.progress);
            scheduler.delivered(&mut state, index, &mut self.arrived);
        }
        state.workers -= 1;
    }
}

/// Passes the events of a batch on to the observers, and keeps the errors.
pub(super) struct WorkerContext<'a> {
    scheduler: &'a Scheduler,
    work: &'a ScheduledWork,
    /// All errors of the batch.
    raised: RefCell<Vec<ItemError>>,
    /// Those that end the run.
    errors: RefCell<Vec<ItemError>>,
}

impl<'a> WorkerContext<'a> {
    pub fn new(scheduler: &'a Scheduler, work: usize) -> Self {
        let work = &scheduler.works[work];
        WorkerContext { scheduler, work, raised: RefCell::default(), errors: RefCell::default() }
    }

    /// All errors of the batch, and those of them that end the run.
    pub fn into_errors(self) -> (Vec<ItemError>, Vec<ItemError>) {
        (self.raised.into_inner(), self.errors.into_inner())
    }
}

impl CallContext for WorkerContext<'_> {
    fn should_continue(&self) -> bool {
        !self.scheduler.is_closed()
    }

    fn wants_calls(&self) -> bool {
        !self.scheduler.observers().is_empty()
    }

    fn started(&self, key: &Key) {
        for observer in self.scheduler.observers() {
            observer.started(&self.work.name, key);
        }
    }

    fn finished(&self, key: &Key, elapsed: Duration, error: Option<&ItemError>) {
        for observer in self.scheduler.observers() {
            observer.finished(&self.work.name, key, elapsed, error);
        }
    }

    fn failed(&self, error: &ItemError) {
        for observer in self.scheduler.observers() {
            observer.failed(error);
        }
        self.raised.borrow_mut().push(error.clone());
        self.work.record_failure();
        self.scheduler.count_error(error);
        if self.scheduler.stop_if_error {
            self.errors.borrow_mut().push(error.clone());
            self.scheduler.close();
        }
    }

    fn retrying(&self, key: &Key, error: &BoxError, wait: Duration) {
        self.work.record_retry();
        log::info!("work `{}` failed on `{key}`: {error}; it is tried again in {wait:?}", self.work.name);
    }

    fn pause(&self, wait: Duration) -> bool {
        self.scheduler.pause(wait)
    }
}
