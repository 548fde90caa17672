//! Connecting to a listener of the same process.

use crate::io::{Listener, StreamError, TcpListener, TcpStream, UnixListener, UnixStream};
use std::{
    io::{Error, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::io::TcpListener {}
    impl Sealed for crate::io::UnixListener {}
}

/// A listener that is a socket on this machine.
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait SocketListener: Listener + sealed::Sealed {
    /// Connects to it.
    ///
    /// # Errors
    /// The errors of [`open_stream_to_socket_listener`].
    #[doc(hidden)]
    async fn connect_to(&self) -> Result<Self::Stream, StreamError>;
}

impl SocketListener for TcpListener {
    async fn connect_to(&self) -> Result<TcpStream, StreamError> {
        let mut address = self.local_addr()?;
        if address.ip().is_unspecified() {
            // It listens on all addresses, so also on the loopback address.
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        TcpStream::connect(address).await
    }
}

impl SocketListener for UnixListener {
    async fn connect_to(&self) -> Result<UnixStream, StreamError> {
        let address = self.local_addr()?;
        match address.as_pathname() {
            Some(path) => UnixStream::connect(path).await,
            None => Err(StreamError::Io(Error::new(ErrorKind::InvalidInput, "the listener has no path"))),
        }
    }
}

/// Connects to a listening socket of this process, at any address; trio's `open_stream_to_socket_listener`. The
/// listener still has to accept the connection.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// The errors of [`TcpStream::connect`] and [`UnixStream::connect`]. [`StreamError::Closed`] if the listener is closed.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{io::{Listener, open_tcp_listeners}, testing::open_stream_to_socket_listener};
/// terzetto::run(async {
///     for listener in open_tcp_listeners(0, None, None).await? {
///         let client = open_stream_to_socket_listener(&listener).await?;
///         let server = listener.accept().await?;
///         assert_eq!(server.peer_addr()?, client.local_addr()?);
///     }
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn open_stream_to_socket_listener<L: SocketListener>(
    listener: &L,
) -> Result<L::Stream, StreamError> {
    listener.connect_to().await
}
