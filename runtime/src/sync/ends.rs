//! The traits of channels, for code that works with any kind of channel.

use crate::{
    Error, ReceiveError, Receiver, SendError, SendFailure, Sender,
    sync::{BroadcastReceiveError, BroadcastReceiver, BroadcastSender, ProducerReceiver, ProducerSender},
};
use std::rc::Rc;

/// Sends values, each as a whole; trio's `SendChannel`.
///
/// ```
/// use terzetto::{Error, channel, sync::SendChannel};
/// async fn count(to: impl SendChannel<u32>) -> Result<(), Error> {
///     for i in 0..3 {
///         to.send(i).await.map_err(Into::into)?;
///     }
///     Ok(())
/// }
/// terzetto::run(async {
///     let (sender, receiver) = channel(3);
///     count(sender).await?;
///     assert_eq!(receiver.receive().await?, 0);
///     Ok(())
/// })?;
/// # Ok::<(), Error>(())
/// ```
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait SendChannel<T> {
    /// The error of a failed send.
    type Error: Into<Error>;

    /// Sends a value, waiting for room.
    ///
    /// # Cancellation
    /// A checkpoint.
    ///
    /// # Errors
    /// It fails if it is cancelled, if this end is closed, or if there is no receiver any more.
    async fn send(&self, value: T) -> Result<(), Self::Error>;
}

/// Receives values, each as a whole; trio's `ReceiveChannel`.
///
/// ```
/// use terzetto::{Error, channel, sync::ReceiveChannel};
/// async fn sum(from: impl ReceiveChannel<Item = u32>) -> Result<u32, Error> {
///     let mut sum = 0;
///     while let Some(value) = from.next().await.map_err(Into::into)? {
///         sum += value;
///     }
///     Ok(sum)
/// }
/// terzetto::run(async {
///     let (sender, receiver) = channel(3);
///     sender.send(1).await?;
///     sender.send(2).await?;
///     drop(sender);
///     assert_eq!(sum(receiver).await?, 3);
///     Ok(())
/// })?;
/// # Ok::<(), Error>(())
/// ```
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait ReceiveChannel {
    /// The type of the values.
    type Item;
    /// The error of a failed receive.
    type Error: Into<Error>;

    /// Receives a value, waiting for one.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken.
    ///
    /// # Errors
    /// It fails if it is cancelled, if this end is closed, or if no value will come any more.
    async fn receive(&self) -> Result<Self::Item, Self::Error>;

    /// The next value, or `None` if no value will come any more. This is for loops.
    ///
    /// # Cancellation
    /// As [`ReceiveChannel::receive`].
    ///
    /// # Errors
    /// It fails if it is cancelled, or if this end is closed.
    async fn next(&self) -> Result<Option<Self::Item>, Self::Error>;
}

/// Both; trio's `Channel`.
pub trait Channel<S, R>: SendChannel<S> + ReceiveChannel<Item = R> {}

impl<S, R, C: SendChannel<S> + ReceiveChannel<Item = R>> Channel<S, R> for C {}

impl<T> SendChannel<T> for Sender<T> {
    type Error = SendError<T>;

    async fn send(&self, value: T) -> Result<(), SendError<T>> {
        Sender::send(self, value).await
    }
}

impl<T> SendChannel<T> for BroadcastSender<T> {
    type Error = SendError<T>;

    async fn send(&self, value: T) -> Result<(), SendError<T>> {
        BroadcastSender::send(self, value).await
    }
}

impl<T> SendChannel<T> for ProducerSender<T> {
    type Error = SendFailure;

    async fn send(&self, value: T) -> Result<(), SendFailure> {
        ProducerSender::send(self, value).await
    }
}

macro_rules! receives {
    ($receiver:ident, $error:ident $(, $clone:ident)?) => {
        impl<T $(: $clone)?> ReceiveChannel for $receiver<T> {
            type Item = T;
            type Error = $error;

            async fn receive(&self) -> Result<T, $error> {
                $receiver::receive(self).await
            }

            async fn next(&self) -> Result<Option<T>, $error> {
                $receiver::next(self).await
            }
        }
    };
}

receives!(Receiver, ReceiveError);
receives!(BroadcastReceiver, BroadcastReceiveError, Clone);
receives!(ProducerReceiver, ReceiveError);

/// The methods of these traits take `&self`, so a reference or a pointer to an end can be used as the end.
macro_rules! through {
    ($pointer:ty) => {
        impl<T, C: SendChannel<T> + ?Sized> SendChannel<T> for $pointer {
            type Error = C::Error;

            async fn send(&self, value: T) -> Result<(), C::Error> {
                (**self).send(value).await
            }
        }

        impl<C: ReceiveChannel + ?Sized> ReceiveChannel for $pointer {
            type Item = C::Item;
            type Error = C::Error;

            async fn receive(&self) -> Result<C::Item, C::Error> {
                (**self).receive().await
            }

            async fn next(&self) -> Result<Option<C::Item>, C::Error> {
                (**self).next().await
            }
        }
    };
}

through!(&C);
through!(Rc<C>);
