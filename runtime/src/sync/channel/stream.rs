//! The receiving end of a channel as a `Stream`, for combinators that take one.

use crate::{ReceiveError, Receiver, core::cancel::scope::is_stale};
use futures_core::Stream;
use std::{
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

type NextValue<T> = Pin<Box<dyn Future<Output = Result<Option<T>, ReceiveError>>>>;

/// The values of a channel as a [`Stream`]; made by [`Receiver::into_stream`].
///
/// # Cancellation
/// As [`Receiver::next`], for each value. The stream itself holds the future of the next value, so no value is lost
/// if the future of a combinator is dropped. If that future was cancelled by a scope that has ended since, the stream
/// starts a new one.
pub struct ReceiverStream<T: 'static> {
    receiver: Rc<Receiver<T>>,
    next: Option<NextValue<T>>,
}

impl<T> Receiver<T> {
    /// The values of the channel as a [`Stream`], which ends with the channel.
    ///
    /// ```
    /// use futures_core::Stream;
    /// let (sender, receiver) = terzetto::channel::<u8>(1);
    /// fn takes_a_stream(_: impl Stream) {}
    /// takes_a_stream(receiver.into_stream());
    /// # drop(sender);
    /// ```
    pub fn into_stream(self) -> ReceiverStream<T> {
        ReceiverStream { receiver: Rc::new(self), next: None }
    }
}

impl<T> Stream for ReceiverStream<T> {
    type Item = Result<T, ReceiveError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let receiver = self.receiver.clone();
            let next = self.next.get_or_insert_with(|| Box::pin(async move { receiver.next().await }));
            let received = ready!(next.as_mut().poll(cx));
            self.next = None;
            match received {
                // The cancelled receive has taken nothing.
                Err(ReceiveError::Cancelled(cancelled)) if is_stale(&cancelled) => {}
                received => return Poll::Ready(received.transpose()),
            }
        }
    }
}

impl<T> fmt::Debug for ReceiverStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReceiverStream").field(&self.receiver).finish()
    }
}
