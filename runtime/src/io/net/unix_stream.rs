//! Connections in the Unix domain.

use super::{connect::connect, hooks::new_socket};
use crate::{
    io::{FdStream, StreamError, fd_stream::stream_over_fd},
    sleep,
};
use socket2::{Domain, SockAddr, Type};
use std::{
    fmt,
    io::{self, ErrorKind},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::{self, SocketAddr},
    },
    path::Path,
};

/// How long a connection waits before it knocks again at a listener whose queue is full, in seconds:
/// at first, and at most.
const PAUSES: (f64, f64) = (0.001, 0.1);

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
pub struct UnixStream(pub(crate) FdStream<net::UnixStream>);

impl UnixStream {
    /// Connects to a socket in the file system; trio's `open_unix_socket`.
    ///
    /// If the listener's queue is full, the system neither waits nor says when there is room: then
    /// this tries again, ever more slowly up to ten times a second.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing is left of the attempt.
    ///
    /// # Errors
    /// [`StreamError::Io`] with what the system says: nobody listens there, for instance.
    ///
    /// # Panics
    /// Outside a run.
    pub async fn connect(path: impl AsRef<Path>) -> Result<UnixStream, StreamError> {
        let address = SockAddr::unix(path).map_err(StreamError::Io)?;
        let mut pause = PAUSES.0;
        loop {
            let socket = new_socket(Domain::UNIX, Type::STREAM, None).map_err(StreamError::Io)?;
            match connect(socket, &address).await {
                Err(StreamError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    sleep(pause).await?;
                    pause = PAUSES.1.min(pause * 2.0);
                }
                connected => return connected.map(UnixStream),
            }
        }
    }

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

    /// The address of this end.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or what the system says.
    pub fn local_addr(&self) -> Result<SocketAddr, StreamError> {
        self.0.get()?.local_addr().map_err(StreamError::Io)
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or what the system says.
    pub fn peer_addr(&self) -> Result<SocketAddr, StreamError> {
        self.0.get()?.peer_addr().map_err(StreamError::Io)
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

stream_over_fd!(UnixStream: send, receive, shutdown);
