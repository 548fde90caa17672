//! Listening in the Unix domain.

use crate::io::{
    Listener, Resource, StreamError,
    net::{UnixStream, accept::Acceptor, unix_name::name},
};
use std::{
    fmt, io,
    os::unix::net::{self, SocketAddr},
    path::Path,
};

/// A socket in the file system that accepts connections.
///
/// The user is responsible for the file. It must not exist before, and it stays when the listener is closed. A
/// server should remove the file when it ends. Before it begins, it should remove a file that a dead server has
/// left behind.
pub struct UnixListener(Acceptor<net::UnixListener>);

impl UnixListener {
    /// Makes a socket at `path` and listens on it.
    ///
    /// On Linux, a path that begins with a zero byte is an abstract name. It is not a file, and it disappears with the
    /// socket.
    ///
    /// # Errors
    /// The system's error, for instance if the file exists; an error of kind `InvalidInput` if `path` is too long or
    /// has a zero byte inside.
    ///
    /// # Panics
    /// Outside a run.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixListener> {
        let listener = net::UnixListener::bind_addr(&name(path.as_ref())?)?;
        listener.set_nonblocking(true)?;
        Ok(UnixListener(Acceptor::new(listener)?))
    }

    /// Takes over a listening socket. It is in non-blocking mode until the listener is closed. Then its original mode
    /// is restored, also for others that share it.
    ///
    /// # Errors
    /// The system's error; `InvalidInput` if the socket does not listen.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_std(listener: net::UnixListener) -> io::Result<UnixListener> {
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
        if !socket2::SockRef::from(&listener).is_listener()? {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket does not listen"));
        }
        Ok(UnixListener(Acceptor::given(listener)?))
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn local_addr(&self) -> Result<SocketAddr, StreamError> {
        self.0.get()?.local_addr().map_err(StreamError::Io)
    }
}

crate::io::close_inherent!([] UnixListener);

impl Resource for UnixListener {
    async fn close(&self) -> Result<(), StreamError> {
        self.0.close().await
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> Result<UnixStream, StreamError> {
        self.0.accept(|listener| UnixStream::own(listener.accept()?.0)).await
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnixListener").field(&self.0.get().ok()).finish()
    }
}
