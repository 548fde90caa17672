//! The clock, and sleeping.

use crate::{
    Cancelled,
    core::{
        block::wait::Blocked,
        cancel::{
            checkpoint::Checkpoint,
            deadline_table::{DeadlineKey, Expiry},
            scope::current_cancellation,
        },
        misuse::polled_after_its_end,
        run,
        run::Run,
        seconds::Seconds,
    },
};
use std::{
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
