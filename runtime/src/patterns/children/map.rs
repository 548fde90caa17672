//! A function for each item, so many at once.

use super::{
    results::{Open, Results},
    source::Source,
};
use crate::{
    BodyCancelled, Cancelled, Error, Nursery,
    lowlevel::checkpoint_if_cancelled,
    nursery,
    sync::{Permit, Semaphore},
};
use std::{
    cell::{Cell, RefCell},
    fmt,
    panic::Location,
};

/// Calls of a function for each item of a source, which are still to be made; made by [`map`].
#[must_use = "nothing is called until the results are asked for"]
pub struct Map<S, F> {
    source: S,
    function: F,
    limit: Option<usize>,
    as_completed: bool,
    caller: &'static Location<'static>,
}

/// Calls `function` for each item of `source`, each call in a task of its own.
///
/// The calls may borrow from the frame. At most so many are made at once as [`at_most`](Map::at_most) says. An item is
/// taken from the source when there is room for its call, and not before. So a source may be endless, and a channel
/// keeps what is not worked on. futures' `buffered` and `buffer_unordered`, trio-util's and aiometer's `amap`.
///
/// [`collect`](Map::collect) returns all results at the end. [`with_results`](Map::with_results) hands them out as
/// they come.
///
/// # Errors
/// If a call or the source fails, all calls are cancelled and waited for. Then the group of their errors, as a nursery
/// returns it.
///
/// ```
/// use terzetto::{children::map, sleep};
/// terzetto::run(async {
///     let base = 10;
///     let sums = map(1..=3, async |item| { sleep(0.001).await?; Ok(base + item) }).at_most(2).collect().await?;
///     assert_eq!(sums, [11, 12, 13]);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[doc(alias = "amap")]
#[doc(alias = "buffered")]
#[doc(alias = "for_each_concurrent")]
#[track_caller]
pub fn map<S, F, R>(source: S, function: F) -> Map<S, F>
where
    S: Source,
    F: AsyncFn(S::Item) -> Result<R, Error>,
{
    Map { source, function, limit: None, as_completed: false, caller: Location::caller() }
}

impl<S: Source, F> Map<S, F> {
    /// At most so many calls are under way at once. In [`with_results`](Map::with_results) a result that was not taken
    /// counts as one of them. Without a limit, all items are taken at once.
    ///
    /// # Panics
    /// If `limit` is zero.
    pub fn at_most(self, limit: usize) -> Map<S, F> {
        assert!(limit > 0, "a map must be allowed to make at least one call at once");
        Map { limit: Some(limit), ..self }
    }

    /// The results come in the order in which the calls end. Otherwise they come in the order of the items.
    #[doc(alias = "buffer_unordered")]
    pub fn as_completed(self) -> Map<S, F> {
        Map { as_completed: true, ..self }
    }

    /// Makes all calls, and returns their results.
    ///
    /// # Cancellation
    /// As of a [nursery](nursery()): it is a schedule point, and the calls are cancelled.
    ///
    /// # Errors
    /// See [`map`].
    pub async fn collect<R>(self) -> Result<Vec<R>, Error>
    where
        F: AsyncFn(S::Item) -> Result<R, Error>,
    {
        let results = RefCell::new(Vec::new());
        let (places, as_completed) = (&results, self.as_completed);
        let keep = |index: usize, result: R, _: Option<Permit>| {
            let mut places = places.borrow_mut();
            if as_completed {
                places.push(Some(result));
            } else {
                let length = places.len().max(index + 1);
                places.resize_with(length, || None);
                places[index] = Some(result);
            }
        };
        let (function, keep, caller) = (&self.function, &keep, self.caller);
        nursery(async move |n| start_calls(n, self.source, self.limit, function, caller, || keep).await)
            .await?;
        Ok(results.into_inner().into_iter().collect::<Option<Vec<R>>>().ok_or(BodyCancelled)?)
    }

    /// Makes the calls, and runs `consumer` beside them, which takes the results one by one.
    ///
    /// When `consumer` has ended, the calls that are left are cancelled and waited for, and its value is returned.
    ///
    /// # Cancellation
    /// As of a [nursery](nursery()).
    ///
    /// # Errors
    /// See [`map`]. The error of `consumer` is in the group as well.
    ///
    /// ```
    /// use terzetto::{children::map, sleep};
    /// terzetto::run(async {
    ///     // The first even square, of an endless source.
    ///     let calls = map(1.., async |number: u64| { sleep(0.001).await?; Ok(number * number) }).at_most(4);
    ///     let found = calls.with_results(async |results| {
    ///         while let Some(square) = results.next().await? {
    ///             if square % 2 == 0 { return Ok(Some(square)); }
    ///         }
    ///         Ok(None)
    ///     }).await?;
    ///     assert_eq!(found, Some(4));
    ///     Ok(())
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub async fn with_results<R, T>(
        self,
        consumer: impl AsyncFnOnce(&mut Results<R>) -> Result<T, Error>,
    ) -> Result<T, Error>
    where
        F: AsyncFn(S::Item) -> Result<R, Error>,
    {
        let completed = Cell::new(0);
        let (function, completed, as_completed) = (&self.function, &completed, self.as_completed);
        nursery(async move |n| {
            let mut results = Results::new();
            let open = results.open();
            n.start_soon_for("map", self.caller, async move {
                let bring = |open: &Open<R>| {
                    let open = open.again();
                    move |index: usize, result: R, permit: Option<Permit>| {
                        let place = if as_completed { completed.replace(completed.get() + 1) } else { index };
                        open.bring(place, result, permit);
                    }
                };
                start_calls(n, self.source, self.limit, function, self.caller, || bring(&open)).await
            });
            let value = consumer(&mut results).await?;
            n.cancel_scope().cancel_with_reason("the results that are left are not wanted");
            Ok(value)
        })
        .await
    }
}

/// Starts a task for each item, when there is room for it. `keeper` makes what takes the result of one call.
async fn start_calls<'scope, S, F, R, K>(
    n: &'scope Nursery<'scope, '_>,
    mut source: S,
    limit: Option<usize>,
    function: &'scope F,
    caller: &'static Location<'static>,
    keeper: impl Fn() -> K,
) -> Result<(), Error>
where
    S: Source,
    S::Item: 'scope,
    F: AsyncFn(S::Item) -> Result<R, Error>,
    R: 'scope,
    K: FnOnce(usize, R, Option<Permit>) + 'scope,
{
    let room = limit.map(Semaphore::new);
    for index in 0.. {
        let permit = match &room {
            Some(room) => Some(permit(room).await?),
            None => None,
        };
        // Room may have come in the instant of a cancellation. No item is taken then.
        checkpoint_if_cancelled().await?;
        let Some(item) = source.next().await? else { break };
        let keep = keeper();
        n.start_soon_for("map", caller, async move {
            keep(index, function(item).await?, permit);
            Ok(())
        });
    }
    Ok(())
}

/// Waits for room. If there is some, other tasks need not run first: the calls that fill it are few.
async fn permit(room: &Semaphore) -> Result<Permit, Cancelled> {
    match room.acquire_nowait() {
        Ok(permit) => Ok(permit),
        Err(_) => room.acquire().await,
    }
}

impl<S, F> fmt::Debug for Map<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("limit", &self.limit)
            .field("as_completed", &self.as_completed)
            .finish_non_exhaustive()
    }
}
