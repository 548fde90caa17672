//! The traits of `futures-io` for every stream.

use crate::{
    core::cancel::scope::is_stale,
    io::{PipeReceiver, PipeSender, ReceiveStream, Resource, SendStream, StreamError, TcpStream, UnixStream},
};
use futures_io::{AsyncRead, AsyncWrite};
use std::{
    fmt,
    io::{self, ErrorKind, IoSlice, IoSliceMut},
    net::Shutdown,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

/// Implements the traits for a type over a descriptor and for references to it. The standard library implements
/// `Read` and `Write` for `&TcpStream` in the same way.
macro_rules! over_fd {
    ($stream:ty: read) => {
        over_fd!(@read $stream);
        over_fd!(@read &$stream);
    };
    ($stream:ty: write, close by $close:expr) => {
        over_fd!(@write $stream, $close);
        over_fd!(@write &$stream, $close);
    };
    (@read $stream:ty) => {
        impl AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.poll_read_vectored(cx, &mut [IoSliceMut::new(buffer)])
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                self.0.poll_receive(cx, buffers).map_err(io::Error::from)
            }
        }
    };
    (@write $stream:ty, $close:expr) => {
        impl AsyncWrite for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.poll_write_vectored(cx, &[IoSlice::new(data)])
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                data: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.0.poll_send(cx, data).map_err(io::Error::from)
            }

            /// Does nothing: there is no buffer here, and the system already has all written data.
            fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            /// Ends the sending direction.
            fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let close: fn(&$stream) -> io::Result<()> = |stream| $close(&stream.0);
                Poll::Ready(close(&self))
            }
        }
    };
}

over_fd!(TcpStream: read);
over_fd!(TcpStream: write, close by |fd: &crate::io::net::TcpConnection| {
    fd.send_eof_now(|socket: &std::net::TcpStream| socket.shutdown(Shutdown::Write))
});
over_fd!(UnixStream: read);
over_fd!(UnixStream: write, close by |fd: &crate::io::FdStream<_>| {
    fd.send_eof_now(|socket: &std::os::unix::net::UnixStream| socket.shutdown(Shutdown::Write))
});
over_fd!(PipeReceiver: read);
over_fd!(PipeSender: write, close by |fd: &crate::io::FdStream<_>| {
    fd.close_now();
    Ok(())
});

/// How much is received at once.
const ROOM: usize = 16 * 1024;

/// How much is sent at once.
const PIECE: usize = 64 * 1024;

type StreamOperation<T> = Pin<Box<dyn Future<Output = Result<T, StreamError>>>>;

/// The traits of `futures-io` for a stream of any kind: in memory, encrypted, or of another library.
///
/// Sockets and pipes need no adaptor. This adaptor keeps the operation that is under way, and the data that it has
/// received. A write begins to send its data at once. But call `flush` after the last write, as with every buffered
/// writer. If the adaptor is dropped while an operation is under way, the data written last may be lost. Flushed data
/// is not lost.
///
/// An operation belongs to the cancel scope in which it began. If that scope is cancelled while a write is
/// under way, it is unknown how much was sent, and later writes fail.
///
/// ```
/// use futures_util::{AsyncReadExt, AsyncWriteExt};
/// use terzetto::{compat::FuturesIo, testing::memory_stream_pair};
/// terzetto::run(async {
///     let (a, b) = memory_stream_pair();
///     let (mut a, mut b) = (FuturesIo::new(a), FuturesIo::new(b));
///     a.write_all(b"hello").await?;
///     a.close().await?;
///     let mut text = String::new();
///     b.read_to_string(&mut text).await?;
///     assert_eq!(text, "hello");
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct FuturesIo<S> {
    stream: Rc<S>,
    receiving: Option<StreamOperation<(Vec<u8>, usize)>>,
    /// The received data, and the part of it that was not read yet.
    received: (Vec<u8>, std::ops::Range<usize>),
    sending: Option<StreamOperation<()>>,
    closing: Option<StreamOperation<()>>,
    /// The error of the last send, if only closing noticed it.
    unsent: Option<io::Error>,
    /// Whether a send has failed.
    broken: bool,
}

impl<S> FuturesIo<S> {
    /// An adaptor for `stream`.
    pub fn new(stream: S) -> FuturesIo<S> {
        FuturesIo {
            stream: Rc::new(stream),
            receiving: None,
            received: (vec![0; ROOM], 0..0),
            sending: None,
            closing: None,
            unsent: None,
            broken: false,
        }
    }

    /// The stream.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Continues the send that is under way.
    fn poll_sending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(sending) = &mut self.sending {
            let sent = ready!(sending.as_mut().poll(cx));
            self.sending = None;
            self.broken = sent.is_err();
            return Poll::Ready(sent.map_err(io::Error::from));
        }
        match self.broken {
            true => Poll::Ready(Err(io::Error::new(ErrorKind::BrokenPipe, "an earlier write has failed"))),
            false => Poll::Ready(Ok(())),
        }
    }
}

impl<S> fmt::Debug for FuturesIo<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FuturesIo").field("unread", &self.received.1.len()).finish_non_exhaustive()
    }
}

impl<S: ReceiveStream + 'static> AsyncRead for FuturesIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.sending.is_some() {
            // A caller that forgets to flush and waits for an answer would wait for ever. The next write
            // returns an error of this send.
            let _goes_on = self.poll_sending(cx);
        }
        while self.received.1.is_empty() && !buffer.is_empty() {
            let receiving = match self.receiving.take() {
                Some(receiving) => receiving,
                None => {
                    let (stream, mut room) = (self.stream.clone(), std::mem::take(&mut self.received.0));
                    room.resize(ROOM, 0);
                    Box::pin(async move { stream.receive_some(&mut room).await.map(|n| (room, n)) })
                }
            };
            let receiving = self.receiving.insert(receiving);
            let received = ready!(receiving.as_mut().poll(cx));
            self.receiving = None;
            match received {
                Ok((room, n)) => {
                    self.received = (room, 0..n);
                    if n == 0 {
                        return Poll::Ready(Ok(0));
                    }
                }
                // The receive began in another scope, and has taken nothing.
                Err(StreamError::Cancelled(cancelled)) if is_stale(&cancelled) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
        let (data, unread) = &mut self.received;
        let n = buffer.len().min(unread.len());
        buffer[..n].copy_from_slice(&data[unread.start..unread.start + n]);
        unread.start += n;
        Poll::Ready(Ok(n))
    }
}

impl<S: SendStream + 'static> AsyncWrite for FuturesIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_sending(cx))?;
        let piece = data[..data.len().min(PIECE)].to_vec();
        let (n, stream) = (piece.len(), self.stream.clone());
        self.sending = Some(Box::pin(async move { stream.send_all(&piece).await }));
        match self.poll_sending(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(n)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_sending(cx)
    }

    /// Sends the written data, and closes the stream. If sending fails, the stream is closed all the same, and then
    /// the failure is returned.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            // A failure that was returned before is not returned again.
            if self.sending.is_some() {
                self.unsent = ready!(self.poll_sending(cx)).err();
            }
            let stream = self.stream.clone();
            self.closing = Some(Box::pin(async move { stream.close().await }));
        }
        let Some(closing) = &mut self.closing else { return Poll::Ready(Ok(())) };
        let closed = ready!(closing.as_mut().poll(cx));
        self.closing = None;
        match self.unsent.take() {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Ready(closed.map_err(io::Error::from)),
        }
    }
}
