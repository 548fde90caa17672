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

use super::Notify;
use crate::graph::{Kind, Work};

/// The approximate cost of giving work to a thread: waking it, and being woken by it.
const THREAD_SWITCH: Duration = Duration::from_micros(50);

/// How long one batch of quick items may take. A batch of one item would cost less than the lock around it.
const BATCH_TIME: Duration = Duration::from_micros(20);

/// A work, and what the scheduler knows of it.
pub(crate) struct ScheduledWork {
    pub name: Arc<str>,
    pub kind: Kind,
    pub work: Arc<dyn Work>,
    /// Asks the work's loop to start a worker.
    pub worker_requests: Notify,
    /// The mean time of a call, ns. It is 0 before the first call.
    mean_call: AtomicU64,
}

impl ScheduledWork {
    pub fn new(name: Arc<str>, kind: Kind, work: Arc<dyn Work>) -> ScheduledWork {
        ScheduledWork { name, kind, work, worker_requests: Notify::default(), mean_call: AtomicU64::new(0) }
    }

    /// How many of the items that are ready a worker takes at once.
    pub fn batch_size(&self, ready: usize) -> usize {
        match self.mean_call.load(Relaxed) {
            _ if self.work.takes_one_at_a_time() => 1,
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
        let new = (elapsed.as_nanos() as u64 / calls as u64).max(1);
        let old = self.mean_call.load(Relaxed);
        let mean = if old == 0 { new } else { (3 * (old / 4)).saturating_add(new / 4).max(1) };
        self.mean_call.store(mean, Relaxed);
    }
}
