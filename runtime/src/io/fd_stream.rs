//! A stream of bytes over a descriptor: what sockets and pipes have in common.

use super::{Source, StreamError, Turnstile, ensure_room};
use crate::{cancel_shielded_checkpoint, checkpoint, core::reactor::Direction, sys::is_writable};
use std::{
    cell::Cell,
    io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write},
    net,
    os::{fd::AsFd, unix::net::UnixStream},
    rc::Rc,
};

/// What the runtime knows of a kind of descriptor.
pub(crate) trait Kind: AsFd {
    /// Whether a read or write of less than there was room for means that there is no more for now, and
    /// that the system will speak up when there is. Not so with terminals, which give a line at a time,
    /// with pipes that keep packets apart, and with Unix sockets, where a read stops at a descriptor that
    /// was passed with the data.
    const SHORT_IS_ALL: bool;
}

impl Kind for net::TcpStream {
    /// A read stops at urgent data, too; where the reactor hears of that it knows better.
    const SHORT_IS_ALL: bool = cfg!(any(target_os = "linux", target_os = "android"));
}

impl Kind for UnixStream {
    const SHORT_IS_ALL: bool = false;
}

impl Kind for PipeReader {
    const SHORT_IS_ALL: bool = false;
}

impl Kind for PipeWriter {
    const SHORT_IS_ALL: bool = false;
}

/// A descriptor in non-blocking mode that bytes come from, go to, or both.
pub(crate) struct FdStream<T: AsFd> {
    pub(super) source: Source<T>,
    sending: Turnstile,
    receiving: Turnstile,
    /// Whether the end was sent.
    pub(super) ended: Cell<bool>,
}

/// What an operation's error means for the stream: whatever the system reports, the connection is
/// not to be used any more.
fn broken(error: StreamError) -> StreamError {
    match error {
        StreamError::Io(error) => StreamError::Broken(Some(error)),
        other => other,
    }
}

impl<T: AsFd> FdStream<T> {
    pub(crate) fn new(inner: T) -> io::Result<FdStream<T>> {
        Ok(FdStream::of(Source::new(inner)?))
    }

    /// A stream over what is in the reactor already.
    pub(crate) fn of(source: Source<T>) -> FdStream<T> {
        FdStream {
            source,
            sending: Turnstile::default(),
            receiving: Turnstile::default(),
            ended: Cell::new(false),
        }
    }

    /// The descriptor's owner.
    pub(crate) fn get(&self) -> Result<Rc<T>, StreamError> {
        self.source.get()
    }

    /// Closes at once.
    pub(crate) fn close_now(&self) {
        self.source.close();
    }

    /// Closes. A checkpoint, which may be cancelled: then it is closed, too.
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

impl<T: Kind> FdStream<T> {
    /// Notes that less was read or written than there was room for, if that means anything.
    pub(super) fn found_short(&self, direction: Direction) {
        if T::SHORT_IS_ALL {
            self.source.found_short(direction);
        }
    }
}

impl<T: Kind> FdStream<T>
where
    for<'a> &'a T: Read,
{
    pub(crate) async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        ensure_room(buffer)?;
        let _inside = self.receiving.enter("receiving from this stream")?;
        let read = self.source.operate(Direction::Read, |mut inner| {
            let n = inner.read(buffer)?;
            if 0 < n && n < buffer.len() {
                self.found_short(Direction::Read);
            }
            Ok(n)
        });
        read.await.map_err(broken)
    }
}

impl<T: Kind> FdStream<T>
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
                if n < data.len() {
                    self.found_short(Direction::Write);
                }
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
        // Until a send finds out, the descriptor counts as ready, full or not.
        if !is_writable(&*inner).map_err(StreamError::Io)? {
            self.source.found_blocked(Direction::Write);
        }
        drop(inner);
        self.source.ready(Direction::Write).await
    }

    /// Ends the sending direction by `shut_down`. A checkpoint; saying it twice is fine.
    pub(crate) async fn send_eof(
        &self,
        shut_down: impl FnOnce(&T) -> io::Result<()>,
    ) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending to this stream")?;
        let inner = self.source.get()?;
        crate::checkpoint_if_cancelled().await?;
        if !self.ended.replace(true) {
            match shut_down(&inner) {
                // The other side is gone already: it needs no telling.
                Err(error) if error.kind() == ErrorKind::NotConnected => {}
                Err(error) => return Err(StreamError::Broken(Some(error))),
                Ok(()) => {}
            }
        }
        cancel_shielded_checkpoint().await;
        Ok(())
    }
}

/// The traits of streams for a type that wraps an [`FdStream`]: in the directions that are named.
macro_rules! stream_over_fd {
    ($stream:ty: $($direction:ident),+) => {
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
