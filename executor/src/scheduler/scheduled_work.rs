//! A work as the scheduler sees it: the work, and the measured time of its calls.
//!
//! Works take from nanoseconds to minutes, and nobody says beforehand which one takes how long. So each call is
//! timed. From the mean time follow two decisions: how many items a worker takes at once, and whether waiting
//! items are worth another worker.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{Notify, resources::Resources};
use crate::{
    graph::{AnyQueue, Batch, CalledWork, Kind, TaskBatch, TaskWork, Work, WorkSettings},
    run::WorkStatistics,
};

/// The approximate cost of giving work to a thread: waking it, and being woken by it.
const THREAD_SWITCH: Duration = Duration::from_micros(50);

/// How long one batch of quick items may take. A batch of one item would cost less than the lock around it.
const BATCH_TIME: Duration = Duration::from_micros(20);

/// How a work is called.
pub(crate) enum Body {
    /// In a thread.
    Called(Arc<dyn CalledWork>),
    /// On the thread of the loops, and awaited.
    Task(Arc<dyn TaskWork>),
}

impl Body {
    fn work(&self) -> &dyn Work {
        match self {
            Body::Called(work) => &**work,
            Body::Task(work) => &**work,
        }
    }
}

/// A work, and what the scheduler knows of it.
pub(crate) struct ScheduledWork {
    pub name: Arc<str>,
    pub kind: Kind,
    body: Body,
    pub priority: i32,
    /// How many calls run at once.
    pub max_workers: usize,
    /// What a call uses: the indices of resources, and how much.
    pub uses: Vec<(usize, u64)>,
    /// Asks the work's loop to start a worker.
    pub worker_requests: Notify,
    /// The mean time of a call, ns. It is 0 before the first call. It decides, and follows changes quickly.
    mean_call: AtomicU64,
    /// The queues that it takes from.
    inputs: Vec<Arc<dyn AnyQueue>>,
    calls: AtomicU64,
    failed: AtomicU64,
    retries: AtomicU64,
    /// The time of all calls, ns.
    busy: AtomicU64,
    /// How long all items together have waited, ns.
    waited: AtomicU64,
}

impl ScheduledWork {
    pub fn new(
        (name, kind, body): (Arc<str>, Kind, Body),
        settings: &WorkSettings,
        resources: &Resources,
        max_workers: usize,
        inputs: Vec<Arc<dyn AnyQueue>>,
    ) -> ScheduledWork {
        let uses = settings.uses.iter().filter_map(|(resource, amount)| {
            // A resource that does not exist was refused before.
            Some((resources.index_of(resource)?, *amount))
        });
        ScheduledWork {
            name,
            kind,
            body,
            priority: settings.priority,
            max_workers: settings.max_workers.unwrap_or(max_workers),
            uses: uses.collect(),
            worker_requests: Notify::default(),
            inputs,
            mean_call: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            waited: AtomicU64::new(0),
        }
    }

    /// The work, whatever its body is.
    pub fn work(&self) -> &dyn Work {
        self.body.work()
    }

    pub fn is_task(&self) -> bool {
        matches!(self.body, Body::Task(_))
    }

    /// An empty batch, if the work is called in threads.
    pub fn new_batch(&self) -> Option<Box<dyn Batch>> {
        match &self.body {
            Body::Called(work) => Some(work.clone().new_batch()),
            Body::Task(_) => None,
        }
    }

    /// An empty batch, if the work is a task.
    pub fn new_task_batch(&self) -> Option<Box<dyn TaskBatch>> {
        match &self.body {
            Body::Called(_) => None,
            Body::Task(work) => Some(work.clone().new_batch()),
        }
    }

    /// How many items wait in its inputs.
    fn waiting(&self) -> usize {
        self.inputs.iter().map(|queue| queue.len()).sum()
    }

    /// Adds the time that items have waited since the last look.
    pub fn record_wait(&self, elapsed: Duration) {
        let waited = self.waiting() as u64 * elapsed.as_nanos() as u64;
        self.waited.fetch_add(waited, Relaxed);
    }

    /// Counts a call that has failed.
    pub fn record_failure(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    /// Counts an attempt that has failed and is not the last.
    pub fn record_retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    /// The numbers of the work, of which so many calls run.
    pub fn statistics(&self, running: usize, max_workers: usize) -> WorkStatistics {
        let taken: usize = self.inputs.iter().map(|queue| queue.popped()).sum();
        let waited = self.waited.load(Relaxed);
        WorkStatistics {
            work: self.name.to_string(),
            kind: self.kind,
            calls: self.calls.load(Relaxed),
            failed: self.failed.load(Relaxed),
            retries: self.retries.load(Relaxed),
            busy: Duration::from_nanos(self.busy.load(Relaxed)),
            running,
            max_workers,
            waiting: self.waiting(),
            mean_wait: (waited > 0 && taken > 0).then(|| Duration::from_nanos(waited / taken as u64)),
        }
    }

    /// How many of the items that are ready a worker takes at once.
    pub fn batch_size(&self, ready: usize) -> usize {
        match self.mean_call.load(Relaxed) {
            _ if self.work().takes_one_at_a_time() => 1,
            // The first call shows how long calls are.
            0 => 1,
            mean => ready.min((BATCH_TIME.as_nanos() as u64 / mean).max(1) as usize),
        }
    }

    /// Is it worth a thread switch to give the ready items to another worker, if the present worker will be
    /// busy for `busy_for` before it can take them?
    pub fn is_worth_a_worker(&self, ready: usize, busy_for: Duration) -> bool {
        match self.mean_call.load(Relaxed) {
            0 => true,
            mean => {
                busy_for.saturating_add(Duration::from_nanos(mean.saturating_mul(ready as u64)))
                    >= THREAD_SWITCH
            }
        }
    }

    /// The expected time of so many calls.
    pub fn expected_time(&self, calls: usize) -> Duration {
        match self.mean_call.load(Relaxed) {
            0 => Duration::MAX,
            mean => Duration::from_nanos(mean.saturating_mul(calls as u64)),
        }
    }

    /// Records the time of calls that were made. The mean is a moving one: older calls count less.
    pub fn record_time(&self, calls: usize, elapsed: Duration) {
        if calls == 0 {
            return;
        }
        self.calls.fetch_add(calls as u64, Relaxed);
        self.busy.fetch_add(elapsed.as_nanos() as u64, Relaxed);
        let new = (elapsed.as_nanos() as u64 / calls as u64).max(1);
        let old = self.mean_call.load(Relaxed);
        let mean = if old == 0 { new } else { (3 * (old / 4)).saturating_add(new / 4).max(1) };
        self.mean_call.store(mean, Relaxed);
    }
}
