//! Time: the clock, sleeping, and time limits.

use crate::{
    CancelScope, Cancelled, Error, checkpoint,
    core::{
        deadlines::{DeadlineKey, Due},
        run::{self, Run},
        wait::Blocked,
    },
    scope::current_cancellation,
};
use std::{error::Error as StdError, fmt, future::poll_fn, rc::Rc, task::Poll, time::Duration};

/// A length of time: a `Duration`, or a number of seconds as in trio (infinity: for ever).
pub trait Seconds {
    /// The length in seconds.
    fn seconds(self) -> f64;

    /// The length, if it makes sense.
    ///
    /// # Panics
    /// If it is negative or NaN; the message names `argument`.
    fn checked_seconds(self, argument: &str) -> f64
    where
        Self: Sized,
    {
        let seconds = self.seconds();
        assert!(
            seconds >= 0.0,
            "{argument} must be a number of seconds that is not negative, and is {seconds}"
        );
        seconds
    }
}

impl Seconds for f64 {
    fn seconds(self) -> f64 {
        self
    }
}

impl Seconds for Duration {
    fn seconds(self) -> f64 {
        self.as_secs_f64()
    }
}

/// The time on the run's clock, in seconds. Monotonic; its origin means nothing.
///
/// # Panics
/// Outside a run.
pub fn current_time() -> f64 {
    run::current().clock.now()
}

/// Sleeps for a time; zero is a plain checkpoint. trio's `sleep`.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// [`Cancelled`] in a cancelled region.
///
/// # Panics
/// If the time is negative or NaN; outside a run.
///
/// ```
/// use std::time::Duration;
/// # terzetto::run(async {
/// terzetto::sleep(0.001).await?;
/// terzetto::sleep(Duration::from_millis(1)).await?;
/// # Ok(())
/// # }).unwrap();
/// ```
pub async fn sleep(time: impl Seconds) -> Result<(), Cancelled> {
    let seconds = time.checked_seconds("the time to sleep");
    if seconds == 0.0 {
        return checkpoint().await;
    }
    let run = run::current();
    let until = run.clock.now() + seconds;
    block_until(run, until).await
}

/// Sleeps until the run's clock shows `time`; a time in the past is a plain checkpoint.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// [`Cancelled`] in a cancelled region.
///
/// # Panics
/// If `time` is NaN; outside a run.
pub async fn sleep_until(time: f64) -> Result<(), Cancelled> {
    assert!(!time.is_nan(), "the time to sleep until must not be NaN");
    let run = run::current();
    if time <= run.clock.now() {
        return checkpoint().await;
    }
    block_until(run, time).await
}

/// Sleeps until cancelled.
///
/// # Cancellation
/// A checkpoint; it ends in no other way.
///
/// # Errors
/// [`Cancelled`], always.
///
/// # Panics
/// Outside a run.
pub async fn sleep_forever() -> Result<(), Cancelled> {
    block_until(run::current(), f64::INFINITY).await
}

/// An entry in the table of deadlines that leaves it with the sleeper.
struct Timer(Rc<Run>, DeadlineKey);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.deadlines.borrow_mut().remove(self.1);
    }
}

async fn block_until(run: Rc<Run>, time: f64) -> Result<(), Cancelled> {
    let mut sleeping: Option<(Option<Timer>, Blocked)> = None;
    poll_fn(|cx| {
        if let Some((_, blocked)) = &sleeping {
            return blocked.poll(cx);
        }
        sleeping.get_or_insert_with(|| {
            let blocked = Blocked::new(run.clone(), cx, run.operations.sleep.clone(), 0);
            let timer = (time < f64::INFINITY).then(|| {
                let key = run.deadlines.borrow_mut().add(time, Due::Wake(blocked.id()));
                Timer(run.clone(), key)
            });
            blocked.arm();
            (timer, blocked)
        });
        // If it is cancelled already, it goes on with the next tick.
        Poll::Pending
    })
    .await?;
    // As in trio, where a sleep is a scope with a deadline: if the region was cancelled in the tick
    // in which the sleep ended, the outer cancellation is the one that counts.
    match current_cancellation(&run) {
        Some(cancelled) => Err(cancelled),
        None => Ok(()),
    }
}

/// Runs `inside` for at most `timeout`: `Ok(None)` if the time ran out. trio's `move_on_after`.
///
/// # Cancellation
/// Not a checkpoint by itself.
///
/// # Errors
/// What `inside` fails with.
///
/// # Panics
/// If the time is negative or NaN; outside a run.
///
/// ```
/// use terzetto::{move_on_after, sleep};
/// # terzetto::run(async {
/// let slow = move_on_after(0.001, async { sleep(60.0).await?; Ok("done") }).await?;
/// assert_eq!(slow, None);
/// # Ok(())
/// # }).unwrap();
/// ```
pub async fn move_on_after<T>(
    timeout: impl Seconds,
    inside: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    CancelScope::with_timeout(timeout).run(inside).await
}

/// As [`move_on_after`], with a time on the run's clock.
///
/// # Errors
/// What `inside` fails with.
///
/// # Panics
/// If `deadline` is NaN; outside a run.
pub async fn move_on_at<T>(
    deadline: f64,
    inside: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    CancelScope::with_deadline(deadline).run(inside).await
}

/// A time limit given to [`fail_after`] or [`fail_at`] was not kept; trio's `TooSlowError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time limit has passed")
    }
}

impl StdError for TooSlow {}

/// As [`move_on_after`], but running out of time is the error [`TooSlow`]. trio's `fail_after`.
///
/// # Errors
/// [`TooSlow`], or what `inside` fails with.
///
/// # Panics
/// If the time is negative or NaN; outside a run.
pub async fn fail_after<T>(
    timeout: impl Seconds,
    inside: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    move_on_after(timeout, inside).await?.ok_or_else(|| TooSlow.into())
}

/// As [`fail_after`], with a time on the run's clock.
///
/// # Errors
/// [`TooSlow`], or what `inside` fails with.
///
/// # Panics
/// If `deadline` is NaN; outside a run.
pub async fn fail_at<T>(deadline: f64, inside: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    move_on_at(deadline, inside).await?.ok_or_else(|| TooSlow.into())
}
