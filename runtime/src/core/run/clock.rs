//! Clocks: where a run's time comes from.

use std::mem::MaybeUninit;

/// A source of time for a run. Its time is in seconds and never goes back. Its origin has no meaning.
///
/// [`SystemClock`] is the default; [`MockClock`](crate::testing::MockClock) is for tests. Mirrors
/// trio's `Clock`.
pub trait Clock {
    /// Called once, when the run starts.
    fn start(&self) {}
    /// The time now, in seconds.
    fn now(&self) -> f64;
    /// How many real seconds to sleep until `deadline`. The deadline is in this clock's seconds, and may be infinite.
    fn deadline_to_sleep_time(&self, deadline: f64) -> f64;
    /// For how many real seconds a run must have been idle before [`Clock::autojump`] is called. `None` means that
    /// the clock does not jump.
    fn autojump_threshold(&self) -> Option<f64> {
        None
    }
    /// Whether it is a clock for tests. Under such a clock a [deadlock](crate::Deadlock) is an error of the run, unless
    /// the [builder](crate::Builder::on_deadlock) says otherwise.
    fn is_for_tests(&self) -> bool {
        false
    }
    /// Called when the run is idle: jump to `deadline`.
    fn autojump(&self, deadline: f64) {
        let _ = deadline;
    }
}

/// The machine's monotonic clock, with a random offset so that nobody relies on its origin.
#[derive(Debug)]
pub struct SystemClock {
    /// The clock's time at the beginning.
    offset: f64,
    /// What the machine's clock showed at the beginning.
    base: f64,
}

/// Seconds on the machine's monotonic clock. A run reads it at least once a tick and once a timeout. `Instant` is not
/// used, since its checked arithmetic costs more than the reading.
#[inline]
pub(crate) fn monotonic() -> f64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the call writes a time to the given place, and to nothing else.
    let outcome = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr()) };
    assert!(outcome == 0, "the system has no monotonic clock");
    // SAFETY: the call has succeeded, so the time is written.
    let time = unsafe { time.assume_init() };
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

impl SystemClock {
    /// A clock with an origin of its own.
    pub fn new() -> SystemClock {
        SystemClock { offset: 10_000.0 + 1e6 * fastrand::f64(), base: monotonic() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> f64 {
        self.offset + (monotonic() - self.base)
    }

    fn deadline_to_sleep_time(&self, deadline: f64) -> f64 {
        deadline - self.now()
    }
}
