//! What a topology says of one work: how many calls run at once, what they use, which goes first, what an error does.

use std::{fmt, time::Duration};

use super::BoxError;

/// When calls of a work may start.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkSettings {
    /// How many calls run at once. `None`: as many as the options of the run say.
    pub max_workers: Option<usize>,
    pub priority: i32,
    /// What each call uses of the named resources.
    pub uses: Vec<(String, u64)>,
}

/// Calls again what has failed. Between two attempts it waits, each time longer.
///
/// Only errors are tried again: a panic is a defect. The item keeps its key; if the last attempt fails, its error is
/// the item's error.
///
/// ```
/// use std::time::Duration;
/// use terzetto_executor::Retry;
///
/// let retry = Retry::new(5).wait(Duration::from_millis(100)).factor(2.0).max_wait(Duration::from_millis(500));
/// let waits: Vec<u128> = (0..5).map(|failures| retry.wait_after(failures).as_millis()).collect();
/// assert_eq!(waits, [100, 200, 400, 500, 500]);
/// ```
#[derive(Clone)]
pub struct Retry {
    times: u32,
    wait: Duration,
    factor: f64,
    max_wait: Duration,
    when: fn(&BoxError) -> bool,
}

impl Retry {
    /// Calls again up to so many times. Before the first time it waits for 1 s, before each further time twice as
    /// long, and for a minute at most.
    pub fn new(times: u32) -> Retry {
        let (wait, max_wait) = (Duration::from_secs(1), Duration::from_secs(60));
        Retry { times, wait, factor: 2.0, max_wait, when: |_| true }
    }

    /// How long it waits before the second attempt.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Retry {
        self.wait = wait;
        self
    }

    /// How many times longer it waits before each further attempt; at least 1.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Retry {
        self.factor = if factor.is_finite() { factor.max(1.0) } else { 1.0 };
        self
    }

    /// How long it waits at most.
    #[must_use]
    pub fn max_wait(mut self, wait: Duration) -> Retry {
        self.max_wait = wait;
        self
    }

    /// Which errors are worth another attempt. Default: all.
    #[must_use]
    pub fn when(mut self, is_worth_it: fn(&BoxError) -> bool) -> Retry {
        self.when = is_worth_it;
        self
    }

    /// See [`new`](Retry::new).
    pub fn get_times(&self) -> u32 {
        self.times
    }

    /// See [`wait`](Retry::wait).
    pub fn get_wait(&self) -> Duration {
        self.wait
    }

    /// See [`factor`](Retry::factor).
    pub fn get_factor(&self) -> f64 {
        self.factor
    }

    /// See [`max_wait`](Retry::max_wait).
    pub fn get_max_wait(&self) -> Duration {
        self.max_wait
    }

    /// How long it waits after so many failures before the last one.
    pub fn wait_after(&self, failures: u32) -> Duration {
        let factor = self.factor.powi(i32::try_from(failures).unwrap_or(i32::MAX));
        let seconds = self.wait.as_secs_f64() * factor;
        Duration::try_from_secs_f64(seconds).map_or(self.max_wait, |wait| wait.min(self.max_wait))
    }

    /// How long to wait before the next attempt. `None` if there is none. So many attempts have failed before.
    pub(super) fn next(&self, failures: u32, error: &BoxError) -> Option<Duration> {
        (failures < self.times && (self.when)(error)).then(|| self.wait_after(failures))
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Retry { times, wait, factor, max_wait, .. } = self;
        let mut out = f.debug_struct("Retry");
        out.field("times", times).field("wait", wait).field("factor", factor).field("max_wait", max_wait);
        out.finish_non_exhaustive()
    }
}

/// How a work tries an item again. The function clones its value.
pub(crate) type RetryOf<I> = (Retry, fn(&I) -> I);

/// A call of a task took longer than its [time limit](super::EachBuilder::time_limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimitExceeded {
    /// The limit.
    pub limit: Duration,
}

impl fmt::Display for TimeLimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it took longer than its time limit of {:?}", self.limit)
    }
}

impl std::error::Error for TimeLimitExceeded {}
