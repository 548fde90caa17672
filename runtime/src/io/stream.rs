//! The traits of streams.

use crate::io::StreamError;
use std::{io, rc::Rc};

/// Something that is closed after use; trio's `AsyncResource`.
///
/// Dropping a resource of this library also closes it, at once and without a closing handshake.
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait Resource {
    /// Closes the resource, with the closing handshake of its protocol, if it has one.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, it still closes the resource, without the handshake, and fails with
    /// [`StreamError::Cancelled`]. In every case, the resource is closed afterwards. Closing twice is fine.
    ///
    /// # Errors
    /// Cancelled; other errors as documented by the resource.
    async fn close(&self) -> Result<(), StreamError>;
}

/// The sending end of a stream of bytes; trio's `SendStream`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stream that this runtime can send to",
    label = "does not implement `SendStream`",
    note = "sockets and pipes of the runtime are in `terzetto::io`; a socket of the standard library becomes one of them by `from_std`, \
            a stream of tokio by `terzetto::compat::tokio::TokioStream`"
)]
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait SendStream: Resource {
    /// Sends all of `data`.
    ///
    /// # Cancellation
    /// A checkpoint. If it is cancelled or fails, it is unknown how much was sent. The stream can then only be closed.
    ///
    /// # Errors
    /// [`StreamError::Busy`] if another task is sending; [`StreamError::Broken`] if the receiver is gone;
    /// [`StreamError::Closed`] if this end was closed before or during the call.
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError>;

    /// Waits until [`SendStream::send_all`] might succeed without waiting. It may return early, and the answer may be
    /// out of date at once. It is for producers that want to make their data as late as possible.
    ///
    /// # Cancellation
    /// A checkpoint. Nothing is lost.
    ///
    /// # Errors
    /// The errors of [`SendStream::send_all`]. However, it may succeed after [`HalfCloseableStream::send_eof`].
    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError>;
}

/// The receiving end of a stream of bytes; trio's `ReceiveStream`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stream that this runtime can receive from",
    label = "does not implement `ReceiveStream`",
    note = "sockets and pipes of the runtime are in `terzetto::io`; a socket of the standard library becomes one of them by `from_std`, \
            a stream of tokio by `terzetto::compat::tokio::TokioStream`"
)]
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait ReceiveStream: Resource {
    /// Receives at least one byte, and as many as are available and fit into `buffer`. Returns how many. Zero means the
    /// end of the stream, now and in every later call.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken.
    ///
    /// # Errors
    /// [`StreamError::Busy`] if another task is receiving; [`StreamError::Broken`] if the connection failed;
    /// [`StreamError::Closed`] if this end was closed before or during the call; [`StreamError::Io`] of kind
    /// `InvalidInput` if `buffer` is empty.
    async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError>;
}

/// Refuses an empty buffer, because a result of zero bytes would look like the end of the stream.
pub(crate) fn ensure_room(buffer: &[u8]) -> Result<(), StreamError> {
    match buffer.is_empty() {
        true => {
            let text = "there is no room to receive into: the buffer is empty";
            Err(StreamError::Io(io::Error::new(io::ErrorKind::InvalidInput, text)))
        }
        false => Ok(()),
    }
}

/// A stream of bytes in both directions; trio's `Stream`. Closing it closes both directions.
pub trait Stream: SendStream + ReceiveStream {}

impl<S: SendStream + ReceiveStream> Stream for S {}

/// A stream that can end its sending direction and still receive; trio's `HalfCloseableStream`.
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait HalfCloseableStream: Stream {
    /// Ends the sending direction. The other side gets the end of the stream after the last byte, and can still send.
    /// Calling it twice is fine. Sending afterwards fails as closed.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the end may or may not have been sent.
    ///
    /// # Errors
    /// The errors of [`SendStream::send_all`].
    async fn send_eof(&self) -> Result<(), StreamError>;
}

/// Defines the method `close` on the type itself. Suppose that [`Resource`] and another crate's `AsyncWriteExt` are
/// both in scope. Without this method, `TcpStream::close` would then name two methods, and neither could be called
/// by this name.
macro_rules! close_inherent {
    ([$($generics:tt)*] $stream:ty) => {
        impl<$($generics)*> $stream {
            /// Closes it. The same as [`Resource::close`](crate::io::Resource::close), but the trait need not be in
            /// scope.
            ///
            /// # Cancellation
            /// A checkpoint. If cancelled, it still closes it, and then fails as cancelled.
            ///
            /// # Errors
            /// Cancelled; other errors as documented by `Resource::close` of this type.
            pub async fn close(&self) -> Result<(), $crate::io::StreamError> {
                $crate::io::Resource::close(self).await
            }
        }
    };
}
pub(crate) use close_inherent;

/// A stream's methods take `&self`, so references and smart pointers to a stream are streams, too.
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
