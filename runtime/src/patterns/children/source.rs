//! Where the items of a [`map`](super::map()) come from.

use crate::{Error, Receiver, cancellable, sync::ProducerReceiver};
use futures_core::Stream;
use std::{fmt, future::poll_fn, pin::Pin};

/// Where items come from, one after the other. They may have to be waited for.
///
/// Every iterator is a source, and so are a channel's [`Receiver`] and a [`ProducerReceiver`]. [`from_stream`] and
/// [`from_try_stream`] make one of a `Stream`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source of items",
    label = "items cannot be taken from this",
    note = "a collection gives them by `.into_iter()` or `.iter()`, a `Stream` by `terzetto::children::from_stream`"
)]
pub trait Source {
    /// What it gives.
    type Item;

    /// The next item; `None` at the end.
    ///
    /// # Errors
    /// If there can be no next item.
    fn next(&mut self) -> impl Future<Output = Result<Option<Self::Item>, Error>>;
}

impl<I: Iterator> Source for I {
    type Item = I::Item;

    async fn next(&mut self) -> Result<Option<I::Item>, Error> {
        Ok(Iterator::next(self))
    }
}

impl<T> Source for Receiver<T> {
    type Item = T;

    async fn next(&mut self) -> Result<Option<T>, Error> {
        Ok(Receiver::next(self).await?)
    }
}

impl<T> Source for &Receiver<T> {
    type Item = T;

    async fn next(&mut self) -> Result<Option<T>, Error> {
        Ok(Receiver::next(self).await?)
    }
}

impl<T> Source for ProducerReceiver<T> {
    type Item = T;

    async fn next(&mut self) -> Result<Option<T>, Error> {
        Ok(ProducerReceiver::next(self).await?)
    }
}

/// The items of a `Stream`; made by [`from_stream`].
pub struct StreamSource<S>(S);

/// The items of a `Stream` as a [`Source`].
///
/// # Cancellation
/// A wait for the next item can be [cancelled](cancellable), whatever the stream waits for.
///
/// ```
/// use futures_util::stream;
/// use terzetto::children::{from_stream, map};
/// terzetto::run(async {
///     let items = from_stream(stream::iter([1, 2, 3]));
///     assert_eq!(map(items, async |item| Ok(item * 2)).at_most(2).collect().await?, [2, 4, 6]);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn from_stream<S: Stream + Unpin>(stream: S) -> StreamSource<S> {
    StreamSource(stream)
}

/// The good items of a `Stream` of results; made by [`from_try_stream`].
pub struct TryStreamSource<S>(S);

/// The items of a `Stream` of results as a [`Source`]. The first error ends it.
///
/// # Cancellation
/// As of [`from_stream`].
///
/// ```
/// use futures_util::stream;
/// use terzetto::children::{from_try_stream, map};
/// terzetto::run(async {
///     let items = from_try_stream(stream::iter(["1".parse::<i32>(), "two".parse()]));
///     let error = map(items, async |item| Ok(item)).collect().await.unwrap_err();
///     assert!(error.find::<std::num::ParseIntError>().is_some());
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn from_try_stream<S, T, E>(stream: S) -> TryStreamSource<S>
where
    S: Stream<Item = Result<T, E>> + Unpin,
    E: Into<Error>,
{
    TryStreamSource(stream)
}

impl<S: Stream + Unpin> Source for StreamSource<S> {
    type Item = S::Item;

    async fn next(&mut self) -> Result<Option<S::Item>, Error> {
        Ok(cancellable(poll_fn(|cx| Pin::new(&mut self.0).poll_next(cx))).await?)
    }
}

impl<S, T, E> Source for TryStreamSource<S>
where
    S: Stream<Item = Result<T, E>> + Unpin,
    E: Into<Error>,
{
    type Item = T;

    async fn next(&mut self) -> Result<Option<T>, Error> {
        let next = cancellable(poll_fn(|cx| Pin::new(&mut self.0).poll_next(cx))).await?;
        next.transpose().map_err(Into::into)
    }
}

impl<S> fmt::Debug for StreamSource<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSource").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for TryStreamSource<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryStreamSource").finish_non_exhaustive()
    }
}
