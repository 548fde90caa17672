//! What a topology says of one work: how many calls run at once, what they use, which goes first, what an error does.

use std::{fmt, time::Duration};

use terzetto::time::{Backoff, Delays};

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

/// How often, how late and after which errors a failed call is made again.
#[derive(Clone)]
pub(crate) struct Retries {
    pub times: u32,
    pub backoff: Backoff,
    pub retry_if: fn(&BoxError) -> bool,
}

impl Retries {
    /// The attempts at one item.
    pub fn attempts(&self) -> Attempts<'_> {
        Attempts { retries: self, left: self.times, delays: None }
    }
}

/// The attempts at one item.
pub(crate) struct Attempts<'a> {
    retries: &'a Retries,
    left: u32,
    delays: Option<Delays>,
}

impl Attempts<'_> {
    /// May the next attempt be followed by another one?
    pub fn may_follow(&self) -> bool {
        self.left > 0
    }

    /// How long to wait after this error until the next attempt. `None` if there is none.
    pub fn delay_after(&mut self, error: &BoxError) -> Option<Duration> {
        if self.left == 0 || !(self.retries.retry_if)(error) {
            return None;
        }
        self.left -= 1;
        let delays = self.delays.get_or_insert_with(|| self.retries.backoff.delays());
        Duration::try_from_secs_f64(delays.next()?).ok()
    }
}

/// How a work tries an item again. The function clones its value.
pub(crate) type RetryOf<I> = (Retries, fn(&I) -> I);

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
