//! Retries: what has failed is done again, later.
//!
//! A cancellation is not a failure, so it ends the retries at once. If it did not, a task that is to end would begin
//! another attempt. The same goes for a Ctrl-C.

use crate::{CancelScope, Error, TooSlow, core::seconds::Seconds, current_time, sleep, time::Backoff};
use std::{error::Error as StdError, fmt, rc::Rc};

/// Whether a failure is to be retried.
type RetryIf<'a> = dyn Fn(&Error) -> bool + 'a;

/// Tells how often, when and for which failures something is done again.
///
/// Without [`attempts`](Retry::attempts) and [`timeout`](Retry::timeout) it goes on until an attempt succeeds or the
/// task is cancelled. Each failure but the last goes to the log, at level `debug`.
///
/// ```
/// use std::{cell::Cell, io};
/// use terzetto::time::{Backoff, Retry};
/// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
/// let retry = Retry::new(Backoff::exponential(0.1).at_most(10).jitter(1.0)).attempts(5).timeout(60);
/// let tries = Cell::new(0);
/// let answer = retry.run(async || {
///     tries.set(tries.get() + 1);
///     if tries.get() < 3 {
///         return Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
///     }
///     Ok("hello")
/// }).await?;
/// assert_eq!((answer, tries.get()), ("hello", 3));
/// # Ok(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
#[must_use = "this does nothing until something is run with it"]
pub struct Retry<'a> {
    backoff: Backoff,
    attempts: u32,
    timeout: f64,
    retry_if: Option<Rc<RetryIf<'a>>>,
}

impl<'a> Retry<'a> {
    /// Retries every failure after the delays of `backoff`, without an end.
    pub fn new(backoff: Backoff) -> Retry<'a> {
        Retry { backoff, attempts: u32::MAX, timeout: f64::INFINITY, retry_if: None }
    }

    /// Gives up after so many attempts, the first included.
    ///
    /// # Panics
    /// If it is zero.
    pub fn attempts(self, attempts: u32) -> Retry<'a> {
        assert!(attempts > 0, "the number of attempts must be at least 1");
        Retry { attempts, ..self }
    }

    /// Gives up so many seconds after the beginning of the first attempt. An attempt that is not done by then is
    /// cancelled. If the next attempt would begin after that time, it gives up without waiting for it.
    ///
    /// # Panics
    /// If the time is negative or NaN.
    pub fn timeout(self, timeout: impl Seconds) -> Retry<'a> {
        Retry { timeout: timeout.checked_seconds("timeout"), ..self }
    }

    /// Retries only the failures for which `retry_if` holds. [`Retry::run`] returns any other failure as it is.
    ///
    /// ```
    /// use std::{cell::Cell, io};
    /// use terzetto::{Error, time::{Backoff, Retry}};
    /// # terzetto::run(async {
    /// let retry = Retry::new(Backoff::constant(1)).retry_if(|error| error.find::<io::Error>().is_some());
    /// let tries = Cell::new(0);
    /// let outcome: Result<(), Error> = retry.run(async || {
    ///     tries.set(tries.get() + 1);
    ///     Err(Error::msg("no such user"))
    /// }).await;
    /// assert_eq!((outcome.unwrap_err().to_string().as_str(), tries.get()), ("no such user", 1));
    /// # Ok(())
    /// # }).unwrap();
    /// ```
    pub fn retry_if(self, retry_if: impl Fn(&Error) -> bool + 'a) -> Retry<'a> {
        Retry { retry_if: Some(Rc::new(retry_if)), ..self }
    }

    /// Calls `attempt` until it succeeds.
    ///
    /// # Cancellation
    /// Each delay is a checkpoint. A cancellation, in an attempt or in a delay, ends it at once, and there is no
    /// further attempt. The failure of an earlier attempt is lost then.
    ///
    /// # Errors
    /// [`GaveUp`], with the last failure as its cause. A failure that is not to be retried, as it is. `Cancelled`, also
    /// if it is in a group beside failures.
    ///
    /// # Panics
    /// Outside a run.
    pub async fn run<T>(&self, mut attempt: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
        let deadline = current_time() + self.timeout;
        let mut former = None;
        for (number, delay) in (1..=self.attempts).zip(self.backoff.delays()) {
            let failure = match CancelScope::with_deadline(deadline).run(attempt()).await {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => {
                    let failure = former.unwrap_or_else(|| TooSlow.into());
                    return Err(GaveUp { attempts: number, timed_out: true, failure }.into());
                }
                Err(error) => error,
            };
            let is_retried = |failure| self.retry_if.as_ref().is_none_or(|retry_if| retry_if(failure));
            if failure.cancelled().is_some() || failure.is_interrupted() || !is_retried(&failure) {
                return Err(failure);
            }
            if number == self.attempts {
                return Err(GaveUp { attempts: number, timed_out: false, failure }.into());
            }
            if current_time() + delay > deadline {
                return Err(GaveUp { attempts: number, timed_out: true, failure }.into());
            }
            log::debug!("attempt {number} has failed, and the next begins in {delay:.3} s: {failure}");
            sleep(delay).await?;
            former = Some(failure);
        }
        unreachable!("the last attempt returns, and the delays have no end")
    }
}

impl fmt::Debug for Retry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("backoff", &self.backoff)
            .field("attempts", &self.attempts)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// All attempts have failed that a [`Retry`] allows. The cause is the last failure.
///
/// ```
/// use std::io;
/// use terzetto::{Error, time::{Backoff, GaveUp, Retry}};
/// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
/// let connect = async || Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
/// let outcome: Result<(), Error> = Retry::new(Backoff::constant(1)).attempts(3).run(connect).await;
/// let error = outcome.unwrap_err();
/// assert_eq!(error.to_string(), "gave up after 3 attempts: connection refused");
/// assert_eq!(error.find::<GaveUp>().unwrap().attempts(), 3);
/// assert_eq!(error.find::<io::Error>().unwrap().kind(), io::ErrorKind::ConnectionRefused);
/// # Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct GaveUp {
    attempts: u32,
    timed_out: bool,
    failure: Error,
}

impl GaveUp {
    /// How many attempts there were.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether it was the time limit that ended it.
    pub fn timed_out(&self) -> bool {
        self.timed_out
    }

    /// The last failure. If the time limit has cut the first attempt short, there was none, and this is a
    /// [`TooSlow`].
    pub fn failure(&self) -> &Error {
        &self.failure
    }

    /// The last failure by value.
    pub fn into_failure(self) -> Error {
        self.failure
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.attempts == 1 { "" } else { "s" };
        let reason = if self.timed_out { " since time ran out," } else { "" };
        write!(f, "gave up{reason} after {} attempt{plural}: {}", self.attempts, self.failure)
    }
}

impl StdError for GaveUp {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.failure)
    }
}
