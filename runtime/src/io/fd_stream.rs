//! A stream of bytes over a descriptor: the common part of sockets and pipes.

use crate::{
    checkpoint,
    core::block::reactor::Direction,
    io::{Source, StreamError, Turnstile, ensure_room},
    lowlevel::cancel_shielded_checkpoint,
    sys::is_writable,
};
use std::{
    cell::Cell,
    io::{self, ErrorKind, Read, Write},
    os::fd::{AsFd, OwnedFd},
    rc::Rc,
};

/// The largest number of bytes that the system reads or writes in one call (read(2), "NOTES").
const MOST_BYTES: usize = 0x7fff_f000;

/// A descriptor in non-blocking mode, for reading bytes, writing bytes, or both.
pub(crate) struct FdStream<T: AsFd> {
    pub(super) source: Source<T>,
    sending: Turnstile,
    receiving: Turnstile,
    /// Whether the end was sent.
    pub(super) ended: Cell<bool>,
    /// Whether a short read or write (of fewer bytes than offered) means that the descriptor is not ready any more, and
    /// that the system will send an event when it is ready again. This holds only for plain TCP. A terminal gives one
    /// line at a time, a socket that preserves message boundaries gives one message, and the kernel's TLS gives one
    /// record. A read from a Unix socket stops at a descriptor that was passed with the data.
    short_is_all: Cell<bool>,
}

/// The stream error for an operation's error. Whatever the system reports, the connection must not be used any
/// more.
fn broken(error: StreamError) -> StreamError {
    match error {
        StreamError::Io(error) => StreamError::Broken(Some(error)),
        other => other,
    }
}

impl<T: AsFd> FdStream<T> {
    /// Makes a stream over a descriptor of our own, in non-blocking mode.
    pub(crate) fn new(inner: T) -> io::Result<FdStream<T>> {
        Ok(FdStream::of(Source::new(inner)?))
    }

    /// Makes a stream over a descriptor that a user has given us. When the stream is closed, the descriptor is put back
    /// into its original mode.
    pub(crate) fn given(inner: T) -> io::Result<FdStream<T>> {
        Ok(FdStream::of(Source::given(inner)?))
    }

    /// Makes a stream over a source that is already in the reactor.
    pub(crate) fn of(source: Source<T>) -> FdStream<T> {
        FdStream {
            source,
            sending: Turnstile::default(),
            receiving: Turnstile::default(),
            ended: Cell::new(false),
            short_is_all: Cell::new(false),
        }
    }

    /// Sets whether this is plain TCP, as far as is known.
    pub(super) fn set_plain_tcp(&self, plain: bool) {
        // A read stops at urgent data, and only on these systems does the reactor get an event for it.
        self.short_is_all.set(plain && cfg!(any(target_os = "linux", target_os = "android")));
    }

    /// Whether this is plain TCP, as far as is known.
    pub(super) fn is_plain_tcp(&self) -> bool {
        self.short_is_all.get()
    }

    /// A duplicate of the descriptor for the user, who may do anything with it.
    pub(crate) fn duplicate(&self) -> Result<OwnedFd, StreamError> {
        self.set_plain_tcp(false);
        self.source.duplicate()
    }

    /// Gives the descriptor up to the user.
    pub(crate) fn into_fd(self) -> Result<OwnedFd, StreamError>
    where
        T: Into<OwnedFd>,
    {
        self.source.into_fd()
    }

    /// The descriptor's owner.
    pub(crate) fn get(&self) -> Result<Rc<T>, StreamError> {
        self.source.get()
    }

    /// Closes at once.
    pub(crate) fn close_now(&self) {
        self.source.close();
    }

    /// Closes. A checkpoint. If it is cancelled, the descriptor is closed, too.
    pub(crate) async fn close(&self) -> Result<(), StreamError> {
        self.close_now();
        Ok(checkpoint().await?)
    }

    pub(super) fn open_for_sending(&self) -> Result<(), StreamError> {
        match self.ended.get() {
            true => Err(StreamError::Closed),
            false => self.source.get().map(drop),
        }
    }
}

impl<T: AsFd> FdStream<T> {
    /// Notes that `done` bytes of `offered` were read or written, if that says anything about readiness.
    pub(super) fn found(&self, direction: Direction, done: usize, offered: usize) {
        if 0 < done && done < offered.min(MOST_BYTES) && self.short_is_all.get() {
            self.source.found_short(direction);
        }
    }
}

impl<T: AsFd> FdStream<T>
where
    for<'a> &'a T: Read,
{
    pub(crate) async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        ensure_room(buffer)?;
        let _inside = self.receiving.enter("receiving from this stream")?;
        let read = self.source.operate(Direction::Read, |mut inner| {
            let n = inner.read(buffer)?;
            self.found(Direction::Read, n, buffer.len());
            Ok(n)
        });
        read.await.map_err(broken)
    }
}

impl<T: AsFd> FdStream<T>
where
    for<'a> &'a T: Write,
{
    pub(crate) async fn send_all(&self, mut data: &[u8]) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending to this stream")?;
        self.open_for_sending()?;
        if data.is_empty() {
            return Ok(checkpoint().await?);
        }
        while !data.is_empty() {
            let written = self.source.operate(Direction::Write, |mut inner| {
                let n = inner.write(data)?;
                self.found(Direction::Write, n, data.len());
                Ok(n)
            });
            match written.await.map_err(broken)? {
                0 => return Err(StreamError::Broken(Some(ErrorKind::WriteZero.into()))),
                n => data = &data[n..],
            }
        }
        Ok(())
    }

    pub(crate) async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending to this stream")?;
        let inner = self.source.get()?;
        // Until a send shows otherwise, the descriptor counts as ready, even if it is full.
        if !is_writable(&*inner).map_err(StreamError::Io)? {
            self.source.found_blocked(Direction::Write);
        }
        drop(inner);
        self.source.ready(Direction::Write).await
    }

    /// Ends the sending direction by `shut_down`. A checkpoint. Calling it twice is fine.
    pub(crate) async fn send_eof(
        &self,
        shut_down: impl FnOnce(&T) -> io::Result<()>,
    ) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending to this stream")?;
        let inner = self.source.get()?;
        crate::lowlevel::checkpoint_if_cancelled().await?;
        if !self.ended.replace(true) {
            match shut_down(&inner) {
                // The other side is gone already and need not be told.
                Err(error) if error.kind() == ErrorKind::NotConnected => {}
                Err(error) => return Err(StreamError::Broken(Some(error))),
                Ok(()) => {}
            }
        }
        cancel_shielded_checkpoint().await;
        Ok(())
    }
}

/// Implements the traits of streams for a type that wraps an [`FdStream`], in the given directions.
macro_rules! stream_over_fd {
    ($stream:ty: $($direction:ident),+) => {
        $crate::io::close_inherent!([] $stream);

        impl $crate::io::Resource for $stream {
            async fn close(&self) -> Result<(), $crate::io::StreamError> {
                self.0.close().await
            }
        }
        $(stream_over_fd!(@$direction $stream);)+
    };
    (@send $stream:ty) => {
        impl $crate::io::SendStream for $stream {
            async fn send_all(&self, data: &[u8]) -> Result<(), $crate::io::StreamError> {
                self.0.send_all(data).await
            }

            async fn wait_send_all_might_not_block(&self) -> Result<(), $crate::io::StreamError> {
                self.0.wait_send_all_might_not_block().await
            }
        }
    };
    (@receive $stream:ty) => {
        impl $crate::io::ReceiveStream for $stream {
            async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, $crate::io::StreamError> {
                self.0.receive_some(buffer).await
            }
        }
    };
    (@shutdown $stream:ty) => {
        impl $crate::io::HalfCloseableStream for $stream {
            async fn send_eof(&self) -> Result<(), $crate::io::StreamError> {
                self.0.send_eof(|socket| socket.shutdown(std::net::Shutdown::Write)).await
            }
        }
    };
}
pub(crate) use stream_over_fd;
