//! Time limits.

use crate::{
    CancelScope, Error,
    core::{poll_tree::wrap, seconds::Seconds},
};
use std::{error::Error as StdError, fmt};

/// Runs `inside`, and cancels it when `timeout` is over: `Ok(None)` if that cut it short. It ends at its next
/// checkpoint that no shield hides. trio's `move_on_after`.
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
pub fn move_on_after<T>(
    timeout: impl Seconds,
    inside: impl Future<Output = Result<T, Error>>,
) -> impl Future<Output = Result<Option<T>, Error>> {
    CancelScope::with_timeout(timeout).run(inside)
}

/// As [`move_on_after`], with a time on the run's clock.
///
/// # Errors
/// What `inside` fails with.
///
/// # Panics
/// If `deadline` is NaN; outside a run.
pub fn move_on_at<T>(
    deadline: f64,
    inside: impl Future<Output = Result<T, Error>>,
) -> impl Future<Output = Result<Option<T>, Error>> {
    CancelScope::with_deadline(deadline).run(inside)
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
pub fn fail_after<T>(
    timeout: impl Seconds,
    inside: impl Future<Output = Result<T, Error>>,
) -> impl Future<Output = Result<T, Error>> {
    wrap::map(move_on_after(timeout, inside), in_time)
}

/// As [`fail_after`], with a time on the run's clock.
///
/// # Errors
/// [`TooSlow`], or what `inside` fails with.
///
/// # Panics
/// If `deadline` is NaN; outside a run.
pub fn fail_at<T>(
    deadline: f64,
    inside: impl Future<Output = Result<T, Error>>,
) -> impl Future<Output = Result<T, Error>> {
    wrap::map(move_on_at(deadline, inside), in_time)
}

/// Running out of time as an error.
fn in_time<T>(outcome: Result<Option<T>, Error>) -> Result<T, Error> {
    outcome?.ok_or_else(|| TooSlow.into())
}
