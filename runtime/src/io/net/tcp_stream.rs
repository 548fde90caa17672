//! TCP connections.

use crate::{
    io::{
        FdStream, StreamError,
        fd_stream::stream_over_fd,
        net::{
            TcpConnection,
            connect::connect,
            hooks::{new_socket, simulated_network},
            simulated::{SimulatedStream, has_no_descriptor},
        },
    },
    sys::has_upper_protocol,
};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use std::{
    fmt, io,
    net::{self, IpAddr, SocketAddr},
    os::fd::{AsFd, OwnedFd},
};

/// A TCP connection; trio's `SocketStream`.
///
/// As in trio, `TCP_NODELAY` is set, so that small pieces of data are sent at once. A program that writes many
/// small pieces in a row should collect them in a buffer of its own.
///
/// To connect to a host by its name, use [`open_tcp_stream`](crate::io::net::open_tcp_stream).
///
/// ```
/// use terzetto::{io::{Listener, ReceiveStream, SendStream, TcpListener, TcpStream}, nursery};
/// terzetto::run(async {
///     let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
///     nursery(async |n| {
///         let client = TcpStream::connect(listener.local_addr()?).await?;
///         n.start_soon(async move { Ok(client.send_all(b"hello").await?) });
///         let server = listener.accept().await?;
///         let mut buffer = [0; 16];
///         let n = server.receive_some(&mut buffer).await?;
///         assert_eq!(&buffer[..n], b"hello");
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct TcpStream(pub(crate) TcpConnection);

impl TcpStream {
    /// Connects to an address.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the attempt ends and its socket is closed.
    ///
    /// # Errors
    /// [`StreamError::Io`] with the system's error, for instance if nobody listens there.
    ///
    /// # Panics
    /// Outside a run.
    pub async fn connect(address: impl Into<SocketAddr>) -> Result<TcpStream, StreamError> {
        TcpStream::connect_from(None, address.into()).await
    }

    /// Like [`TcpStream::connect`], from a given address of this machine.
    pub(super) async fn connect_from(
        local: Option<IpAddr>,
        remote: SocketAddr,
    ) -> Result<TcpStream, StreamError> {
        if let Some(network) = simulated_network() {
            let connection = network.connect(local, remote).map_err(StreamError::Io)?;
            let stream = Box::new(SimulatedStream::new(connection));
            Box::pin(stream.connected()).await?;
            return Ok(TcpStream(TcpConnection::Simulated(stream)));
        }
        let domain = Domain::for_address(remote);
        let socket = new_socket(domain, Type::STREAM, Some(Protocol::TCP)).map_err(StreamError::Io)?;
        socket.set_tcp_nodelay(true).map_err(StreamError::Io)?;
        if let Some(local) = local {
            socket.bind(&SockAddr::from(SocketAddr::new(local, 0))).map_err(|error| {
                let text = format!("the local address {local} does not go with it: {error}");
                StreamError::Io(io::Error::new(error.kind(), text))
            })?;
        }
        let stream = connect(socket, &remote.into()).await?;
        stream.set_plain_tcp(true);
        Ok(TcpStream(TcpConnection::Real(stream)))
    }

    /// Takes over a connected socket, and sets `TCP_NODELAY`. The socket is in non-blocking mode until the stream is
    /// closed. Then its original mode is restored, also for duplicates.
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_std(stream: net::TcpStream) -> io::Result<TcpStream> {
        let plain = is_plain(&stream)?;
        let stream = FdStream::given(without_delay(stream))?;
        stream.set_plain_tcp(plain);
        Ok(TcpStream(TcpConnection::Real(stream)))
    }

    /// Takes over a connection that a listener of ours has accepted. `plain` is the result of [`is_plain`] for the
    /// listener.
    pub(super) fn accepted(stream: net::TcpStream, plain: bool) -> io::Result<TcpStream> {
        stream.set_nonblocking(true)?;
        let stream = FdStream::new(without_delay(stream))?;
        stream.set_plain_tcp(plain);
        Ok(TcpStream(TcpConnection::Real(stream)))
    }

    /// The address of this end.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn local_addr(&self) -> Result<SocketAddr, StreamError> {
        let address = match &self.0 {
            TcpConnection::Real(stream) => stream.get()?.local_addr(),
            TcpConnection::Simulated(stream) => stream.source.get()?.local_addr(),
        };
        address.map_err(StreamError::Io)
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn peer_addr(&self) -> Result<SocketAddr, StreamError> {
        let address = match &self.0 {
            TcpConnection::Real(stream) => stream.get()?.peer_addr(),
            TcpConnection::Simulated(stream) => stream.source.get()?.peer_addr(),
        };
        address.map_err(StreamError::Io)
    }

    /// Whether small pieces of data are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn nodelay(&self) -> Result<bool, StreamError> {
        self.with_socket(|socket| socket.tcp_nodelay())
    }

    /// Sets whether small pieces of data are sent at once.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn set_nodelay(&self, nodelay: bool) -> Result<(), StreamError> {
        self.with_socket(|socket| socket.set_tcp_nodelay(nodelay))
    }

    /// Gets or sets any other option of the socket through `socket2`; trio's `setsockopt` and `getsockopt`.
    ///
    /// In a simulated network, `inside` gets a socket that is connected to nothing. It remembers options, and they have
    /// no effect.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the error that `inside` returns.
    ///
    /// ```no_run
    /// # terzetto::run(async {
    /// # let stream = terzetto::io::open_tcp_stream("example.org", 80).await?;
    /// stream.with_socket(|socket| socket.set_keepalive(true))?;
    /// # Ok(()) }).unwrap();
    /// ```
    pub fn with_socket<R>(
        &self,
        inside: impl FnOnce(&SockRef<'_>) -> io::Result<R>,
    ) -> Result<R, StreamError> {
        let stream = match &self.0 {
            TcpConnection::Real(stream) => stream,
            TcpConnection::Simulated(stream) => return stream.source.with_options(option_holder, inside),
        };
        let socket = stream.get()?;
        let outcome = inside(&SockRef::from(&*socket)).map_err(StreamError::Io);
        if stream.is_plain_tcp() {
            // The program may have enabled TLS on the socket.
            stream.set_plain_tcp(!has_upper_protocol(&*socket));
        }
        outcome
    }

    /// Returns a duplicate of the descriptor, for operations that this library does not offer.
    ///
    /// Both descriptors are in non-blocking mode until this stream is closed. After that, they are in blocking mode,
    /// unless the stream was made from a descriptor in non-blocking mode. For a child process, use
    /// [`TcpStream::into_fd`].
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error; `Unsupported` in a simulated network, which has no descriptors.
    pub fn try_clone_fd(&self) -> Result<OwnedFd, StreamError> {
        self.0.real()?.duplicate()
    }

    /// Gives up the descriptor. A descriptor that was given to this library is put back into its original mode. A
    /// descriptor that this library has made is put into blocking mode, as a child process expects it for a standard
    /// stream.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error. After an error of the system, the descriptor is closed.
    /// `Unsupported` in a simulated network, which has no descriptors.
    pub fn into_fd(self) -> Result<OwnedFd, StreamError> {
        match self.0 {
            TcpConnection::Real(stream) => stream.into_fd(),
            TcpConnection::Simulated(_) => Err(has_no_descriptor()),
        }
    }
}

/// Whether a socket, connected or listening, is plain TCP, without another protocol on top. This must be checked,
/// because a `std::net::TcpStream` can be made from any descriptor.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn is_plain(socket: &impl AsFd) -> io::Result<bool> {
    let kind = SockRef::from(socket);
    let is_tcp = kind.r#type()? == Type::STREAM && kind.protocol()? == Some(Protocol::TCP);
    Ok(is_tcp && !has_upper_protocol(socket))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn is_plain(_socket: &impl AsFd) -> io::Result<bool> {
    Ok(false)
}

/// A socket of the system that is connected to nothing, for the options of a simulated one.
pub(super) fn option_holder() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket)
}

/// Sets `TCP_NODELAY`.
fn without_delay(stream: net::TcpStream) -> net::TcpStream {
    // Some systems refuse this if the other side is gone already. Reading and writing will then report that.
    if let Err(error) = stream.set_nodelay(true) {
        log::debug!("TCP_NODELAY cannot be set: {error}");
    }
    stream
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            TcpConnection::Real(stream) => f.debug_tuple("TcpStream").field(&stream.get().ok()).finish(),
            TcpConnection::Simulated(_) => {
                let (local, peer) = (self.local_addr().ok(), self.peer_addr().ok());
                f.debug_struct("TcpStream").field("simulated", &local).field("peer", &peer).finish()
            }
        }
    }
}

stream_over_fd!(TcpStream: send, receive, shutdown);
