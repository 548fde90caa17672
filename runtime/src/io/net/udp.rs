//! UDP.

use crate::{
    core::block::reactor::Direction,
    io::{
        Resource, Source, StreamError,
        net::{
            hooks::{new_socket, simulated_network},
            simulated::{SimulatedDatagrams, SimulatedSource, has_no_descriptor},
        },
    },
};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
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
pub struct UdpSocket(Datagrams);

/// What sends and receives: a socket of the system, or one of a simulated network.
#[allow(
    clippy::large_enum_variant,
    reason = "a real socket in a box would cost one more access of memory each time"
)]
enum Datagrams {
    Real(Source<net::UdpSocket>),
    Simulated(Box<SimulatedSource<dyn SimulatedDatagrams>>),
}

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
        if let Some(network) = simulated_network() {
            let source = SimulatedSource::new(network.bind(address)?);
            return Ok(UdpSocket(Datagrams::Simulated(Box::new(source))));
        }
        let socket = new_socket(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.bind(&address.into())?;
        socket.set_nonblocking(true)?;
        Ok(UdpSocket(Datagrams::Real(Source::new(socket.into())?)))
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
        Ok(UdpSocket(Datagrams::Real(Source::given(socket)?)))
    }

    /// The socket of the system.
    pub(super) fn real(&self) -> Result<&Source<net::UdpSocket>, StreamError> {
        match &self.0 {
            Datagrams::Real(source) => Ok(source),
            Datagrams::Simulated(_) => Err(has_no_descriptor()),
        }
    }

    /// The simulated socket.
    pub(super) fn simulated(&self) -> Option<&SimulatedSource<dyn SimulatedDatagrams>> {
        match &self.0 {
            Datagrams::Real(_) => None,
            Datagrams::Simulated(source) => Some(source),
        }
    }

    /// Sets the address that [`UdpSocket::send`] sends to and [`UdpSocket::recv`] receives from. Nothing is sent.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn connect(&self, address: impl Into<SocketAddr>) -> Result<(), StreamError> {
        let address = address.into();
        let connected = match &self.0 {
            Datagrams::Real(source) => source.get()?.connect(address),
            Datagrams::Simulated(source) => source.get()?.connect(address),
        };
        connected.map_err(StreamError::Io)
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
        match &self.0 {
            Datagrams::Real(source) => source.operate(Direction::Write, |socket| socket.send(datagram)).await,
            Datagrams::Simulated(source) => {
                Box::pin(source.operate(Direction::Write, |socket| socket.send(datagram, None))).await
            }
        }
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
        match &self.0 {
            Datagrams::Real(source) => {
                source.operate(Direction::Write, |socket| socket.send_to(datagram, address)).await
            }
            Datagrams::Simulated(source) => {
                Box::pin(source.operate(Direction::Write, |socket| socket.send(datagram, Some(address))))
                    .await
            }
        }
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
        match &self.0 {
            Datagrams::Real(source) => source.operate(Direction::Read, |socket| socket.recv(buffer)).await,
            Datagrams::Simulated(source) => {
                let received =
                    Box::pin(source.operate(Direction::Read, |socket| socket.receive(buffer))).await?;
                Ok(received.0)
            }
        }
    }

    /// Receives a datagram. Returns its length and its source address. Bytes that do not fit into `buffer` are lost.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken.
    ///
    /// # Errors
    /// The errors of [`UdpSocket::send`].
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), StreamError> {
        match &self.0 {
            Datagrams::Real(source) => {
                source.operate(Direction::Read, |socket| socket.recv_from(buffer)).await
            }
            Datagrams::Simulated(source) => {
                Box::pin(source.operate(Direction::Read, |socket| socket.receive(buffer))).await
            }
        }
    }

    /// The address of this socket.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn local_addr(&self) -> Result<SocketAddr, StreamError> {
        let address = match &self.0 {
            Datagrams::Real(source) => source.get()?.local_addr(),
            Datagrams::Simulated(source) => source.get()?.local_addr(),
        };
        address.map_err(StreamError::Io)
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error, for instance if the socket is not connected.
    pub fn peer_addr(&self) -> Result<SocketAddr, StreamError> {
        let address = match &self.0 {
            Datagrams::Real(source) => source.get()?.peer_addr(),
            Datagrams::Simulated(source) => source.get()?.peer_addr(),
        };
        address.map_err(StreamError::Io)
    }

    /// Gets or sets any option of the socket (broadcast, groups, buffers …) through `socket2`. In a simulated network
    /// options have no effect.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the error that `inside` returns.
    pub fn with_socket<R>(
        &self,
        inside: impl FnOnce(&SockRef<'_>) -> io::Result<R>,
    ) -> Result<R, StreamError> {
        match &self.0 {
            Datagrams::Real(source) => inside(&SockRef::from(&*source.get()?)).map_err(StreamError::Io),
            Datagrams::Simulated(source) => {
                let make = || Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP));
                source.with_options(make, inside)
            }
        }
    }
}

crate::io::close_inherent!([] UdpSocket);

impl Resource for UdpSocket {
    async fn close(&self) -> Result<(), StreamError> {
        match &self.0 {
            Datagrams::Real(source) => source.close(),
            Datagrams::Simulated(source) => source.close_now(),
        }
        Ok(crate::checkpoint().await?)
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Datagrams::Real(source) => f.debug_tuple("UdpSocket").field(&source.get().ok()).finish(),
            Datagrams::Simulated(_) => {
                f.debug_struct("UdpSocket").field("simulated", &self.local_addr().ok()).finish()
            }
        }
    }
}
