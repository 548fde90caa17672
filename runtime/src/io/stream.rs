//! The traits of streams.

use crate::io::StreamError;
use std::{io, rc::Rc};

/// Something that is closed when it is done with; trio's `AsyncResource`.
///
/// Dropping a resource of this library closes it, too: at once and without ceremony.
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait Resource {
    /// Closes the resource, with whatever farewell its protocol asks for.
    ///
    /// # Cancellation
    /// A checkpoint. Cancelled, it closes all the same, without the farewell, and fails with
    /// [`StreamError::Cancelled`]: whatever happens, the resource is closed afterwards. Closing
    /// twice is fine.
    ///
    /// # Errors
    /// Cancelled; others as the resource says.
    async fn close(&self) -> Result<(), StreamError>;
}

/// The sending end of a stream of bytes; trio's `SendStream`.
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait SendStream: Resource {
    /// Sends all of `data`.
    ///
    /// # Cancellation
    /// A checkpoint. If it is cancelled or fails, nobody knows how much was sent: then the stream
    /// is good only for being closed.
    ///
    /// # Errors
    /// [`StreamError::Busy`] if another task is sending; [`StreamError::Broken`] if the receiver is
    /// gone; [`StreamError::Closed`] if this end is closed, before or meanwhile.
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError>;

    /// Waits until [`SendStream::send_all`] might go through without waiting. It may return early,
    /// and the answer may be stale at once: for producers that want to make their data as late as
    /// possible.
    ///
    /// # Cancellation
    /// A checkpoint. Nothing is lost.
    ///
    /// # Errors
    /// As [`SendStream::send_all`]; but after [`HalfCloseableStream::send_eof`] it may well return.
    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError>;
}

/// The receiving end of a stream of bytes; trio's `ReceiveStream`.
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait ReceiveStream: Resource {
    /// Receives some bytes, as many as are there and fit, at least one; returns how many. Zero
    /// means the end of the stream, now and every time after.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken.
    ///
    /// # Errors
    /// [`StreamError::Busy`] if another task is receiving; [`StreamError::Broken`] if the
    /// connection failed; [`StreamError::Closed`] if this end is closed, before or meanwhile;
    /// [`StreamError::Io`] of kind `InvalidInput` if `buffer` is empty.
    async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError>;
}

/// Refuses to receive into no room: zero bytes would look like the end of the stream.
pub(crate) fn ensure_room(buffer: &[u8]) -> Result<(), StreamError> {
    match buffer.is_empty() {
        true => {
            let text = "there is no room to receive into: the buffer is empty";
            Err(StreamError::Io(io::Error::new(io::ErrorKind::InvalidInput, text)))
        }
        false => Ok(()),
    }
}

/// A stream of bytes in both directions; trio's `Stream`. Closing it closes both.
pub trait Stream: SendStream + ReceiveStream {}

impl<S: SendStream + ReceiveStream> Stream for S {}

/// A stream that can end what it sends and still receive; trio's `HalfCloseableStream`.
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait HalfCloseableStream: Stream {
    /// Says that nothing more will be sent: the other side gets the end of the stream after the last
    /// byte, and can still send. Saying it twice is fine; sending afterwards fails as closed.
    ///
    /// # Cancellation
    /// A checkpoint. Cancelled, it may have happened or not.
    ///
    /// # Errors
    /// As [`SendStream::send_all`].
    async fn send_eof(&self) -> Result<(), StreamError>;
}

/// The method `close` of a type itself. With [`Resource`] and an `AsyncWriteExt` of the ecosystem both in scope
/// `TcpStream::close` would otherwise name two methods, and neither could be called by it.
macro_rules! close_inherent {
    ([$($generics:tt)*] $stream:ty) => {
        impl<$($generics)*> $stream {
            /// Closes it. The same as [`Resource::close`](crate::io::Resource::close), without the trait in scope.
            ///
            /// # Cancellation
            /// A checkpoint. Cancelled, it closes all the same, and fails as cancelled.
            ///
            /// # Errors
            /// Cancelled; others as `Resource::close` of this type says.
            pub async fn close(&self) -> Result<(), $crate::io::StreamError> {
                $crate::io::Resource::close(self).await
            }
        }
    };
}
pub(crate) use close_inherent;

/// A stream's methods take `&self`: whatever leads to one is as good.
macro_rules! through {
    ($pointer:ty) => {
        impl<S: Resource + ?Sized> Resource for $pointer {
            async fn close(&self) -> Result<(), StreamError> {
                (**self).close().await
            }
        }

        impl<S: SendStream + ?Sized> SendStream for $pointer {
            async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
                (**self).send_all(data).await
            }

            async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
                (**self).wait_send_all_might_not_block().await
            }
        }

        impl<S: ReceiveStream + ?Sized> ReceiveStream for $pointer {
            async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
                (**self).receive_some(buffer).await
            }
        }

        impl<S: HalfCloseableStream + ?Sized> HalfCloseableStream for $pointer {
            async fn send_eof(&self) -> Result<(), StreamError> {
                (**self).send_eof().await
            }
        }
    };
}

through!(&S);
through!(Rc<S>);
through!(Box<S>);
