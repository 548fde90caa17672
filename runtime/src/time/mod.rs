//! Time: the clock, sleeping, and time limits.

use crate::{
    CancelScope, Cancelled, Error,
    core::{
        block::wait::Blocked,
        cancel::{
            checkpoint::Checkpoint,
            deadline_table::{DeadlineKey, Expiry},
            scope::current_cancellation,
        },
        misuse::polled_after_its_end,
        poll_tree::wrap,
        run,
        run::Run,
        seconds::Seconds,
    },
};
use std::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

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
/// [`Cancelled`] in a cancelled scope.
///
/// # Panics
/// If the time is negative or NaN; outside a run.
///
/// ```
/// use std::time::Duration;
/// # terzetto::run(async {
/// terzetto::sleep(0.001).await?;
/// terzetto::sleep(0).await?;
/// terzetto::sleep(Duration::from_millis(1)).await?;
/// # Ok(())
/// # }).unwrap();
/// ```
pub fn sleep(time: impl Seconds) -> impl Future<Output = Result<(), Cancelled>> {
    Sleep::After(time.checked_seconds("the time to sleep"))
}

/// Sleeps until the run's clock shows `time`; a time in the past is a plain checkpoint.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// [`Cancelled`] in a cancelled scope.
///
/// # Panics
/// If `time` is NaN; outside a run.
pub fn sleep_until(time: f64) -> impl Future<Output = Result<(), Cancelled>> {
    assert!(!time.is_nan(), "the time to sleep until must not be NaN");
    Sleep::Until(time)
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
pub fn sleep_forever() -> impl Future<Output = Result<(), Cancelled>> {
    Forever(None)
}

/// A sleep, from before it begins to its end. Written out, since so many tasks of a big program are in one.
enum Sleep {
    /// So many seconds from its first poll.
    After(f64),
    Until(f64),
    /// The time was over before it began.
    Checkpoint(Checkpoint),
    Blocked(Blocked, Option<DeadlineKey>),
    Done,
}

impl Sleep {
    fn begin(&mut self, run: &Run, cx: &Context<'_>, until: f64) {
        let blocked = Blocked::new(run, cx, run.operations.sleep.clone(), 0);
        let timer = (until < f64::INFINITY)
            .then(|| run.deadlines.borrow_mut().add(until, Expiry::Wake(blocked.id())));
        blocked.arm(run);
        *self = Sleep::Blocked(blocked, timer);
    }

    fn poll_in(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), Cancelled>> {
        match self {
            Sleep::After(seconds) if *seconds > 0.0 => {
                let until = run.clock.now() + *seconds;
                self.begin(run, cx, until);
                // If it is cancelled already, it goes on with the next tick.
                return Poll::Pending;
            }
            Sleep::Until(time) if *time > run.clock.now() => {
                let until = *time;
                self.begin(run, cx, until);
                return Poll::Pending;
            }
            Sleep::After(_) | Sleep::Until(_) => *self = Sleep::Checkpoint(Checkpoint::default()),
            _ => {}
        }
        let outcome = match self {
            Sleep::Checkpoint(checkpoint) => ready!(checkpoint.poll_in(run, cx)),
            // As in trio, where a sleep is a scope with a deadline: if the scope was cancelled in the tick
            // in which the sleep ended, the outer cancellation is the one that counts.
            Sleep::Blocked(blocked, timer) => match ready!(blocked.poll(run, cx)) {
                Ok(()) => {
                    // Its time has come: the entry is gone.
                    *timer = None;
                    current_cancellation(run).map_or(Ok(()), Err)
                }
                aborted => aborted,
            },
            _ => polled_after_its_end(),
        };
        *self = Sleep::Done;
        Poll::Ready(outcome)
    }
}

impl Future for Sleep {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        run::with(|run| self.poll_in(run, cx))
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Sleep::Blocked(blocked, Some(timer)) = self {
            blocked.with_run(|run| run.deadlines.borrow_mut().remove(*timer));
        }
    }
}

/// A sleep without an end, once it has begun.
struct Forever(Option<Blocked>);

impl Future for Forever {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        run::with(|run| match &self.0 {
            Some(blocked) => blocked.poll(run, cx),
            None => {
                let blocked = Blocked::new(run, cx, run.operations.sleep.clone(), 0);
                blocked.arm(run);
                self.0 = Some(blocked);
                // If it is cancelled already, it goes on with the next tick.
                Poll::Pending
            }
        })
    }
}

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
