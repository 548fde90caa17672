//! The first to end, and the first to succeed.

use super::contenders::{Contender, Contenders};
use crate::{Error, ErrorGroup, Nursery, nursery};
use std::{borrow::Cow, cell::RefCell, error::Error as StdError, fmt, panic::Location};

/// How a race ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish<T> {
    /// Which contender has won, by its position. In a [`hedge`](super::hedge), which attempt.
    pub index: usize,
    /// The winner's value.
    pub value: T,
    /// The values of losers that ended well although they were cancelled, with their positions, in the order in which
    /// they ended. Mostly there are none; see [the module](super).
    pub others: Vec<(usize, T)>,
}

/// A race without contenders has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContenders;

impl fmt::Display for NoContenders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a race needs at least one contender")
    }
}

impl StdError for NoContenders {}

/// Runs all `contenders`, each in a task of its own. When the first one ends, the others are cancelled and joined.
///
/// futures' `select_all`, but what loses has ended when this returns; trio-util's `wait_any`.
///
/// # Cancellation
/// As of a [nursery](nursery()): it is a schedule point, and the contenders are cancelled. If one of them ends with a
/// value in spite of that, the value is returned.
///
/// # Errors
/// If the first to end fails: its error, in a group, as of a nursery. If a loser fails with something else than its
/// cancellation: its error in the same group, also if the winner had a value. [`NoContenders`] if there are none.
///
/// ```
/// use terzetto::{race::first_to_end, sleep};
/// terzetto::run(async {
///     let finish = first_to_end((
///         async { sleep(10.0).await?; Ok("tortoise") },
///         async { sleep(0.001).await?; Ok("hare") },
///     )).await?;
///     assert_eq!((finish.index, finish.value), (1, "hare"));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[doc(alias = "select")]
#[doc(alias = "select_all")]
#[doc(alias = "wait_any")]
#[track_caller]
pub fn first_to_end<'a, T>(
    contenders: impl Contenders<'a, T>,
) -> impl Future<Output = Result<Finish<T>, Error>> {
    compete(contenders.into_list(), Location::caller(), OnFailure::EndsTheRace)
}

/// Runs all `contenders`, each in a task of its own. When the first one succeeds, the others are cancelled and joined.
///
/// A contender that fails is out of the race; the others go on. Its error is not lost if nobody succeeds. JavaScript's
/// `Promise.any`, futures' `select_ok`.
///
/// # Cancellation
/// As of [`first_to_end`]. Failures that came before the cancellation are not returned then, since another contender
/// might have succeeded.
///
/// # Errors
/// If all fail: the group of their errors, in the order of the contenders. [`NoContenders`] if there are none. Errors
/// of losers are logged at the level `debug`.
///
/// # Panics
/// If a contender panics, when all have ended.
///
/// ```
/// use terzetto::{Error, race::first_to_succeed, sleep};
/// terzetto::run(async {
///     let finish = first_to_succeed((
///         async { Err(Error::msg("this mirror is down")) },
///         async { sleep(0.001).await?; Ok("page") },
///     )).await?;
///     assert_eq!(finish.value, "page");
///     Ok(())
/// })?;
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "select_ok")]
#[doc(alias = "any")]
#[track_caller]
pub fn first_to_succeed<'a, T>(
    contenders: impl Contenders<'a, T>,
) -> impl Future<Output = Result<Finish<T>, Error>> {
    compete(contenders.into_list(), Location::caller(), OnFailure::IsOut)
}

/// What the failure of a contender means.
#[derive(Clone, Copy)]
enum OnFailure {
    /// The race ends with its error.
    EndsTheRace,
    /// The contender is out, and the others go on.
    IsOut,
}

/// Runs all contenders, each in a task of its own, until one has won.
async fn compete<T>(
    contenders: Vec<Contender<'_, T>>,
    caller: &'static Location<'static>,
    failure: OnFailure,
) -> Result<Finish<T>, Error> {
    if contenders.is_empty() {
        return Err(NoContenders.into());
    }
    let race = Race::default();
    let track = &race;
    let ended = nursery(async move |n| {
        for (index, contender) in contenders.into_iter().enumerate() {
            n.start_soon_for(name(index), caller, async move {
                match failure {
                    OnFailure::EndsTheRace => track.finish(n, index, contender.await?),
                    OnFailure::IsOut => track.attempt(n, index, contender).await?,
                }
                Ok(())
            });
        }
        Ok(())
    })
    .await;
    race.result(ended)
}

fn name(index: usize) -> Cow<'static, str> {
    // Most races are this small. Their names take no memory.
    match index {
        0 => "contender 0".into(),
        1 => "contender 1".into(),
        2 => "contender 2".into(),
        _ => format!("contender {index}").into(),
    }
}

/// A race that goes on.
pub(super) struct Race<T> {
    /// The values, in the order in which they came.
    finished: RefCell<Vec<(usize, T)>>,
    failures: RefCell<Vec<(usize, Error)>>,
}

impl<T> Default for Race<T> {
    fn default() -> Race<T> {
        Race { finished: RefCell::default(), failures: RefCell::default() }
    }
}

impl<T> Race<T> {
    /// Notes a value, and cancels whoever has not ended.
    fn finish(&self, n: &Nursery<'_, '_>, index: usize, value: T) {
        self.finished.borrow_mut().push((index, value));
        n.cancel_scope().cancel_with_reason("another contender has won");
    }

    /// Runs a contender that may fail. A cancellation and a Ctrl-C are no failures of its own.
    pub(super) async fn attempt(
        &self,
        n: &Nursery<'_, '_>,
        index: usize,
        contender: Contender<'_, T>,
    ) -> Result<(), Error> {
        let error = match contender.await {
            Ok(value) => {
                self.finish(n, index, value);
                return Ok(());
            }
            Err(error) if error.is_interrupted() => return Err(error),
            Err(error) => error,
        };
        let (cancelled, failure) = error.split_cancelled();
        if let Some(failure) = failure {
            log::debug!("contender {index} of a race has failed: {failure}");
            self.failures.borrow_mut().push((index, failure));
        }
        cancelled.map_or(Ok(()), Err)
    }

    pub(super) fn is_decided(&self) -> bool {
        !self.finished.borrow().is_empty()
    }

    /// What the race returns when its nursery has ended.
    pub(super) fn result(self, ended: Result<(), Error>) -> Result<Finish<T>, Error> {
        let mut finished = self.finished.into_inner().into_iter();
        match ended {
            Err(error) if !error.is_cancelled() => return Err(error),
            // A race that is won is no failure, also if it was cancelled meanwhile: the next checkpoint says so.
            ended => match finished.next() {
                Some((index, value)) => return Ok(Finish { index, value, others: finished.collect() }),
                None => ended?,
            },
        }
        let mut failures = self.failures.into_inner();
        failures.sort_by_key(|(index, _)| *index);
        let errors = failures.into_iter().map(|(_, error)| error).collect();
        Err(ErrorGroup::new("every contender of a race has failed", errors).into())
    }
}
