//! A work as the executor sees it: what it is, and how long its calls take.
//!
//! Works range from nanoseconds to minutes, and nobody says beforehand which one does what. So each
//! call is timed, and two decisions follow from the mean: how many items a worker takes at once, and
//! whether what waits is worth another thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use super::notify::Bell;
use crate::graph::{Kind, Work};

/// About what it costs to have a thread do something: to wake it, and to be woken in turn.
const HANDOVER: Duration = Duration::from_micros(50);

/// How long a worker may be away with one handful of items. Short works take several items at once,
/// since the lock between them would cost more than they do.
const HANDFUL: Duration = Duration::from_micros(20);

/// A work, and what is known of it.
pub(crate) struct Stage {
    pub name: Arc<str>,
    pub kind: Kind,
    pub work: Arc<dyn Work>,
    /// Calls its loop to start a worker.
    pub bell: Bell,
    /// About how long a call takes, ns; 0 while unknown.
    pace: AtomicU64,
}

impl Stage {
    pub fn new(name: Arc<str>, kind: Kind, work: Arc<dyn Work>) -> Stage {
        Stage { name, kind, work, bell: Bell::default(), pace: AtomicU64::new(0) }
    }

    /// How many items to take at once.
    pub fn handful(&self, ready: usize) -> usize {
        match self.pace.load(Relaxed) {
            _ if self.work.one_by_one() => 1,
            // The first call tells.
            0 => 1,
            pace => ready.min((HANDFUL.as_nanos() as u64 / pace).max(1) as usize),
        }
    }

    pub fn is_worth(&self, ready: usize, away: Duration) -> bool {
        match self.pace.load(Relaxed) {
            0 => true,
            pace => away.saturating_add(Duration::from_nanos(pace.saturating_mul(ready as u64))) >= HANDOVER,
        }
    }

    /// How long so many calls are expected to take.
    pub fn expected(&self, calls: usize) -> Duration {
        match self.pace.load(Relaxed) {
            0 => Duration::MAX,
            pace => Duration::from_nanos(pace.saturating_mul(calls as u64)),
        }
    }

    /// Learns from calls that were made: a mean that forgets.
    pub fn learn(&self, calls: usize, elapsed: Duration) {
        if calls == 0 {
            return;
        }
        let new = (elapsed.as_nanos() as u64 / calls as u64).max(1);
        let old = self.pace.load(Relaxed);
        let mean = if old == 0 { new } else { (3 * (old / 4)).saturating_add(new / 4).max(1) };
        self.pace.store(mean, Relaxed);
    }
}
