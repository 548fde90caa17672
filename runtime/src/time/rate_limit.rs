//! Rate limits: a token bucket.
//!
//! A bucket holds some tokens, and gets new ones at a steady rate until it is full. Each thing that is done takes one.
//! So a few things may be done at once, and many only at the rate.
//!
//! The bucket is a single number: the time at which it is full. To take a token is to move that time by the time that a
//! token takes to come. This is the generic cell rate algorithm (ITU-T I.371). So no task fills the bucket, and tokens
//! come while nobody looks.
//!
//! Who waits has a place in a queue, and only the first in it looks at the bucket. So a large request is not overtaken
//! by small ones, and who leaves the queue, even the first, delays nobody.

use crate::{
    Cancelled,
    core::seconds::Seconds,
    current_time, sleep_until,
    sync::{AcquireError, Semaphore},
};
use std::{cell::Cell, fmt, rc::Rc};

struct Bucket {
    /// How many tokens it holds.
    burst: usize,
    /// The time that a token takes to come.
    interval: f64,
    /// When it is full, on the run's clock.
    full_at: Cell<f64>,
    /// Its one permit is with who is first in the queue.
    first_in_queue: Semaphore,
}

impl Bucket {
    /// Takes so many tokens, or says when they will be there.
    fn take(&self, count: usize) -> Result<(), f64> {
        let (now, whole) = (current_time(), self.burst as f64 * self.interval);
        // An empty bucket is full after this time. A later time is of the clock of another run.
        let possible = self.full_at.get().min(now + whole);
        self.full_at.set(possible);
        let full_at = possible.max(now) + count as f64 * self.interval;
        let at = full_at - whole;
        if at > now {
            return Err(at);
        }
        self.full_at.set(full_at);
        Ok(())
    }
}

/// Limits how often something is done: so many times in a period, in the order of asking. aiolimiter's `AsyncLimiter`.
/// Clones are the same limiter.
///
/// It has a number of tokens, which come back with time. To limit how many do something at once, use a
/// [`CapacityLimiter`](crate::sync::CapacityLimiter).
///
/// ```
/// use terzetto::{current_time, time::RateLimiter};
/// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
/// // Ten requests in a second, of which no more than two at once.
/// let limiter = RateLimiter::new(10, 1.0).burst(2);
/// let start = current_time();
/// for _request in 0..7 {
///     limiter.acquire().await?;
/// }
/// // Two were free, and five took a tenth of a second each.
/// assert!((current_time() - start - 0.5).abs() < 1e-9);
/// # Ok(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct RateLimiter {
    bucket: Rc<Bucket>,
}

impl RateLimiter {
    /// A limit of `count` in each `period`. All of them may be done at once, at first and after a period in which
    /// nothing was done.
    ///
    /// # Panics
    /// If the count is zero. If the period is zero, negative, infinite or NaN.
    pub fn new(count: usize, period: impl Seconds) -> RateLimiter {
        let period = period.checked_seconds("the period");
        assert!(count > 0, "the count of a rate limiter must be at least 1");
        assert!(
            period > 0.0 && period.is_finite(),
            "the period of a rate limiter must be longer than zero and finite, and is {period}"
        );
        RateLimiter::with(count, period / count as f64)
    }

    fn with(burst: usize, interval: f64) -> RateLimiter {
        let first_in_queue = Semaphore::named(1, "waiting for a rate limiter");
        let full_at = Cell::new(f64::NEG_INFINITY);
        RateLimiter { bucket: Rc::new(Bucket { burst, interval, full_at, first_in_queue }) }
    }

    /// A new limiter with the same rate and with another bound on what is done at once.
    ///
    /// # Panics
    /// If the bound is zero.
    pub fn burst(&self, burst: usize) -> RateLimiter {
        assert!(burst > 0, "the burst of a rate limiter must be at least 1");
        RateLimiter::with(burst, self.bucket.interval)
    }

    /// Takes a token, waiting until it is there.
    ///
    /// # Cancellation
    /// A checkpoint. The token is taken in the moment in which this returns. So none was taken if it is cancelled, or
    /// if the future is dropped, and those behind move up. A future that has begun and is not polled any more keeps its
    /// place, and those behind wait for it.
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled scope.
    ///
    /// # Panics
    /// Outside a run.
    pub async fn acquire(&self) -> Result<(), Cancelled> {
        self.acquire_many(1).await
    }

    /// Takes several tokens together: for requests that weigh more than others, or bytes.
    ///
    /// # Cancellation
    /// As [`RateLimiter::acquire`].
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled scope.
    ///
    /// # Panics
    /// If they are more than can be there at once. Outside a run.
    pub async fn acquire_many(&self, count: usize) -> Result<(), Cancelled> {
        let bucket = &self.bucket;
        assert!(
            count <= bucket.burst,
            "{count} tokens were asked for at once, and the rate limiter never has more than {}",
            bucket.burst
        );
        let _first = bucket.first_in_queue.acquire().await?;
        while let Err(time) = bucket.take(count) {
            sleep_until(time).await?;
        }
        Ok(())
    }

    /// Takes a token without waiting.
    ///
    /// # Errors
    /// [`AcquireError::WouldBlock`] if there is none, or if others have asked before.
    ///
    /// # Panics
    /// Outside a run.
    pub fn acquire_nowait(&self) -> Result<(), AcquireError> {
        let _first = self.bucket.first_in_queue.acquire_nowait()?;
        self.bucket.take(1).map_err(|_| AcquireError::WouldBlock)
    }

    /// How many tasks wait, the first in the queue included.
    pub fn tasks_waiting(&self) -> usize {
        let queue = &self.bucket.first_in_queue;
        usize::from(queue.value() == 0) + queue.tasks_waiting()
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("burst", &self.bucket.burst)
            .field("interval", &self.bucket.interval)
            .field("tasks_waiting", &self.tasks_waiting())
            .finish()
    }
}
