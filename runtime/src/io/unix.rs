//! Sockets of the Unix domain, connected.

use super::{FdStream, HalfCloseableStream, ReceiveStream, Resource, SendStream, StreamError};
use std::{
    fmt, io,
    net::Shutdown,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net,
    },
};

/// A stream socket of the Unix domain.
///
/// ```
/// use terzetto::io::{ReceiveStream, SendStream, UnixStream};
/// terzetto::run(async {
///     let (a, b) = UnixStream::pair()?;
///     a.send_all(b"hello").await?;
///     let mut buffer = [0; 16];
///     let n = b.receive_some(&mut buffer).await?;
///     assert_eq!(&buffer[..n], b"hello");
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct UnixStream(FdStream<net::UnixStream>);

impl UnixStream {
    /// Takes over a connected socket.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_std(stream: net::UnixStream) -> io::Result<UnixStream> {
        stream.set_nonblocking(true)?;
        Ok(UnixStream(FdStream::new(stream)?))
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// Outside a run.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (a, b) = net::UnixStream::pair()?;
        Ok((UnixStream::from_std(a)?, UnixStream::from_std(b)?))
    }

    /// A descriptor of its own for the same socket, for what this library does not offer.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or what the system says.
    pub fn try_clone_fd(&self) -> Result<OwnedFd, StreamError> {
        self.0.get()?.as_fd().try_clone_to_owned().map_err(StreamError::Io)
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnixStream").field(&self.0.get().ok()).finish()
    }
}

impl Resource for UnixStream {
    async fn close(&self) -> Result<(), StreamError> {
        self.0.close().await
    }
}

impl SendStream for UnixStream {
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
        self.0.send_all(data).await
    }

    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        self.0.wait_send_all_might_not_block().await
    }
}

impl ReceiveStream for UnixStream {
    async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        self.0.receive_some(buffer).await
    }
}

impl HalfCloseableStream for UnixStream {
    async fn send_eof(&self) -> Result<(), StreamError> {
        self.0.send_eof(|socket| socket.shutdown(Shutdown::Write)).await
    }
}
