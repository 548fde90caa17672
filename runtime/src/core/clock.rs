//! Clocks: where a run's time comes from.

use std::time::Instant;

/// A source of time for a run: seconds, monotonic, with an origin that means nothing.
///
/// [`SystemClock`] is the default; [`MockClock`](crate::testing::MockClock) is for tests. Mirrors
/// trio's `Clock`.
pub trait Clock {
    /// Called once, when the run starts.
    fn start(&self) {}
    /// The time now, in seconds.
    fn now(&self) -> f64;
    /// How many real seconds to sleep until `deadline` (in this clock's seconds, maybe infinite).
    fn deadline_to_sleep_time(&self, deadline: f64) -> f64;
    /// For how many real seconds a run must have been idle before [`Clock::autojump`] is called;
    /// none if the clock does not jump.
    fn autojump_threshold(&self) -> Option<f64> {
        None
    }
    /// The run is idle: jump to `deadline`.
    fn autojump(&self, deadline: f64) {
        let _ = deadline;
    }
}

/// The machine's monotonic clock, with a random offset so that nobody relies on its origin.
#[derive(Debug)]
pub struct SystemClock {
    base: Instant,
    offset: f64,
}

impl SystemClock {
    /// A clock with an origin of its own.
    pub fn new() -> SystemClock {
        SystemClock { base: Instant::now(), offset: 10_000.0 + 1e6 * fastrand::f64() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> f64 {
        self.offset + self.base.elapsed().as_secs_f64()
    }

    fn deadline_to_sleep_time(&self, deadline: f64) -> f64 {
        deadline - self.now()
    }
}
