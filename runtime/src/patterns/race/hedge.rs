//! Hedging: another attempt beside one that takes long.

use super::first::{Finish, NoContenders, Race};
use crate::{Error, core::seconds::Seconds, move_on_after, nursery, sync::Event};
use std::{cell::RefCell, panic::Location};

/// Calls `attempt`. If it has not succeeded after `delay`, calls it again, beside the first call, and so on, at most
/// `attempts` times. Returns the first value. The other calls are cancelled and joined.
///
/// All delays are the same. They are not a [`Backoff`](crate::time::Backoff): an attempt that takes long says nothing
/// of how busy the other servers are. Use [`Retry`](crate::time::Retry) for what fails.
///
/// An attempt that fails brings the next one forward. `attempt` is called with its number, counted from zero. It
/// must do no harm to make it more than once.
///
/// This cuts off the longest waits of requests to servers of which some are slow: *The Tail at Scale*, Dean and
/// Barroso 2013. A good delay is that within which 95 of 100 requests are answered.
///
/// # Cancellation
/// As of [`first_to_succeed`](super::first_to_succeed).
///
/// # Errors
/// If all attempts fail: the group of their errors in the order of the attempts. [`NoContenders`] for no attempts.
///
/// # Panics
/// If `delay` is negative or NaN. If an attempt panics, when all have ended.
///
/// ```
/// use terzetto::{race::hedge, sleep};
/// terzetto::run(async {
///     let finish = hedge(2, 0.01, async |number| {
///         sleep(if number == 0 { 60.0 } else { 0.01 }).await?;
///         Ok("page")
///     }).await?;
///     assert_eq!((finish.index, finish.value), (1, "page"));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[track_caller]
pub fn hedge<T>(
    attempts: usize,
    delay: impl Seconds,
    attempt: impl AsyncFn(usize) -> Result<T, Error>,
) -> impl Future<Output = Result<Finish<T>, Error>> {
    let (delay, caller) = (delay.checked_seconds("delay"), Location::caller());
    async move {
        if attempts == 0 {
            return Err(NoContenders.into());
        }
        let race = Race::default();
        let latest_failed = RefCell::new(Event::new());
        let (track, failed, attempt) = (&race, &latest_failed, &attempt);
        let ended = nursery(async move |n| {
            for number in 0..attempts {
                let next_may_start = Event::new();
                *failed.borrow_mut() = next_may_start.clone();
                n.start_soon_for(format!("attempt {number}"), caller, async move {
                    let ended = track.attempt(n, number, Box::pin(attempt(number))).await;
                    failed.borrow().set();
                    ended
                });
                if number + 1 < attempts {
                    move_on_after(delay, async { Ok(next_may_start.wait().await?) }).await?;
                }
                if track.is_decided() {
                    break;
                }
            }
            Ok(())
        })
        .await;
        race.result(ended)
    }
}
