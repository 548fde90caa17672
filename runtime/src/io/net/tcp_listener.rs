//! Listening for TCP connections.

use crate::{
    core::block::reactor::Direction,
    io::{
        Listener, Resource, StreamError, Turnstile,
        net::{
            TcpConnection, TcpStream,
            accept::Acceptor,
            hooks::{new_socket, simulated_network},
            simulated::{SimulatedListener, SimulatedSource, SimulatedStream},
            tcp_stream::{is_plain, option_holder},
        },
    },
};
use socket2::{Domain, Protocol, SockRef, Type};
use std::{
    fmt, io,
    net::{self, SocketAddr},
};

/// The length of the queue of connections that are not accepted yet: as long as the system allows. The system
/// reduces a larger number to its own limit, and some systems keep only 16 bits of the number. This is trio's
/// choice.
pub(super) const LONGEST_QUEUE: u32 = 0xffff;

/// A socket that accepts TCP connections; trio's `SocketListener`.
///
/// To listen on all addresses of the machine, of both families, use
/// [`open_tcp_listeners`](crate::io::net::open_tcp_listeners).
pub struct TcpListener(Listening);

/// What listens: a socket of the system, or one of a simulated network.
enum Listening {
    Real {
        acceptor: Acceptor<net::TcpListener>,
        /// Whether its connections are plain TCP, without another protocol on top.
        plain: bool,
    },
    Simulated {
        source: SimulatedSource<dyn SimulatedListener>,
        accepting: Turnstile,
    },
}

impl TcpListener {
    /// Listens on an address. With port 0, the system chooses a port. `SO_REUSEADDR` is set, so that a server can
    /// restart while connections of the earlier process still exist. An IPv6 socket accepts only IPv6 connections. The
    /// queue of connections is as long as the system allows.
    ///
    /// # Errors
    /// The system's error, for instance if the port is in use.
    ///
    /// # Panics
    /// Outside a run.
    pub fn bind(address: impl Into<SocketAddr>) -> io::Result<TcpListener> {
        TcpListener::bind_with_backlog(address, LONGEST_QUEUE)
    }

    /// Like [`TcpListener::bind`], with a queue for about `backlog` connections.
    ///
    /// # Errors
    /// The errors of [`TcpListener::bind`].
    ///
    /// # Panics
    /// Outside a run.
    pub fn bind_with_backlog(address: impl Into<SocketAddr>, backlog: u32) -> io::Result<TcpListener> {
        let address = address.into();
        if let Some(network) = simulated_network() {
            let source = SimulatedSource::new(network.listen(address, backlog)?);
            return Ok(TcpListener(Listening::Simulated { source, accepting: Turnstile::default() }));
        }
        let socket = new_socket(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        socket.listen(backlog.min(LONGEST_QUEUE) as i32)?;
        socket.set_nonblocking(true)?;
        Ok(TcpListener(Listening::Real { acceptor: Acceptor::new(socket.into())?, plain: true }))
    }

    /// Takes over a listening socket, for instance one that a supervisor has passed on. The socket is in non-blocking
    /// mode until the listener is closed. Then its original mode is restored, also for others that share it.
    ///
    /// # Errors
    /// The system's error; `InvalidInput` if the socket does not listen.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_std(listener: net::TcpListener) -> io::Result<TcpListener> {
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
        if !SockRef::from(&listener).is_listener()? {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket does not listen"));
        }
        let plain = is_plain(&listener)?;
        Ok(TcpListener(Listening::Real { acceptor: Acceptor::given(listener)?, plain }))
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn local_addr(&self) -> Result<SocketAddr, StreamError> {
        let address = match &self.0 {
            Listening::Real { acceptor, .. } => acceptor.get()?.local_addr(),
            Listening::Simulated { source, .. } => source.get()?.local_addr(),
        };
        address.map_err(StreamError::Io)
    }

    /// Gets or sets any option of the socket through `socket2`. In a simulated network options have no effect.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the error that `inside` returns.
    pub fn with_socket<R>(
        &self,
        inside: impl FnOnce(&SockRef<'_>) -> io::Result<R>,
    ) -> Result<R, StreamError> {
        match &self.0 {
            Listening::Real { acceptor, .. } => {
                inside(&SockRef::from(&*acceptor.get()?)).map_err(StreamError::Io)
            }
            Listening::Simulated { source, .. } => source.with_options(option_holder, inside),
        }
    }
}

crate::io::close_inherent!([] TcpListener);

impl Resource for TcpListener {
    async fn close(&self) -> Result<(), StreamError> {
        match &self.0 {
            Listening::Real { acceptor, .. } => acceptor.close().await,
            Listening::Simulated { source, .. } => source.close().await,
        }
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> Result<TcpStream, StreamError> {
        match &self.0 {
            Listening::Real { acceptor, plain } => {
                acceptor.accept(|listener| TcpStream::accepted(listener.accept()?.0, *plain)).await
            }
            Listening::Simulated { source, accepting } => {
                let _inside = accepting.enter("accepting from this listener")?;
                let accepted =
                    Box::pin(source.operate(Direction::Read, |listener| listener.accept())).await?;
                Ok(TcpStream(TcpConnection::Simulated(Box::new(SimulatedStream::new(accepted)))))
            }
        }
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Listening::Real { acceptor, .. } => {
                f.debug_tuple("TcpListener").field(&acceptor.get().ok()).finish()
            }
            Listening::Simulated { .. } => {
                f.debug_struct("TcpListener").field("simulated", &self.local_addr().ok()).finish()
            }
        }
    }
}
