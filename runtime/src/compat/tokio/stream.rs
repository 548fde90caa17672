//! Streams of tokio as streams of this runtime.

use crate::{
    Error, checkpoint,
    compat::tokio::handle,
    io::{
        HalfCloseableStream, ReceiveStream, Resource, SendStream, StreamError, Turnstile, close_inherent,
        ensure_room,
    },
    sync::Event,
};
use std::{
    cell::{Cell, RefCell},
    fmt,
    future::poll_fn,
    io::{self, ErrorKind},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::Handle,
};

/// A stream of tokio as a [`Stream`](crate::io::Stream) of this runtime: a socket of tokio, a connection of a library,
/// a TLS stream of `tokio-rustls`.
///
/// A type that only reads or only writes becomes a stream in both directions by `tokio::io::join`, with
/// `tokio::io::empty` or `tokio::io::sink` as the other half.
///
/// The other way round, a stream of this runtime becomes one of tokio by `tokio_util::compat`: sockets and pipes
/// directly, others through [`FuturesIo`](crate::compat::FuturesIo). It must stay in its run, so a library that gives
/// its stream to `tokio::spawn` cannot use it.
///
/// ```
/// use terzetto::{compat::tokio::TokioStream, io::{ReceiveStream, SendStream}, testing::memory_stream_pair};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio_util::compat::FuturesAsyncReadCompatExt;
/// terzetto::run(async {
///     // Tokio's as ours.
///     let (here, mut there) = tokio::io::duplex(64);
///     let here = TokioStream::new(here)?;
///     here.send_all(b"ping").await?;
///     let mut buffer = [0; 4];
///     there.read_exact(&mut buffer).await?;
///     assert_eq!(&buffer, b"ping");
///
///     // Ours as tokio's.
///     let (ours, other) = memory_stream_pair();
///     let mut theirs = terzetto::compat::FuturesIo::new(ours).compat();
///     theirs.write_all(b"pong").await?;
///     theirs.flush().await?;
///     assert_eq!(other.receive_some(&mut buffer).await?, 4);
///     assert_eq!(&buffer, b"pong");
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
///
/// # Cancellation
/// A receive that is cancelled or dropped has taken nothing. If a send is cancelled or dropped half-way, it is unknown
/// how much was sent, and later sends fail as broken.
pub struct TokioStream<S> {
    handle: Handle,
    /// `None` once it is closed. It is borrowed only during a poll.
    stream: RefCell<Option<S>>,
    /// Set when it is closed.
    closed: Event,
    sending: Turnstile,
    receiving: Turnstile,
    state: Cell<SendState>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SendState {
    Open,
    /// A send is under way, or was given up half-way.
    Amid,
    Ended,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TokioStream<S> {
    /// A stream over `stream`. Its operations use the current run's tokio.
    ///
    /// # Errors
    /// As for [`handle`].
    ///
    /// # Panics
    /// Outside a run.
    pub fn new(stream: S) -> Result<TokioStream<S>, Error> {
        Ok(TokioStream {
            handle: handle()?,
            stream: RefCell::new(Some(stream)),
            closed: Event::new(),
            sending: Turnstile::default(),
            receiving: Turnstile::default(),
            state: Cell::new(SendState::Open),
        })
    }

    /// Waits in tokio's context until `poll` is ready, or the stream is closed, or the task is cancelled. It yields
    /// before and not after, so that a future that is dropped has lost nothing.
    async fn operate<T>(
        &self,
        mut poll: impl FnMut(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Result<T, StreamError> {
        checkpoint().await?;
        let mut closed = pin!(self.closed.wait());
        poll_fn(|cx| {
            let polled = match &mut *self.stream.borrow_mut() {
                None => return Poll::Ready(Err(StreamError::Closed)),
                Some(stream) => {
                    let _context = self.handle.enter();
                    poll(Pin::new(stream), cx)
                }
            };
            if let Poll::Ready(outcome) = polled {
                return Poll::Ready(outcome.map_err(|error| StreamError::Broken(Some(error))));
            }
            ready!(closed.as_mut().poll(cx))?;
            Poll::Ready(Err(StreamError::Closed))
        })
        .await
    }

    fn close_now(&self) {
        let stream = self.stream.take();
        let _context = self.handle.enter();
        drop(stream);
        self.closed.set();
    }

    /// The stream of tokio, unless this one is closed.
    pub fn into_inner(self) -> Option<S> {
        self.stream.take()
    }

    /// Refuses if no send may follow.
    fn ensure_sendable(&self) -> Result<(), StreamError> {
        match (self.stream.borrow().is_some(), self.state.get()) {
            (true, SendState::Open) => Ok(()),
            (true, SendState::Amid) => Err(StreamError::Broken(None)),
            (false, _) | (true, SendState::Ended) => Err(StreamError::Closed),
        }
    }
}

impl<S> Drop for TokioStream<S> {
    fn drop(&mut self) {
        let _context = self.handle.enter();
        self.stream.take();
    }
}

impl<S> fmt::Debug for TokioStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioStream").finish_non_exhaustive()
    }
}

close_inherent!([S: AsyncRead + AsyncWrite + Unpin] TokioStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Resource for TokioStream<S> {
    /// Ends the sending direction (`poll_shutdown`), and drops the stream.
    async fn close(&self) -> Result<(), StreamError> {
        let ended = match self.stream.borrow().is_some() && self.state.get() == SendState::Open {
            true => self.send_eof().await,
            false => checkpoint().await.map_err(StreamError::from),
        };
        self.close_now();
        match ended {
            // The other side is gone already, or another task is closing.
            Err(StreamError::Broken(_) | StreamError::Closed) => Ok(()),
            ended => ended,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> SendStream for TokioStream<S> {
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending")?;
        self.ensure_sendable()?;
        let mut left = data;
        // Written data is sent only by a flush if the stream has a buffer.
        let sent = self.operate(|mut stream, cx| {
            self.state.set(SendState::Amid);
            while !left.is_empty() {
                match ready!(stream.as_mut().poll_write(cx, left))? {
                    0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                    n => left = &left[n..],
                }
            }
            stream.poll_flush(cx)
        });
        sent.await?;
        self.state.set(SendState::Open);
        Ok(())
    }

    /// Returns at once: tokio's traits cannot tell.
    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending")?;
        checkpoint().await?;
        match self.stream.borrow().is_some() {
            true => Ok(()),
            false => Err(StreamError::Closed),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> ReceiveStream for TokioStream<S> {
    async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        let _inside = self.receiving.enter("receiving")?;
        ensure_room(buffer)?;
        self.operate(|stream, cx| {
            let mut room = ReadBuf::new(buffer);
            ready!(stream.poll_read(cx, &mut room))?;
            Poll::Ready(Ok(room.filled().len()))
        })
        .await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> HalfCloseableStream for TokioStream<S> {
    async fn send_eof(&self) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending")?;
        if self.state.get() == SendState::Ended && self.stream.borrow().is_some() {
            return Ok(checkpoint().await?);
        }
        self.ensure_sendable()?;
        self.operate(|stream, cx| stream.poll_shutdown(cx)).await?;
        self.state.set(SendState::Ended);
        Ok(())
    }
}
