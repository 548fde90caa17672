//! Connections in the Unix domain.

use crate::{
    io::{
        FdStream, StreamError,
        fd_stream::stream_over_fd,
        net::{connect::connect, hooks::new_socket, unix_name::name},
    },
    sleep,
};
use socket2::{Domain, SockAddr, Type};
use std::{
    fmt,
    io::{self, ErrorKind},
    os::{
        fd::OwnedFd,
        unix::net::{self, SocketAddr},
    },
    path::Path,
};

/// How long a connection attempt waits before it tries a listener with a full queue again, in seconds: the first
/// pause and the longest pause.
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
    /// Connects to a socket in the file system; trio's `open_unix_socket`. On Linux, a path that begins with a zero
    /// byte is an abstract name, which is not a file.
    ///
    /// If the listener's queue is full, the system neither waits nor says when there is room. Then this tries again,
    /// with pauses that grow up to a tenth of a second.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the attempt leaves nothing behind.
    ///
    /// # Errors
    /// [`StreamError::Io`] with the system's error, for instance if nobody listens there; an error of kind
    /// `InvalidInput` if `path` is too long or has a zero byte inside.
    ///
    /// # Panics
    /// Outside a run.
    pub async fn connect(path: impl AsRef<Path>) -> Result<UnixStream, StreamError> {
        let path = path.as_ref();
        // Refuses an invalid name.
        name(path).map_err(StreamError::Io)?;
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

    /// Takes over a connected socket. It is in non-blocking mode until the stream is closed. Then its original mode is
    /// restored, also for duplicates.
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_std(stream: net::UnixStream) -> io::Result<UnixStream> {
        Ok(UnixStream(FdStream::given(stream)?))
    }

    /// Takes over a connected socket of our own.
    pub(super) fn own(stream: net::UnixStream) -> io::Result<UnixStream> {
        stream.set_nonblocking(true)?;
        Ok(UnixStream(FdStream::new(stream)?))
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (a, b) = net::UnixStream::pair()?;
        Ok((UnixStream::own(a)?, UnixStream::own(b)?))
    }

    /// The address of this end.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn local_addr(&self) -> Result<SocketAddr, StreamError> {
        self.0.get()?.local_addr().map_err(StreamError::Io)
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn peer_addr(&self) -> Result<SocketAddr, StreamError> {
        self.0.get()?.peer_addr().map_err(StreamError::Io)
    }

    /// Returns a duplicate of the descriptor, for operations that this library does not offer.
    ///
    /// Both descriptors are in non-blocking mode until this stream is closed. After that, they are in blocking mode,
    /// unless the stream was made from a descriptor in non-blocking mode. For a child process, use
    /// [`UnixStream::into_fd`].
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn try_clone_fd(&self) -> Result<OwnedFd, StreamError> {
        self.0.duplicate()
    }

    /// Gives up the descriptor. A descriptor that was given to this library is put back into its original mode. A
    /// descriptor that this library has made is put into blocking mode, as a child process expects it for a standard
    /// stream.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error. After an error of the system, the descriptor is closed.
    pub fn into_fd(self) -> Result<OwnedFd, StreamError> {
        self.0.into_fd()
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnixStream").field(&self.0.get().ok()).finish()
    }
}

stream_over_fd!(UnixStream: send, receive, shutdown);
