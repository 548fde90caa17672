//! UDP.

use crate::{
    core::block::reactor::Direction,
    io::{Resource, Source, StreamError, net::hooks::new_socket},
};
use socket2::{Domain, Protocol, SockRef, Type};
use std::{
    fmt, io,
    net::{self, SocketAddr},
};

/// A socket for datagrams over UDP.
///
/// A datagram arrives whole or not at all. It may get lost, and it may overtake another. Several tasks may use one
/// socket. If two tasks must *wait* in the same direction at once, one of them fails as busy.
///
/// ```
/// use terzetto::io::UdpSocket;
/// terzetto::run(async {
///     let (a, b) = (UdpSocket::bind(([127, 0, 0, 1], 0))?, UdpSocket::bind(([127, 0, 0, 1], 0))?);
///     a.send_to(b"hello", b.local_addr()?).await?;
///     let mut buffer = [0; 16];
///     let (n, from) = b.recv_from(&mut buffer).await?;
///     assert_eq!((&buffer[..n], from), (&b"hello"[..], a.local_addr()?));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct UdpSocket(pub(super) Source<net::UdpSocket>);

impl UdpSocket {
    /// Makes a socket at an address of this machine. With port 0, the system chooses a port.
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn bind(address: impl Into<SocketAddr>) -> io::Result<UdpSocket> {
        let address = address.into();
        let socket = new_socket(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.bind(&address.into())?;
        socket.set_nonblocking(true)?;
        Ok(UdpSocket(Source::new(socket.into())?))
    }

    /// Takes over a socket. It is in non-blocking mode until this is closed. Then its original mode is restored, also
    /// for duplicates.
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_std(socket: net::UdpSocket) -> io::Result<UdpSocket> {
        Ok(UdpSocket(Source::given(socket)?))
    }

    /// Sets the address that [`UdpSocket::send`] sends to and [`UdpSocket::recv`] receives from. Nothing is sent.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn connect(&self, address: impl Into<SocketAddr>) -> Result<(), StreamError> {
        self.0.get()?.connect(address.into()).map_err(StreamError::Io)
    }

    /// Sends a datagram to the address that the socket is connected to. Returns its length.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was sent.
    ///
    /// # Errors
    /// [`StreamError::Io`] with the system's error. This may also be the error of an earlier datagram, for instance
    /// that nobody received it. The socket is still usable. [`StreamError::Busy`] and [`StreamError::Closed`].
    pub async fn send(&self, datagram: &[u8]) -> Result<usize, StreamError> {
        self.0.operate(Direction::Write, |socket| socket.send(datagram)).await
    }

    /// Sends a datagram to an address. Returns its length.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was sent.
    ///
    /// # Errors
    /// The errors of [`UdpSocket::send`].
    pub async fn send_to(
        &self,
        datagram: &[u8],
        address: impl Into<SocketAddr>,
    ) -> Result<usize, StreamError> {
        let address = address.into();
        self.0.operate(Direction::Write, |socket| socket.send_to(datagram, address)).await
    }

    /// Receives a datagram from the address that the socket is connected to. Returns its length. Bytes that do not fit
    /// into `buffer` are lost.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken.
    ///
    /// # Errors
    /// The errors of [`UdpSocket::send`].
    pub async fn recv(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        self.0.operate(Direction::Read, |socket| socket.recv(buffer)).await
    }

    /// Receives a datagram. Returns its length and its source address. Bytes that do not fit into `buffer` are lost.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken.
    ///
    /// # Errors
    /// The errors of [`UdpSocket::send`].
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), StreamError> {
        self.0.operate(Direction::Read, |socket| socket.recv_from(buffer)).await
    }

    /// The address of this socket.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn local_addr(&self) -> Result<SocketAddr, StreamError> {
        self.0.get()?.local_addr().map_err(StreamError::Io)
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error, for instance if the socket is not connected.
    pub fn peer_addr(&self) -> Result<SocketAddr, StreamError> {
        self.0.get()?.peer_addr().map_err(StreamError::Io)
    }

    /// Gets or sets any option of the socket (broadcast, groups, buffers …) through `socket2`.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the error that `inside` returns.
    pub fn with_socket<R>(
        &self,
        inside: impl FnOnce(&SockRef<'_>) -> io::Result<R>,
    ) -> Result<R, StreamError> {
        inside(&SockRef::from(&*self.0.get()?)).map_err(StreamError::Io)
    }
}

crate::io::close_inherent!([] UdpSocket);

impl Resource for UdpSocket {
    async fn close(&self) -> Result<(), StreamError> {
        self.0.close();
        Ok(crate::checkpoint().await?)
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UdpSocket").field(&self.0.get().ok()).finish()
    }
}
