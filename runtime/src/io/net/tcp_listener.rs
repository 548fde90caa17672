//! Listening for TCP connections.

use crate::io::{
    Listener, Resource, StreamError,
    net::{TcpStream, accept::Acceptor, hooks::new_socket, tcp_stream::is_plain},
};
use socket2::{Domain, Protocol, SockRef, Type};
use std::{
    fmt, io,
    net::{self, SocketAddr},
};

/// The queue of connections not accepted yet: as long as the system allows. More the system cuts down
/// to its own limit, and some systems keep only 16 bits of the number. trio's choice.
pub(super) const LONGEST_QUEUE: u32 = 0xffff;

/// A socket that accepts TCP connections; trio's `SocketListener`.
///
/// To listen on all addresses of the machine, of both families, there is
/// [`open_tcp_listeners`](crate::io::net::open_tcp_listeners).
pub struct TcpListener {
    acceptor: Acceptor<net::TcpListener>,
    /// Whether its connections are TCP and nothing else.
    plain: bool,
}

impl TcpListener {
    /// Listens on an address; port 0 lets the system choose one. `SO_REUSEADDR` is set, so that a
    /// server can start again while connections of its former self linger; an IPv6 socket takes IPv6
    /// connections only. The queue of connections is as long as the system allows.
    ///
    /// # Errors
    /// What the system says: that the port is taken, for instance.
    ///
    /// # Panics
    /// Outside a run.
    pub fn bind(address: impl Into<SocketAddr>) -> io::Result<TcpListener> {
        TcpListener::bind_with_backlog(address, LONGEST_QUEUE)
    }

    /// As [`TcpListener::bind`], with a queue that holds about `backlog` connections.
    ///
    /// # Errors
    /// As [`TcpListener::bind`].
    ///
    /// # Panics
    /// Outside a run.
    pub fn bind_with_backlog(address: impl Into<SocketAddr>, backlog: u32) -> io::Result<TcpListener> {
        let address = address.into();
        let socket = new_socket(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        socket.listen(backlog.min(LONGEST_QUEUE) as i32)?;
        socket.set_nonblocking(true)?;
        Ok(TcpListener { acceptor: Acceptor::new(socket.into())?, plain: true })
    }

    /// Takes over a listening socket: one that a supervisor has passed on, for instance. It is in
    /// non-blocking mode until the listener is closed; then it is what it was, for whoever has it, too.
    ///
    /// # Errors
    /// What the system says; `InvalidInput` if the socket does not listen.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_std(listener: net::TcpListener) -> io::Result<TcpListener> {
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
        if !SockRef::from(&listener).is_listener()? {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket does not listen"));
        }
        let plain = is_plain(&listener)?;
        Ok(TcpListener { acceptor: Acceptor::given(listener)?, plain })
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or what the system says.
    pub fn local_addr(&self) -> Result<SocketAddr, StreamError> {
        self.acceptor.get()?.local_addr().map_err(StreamError::Io)
    }

    /// Any option of the socket, got or set through `socket2`.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or what `inside` returns.
    pub fn with_socket<R>(
        &self,
        inside: impl FnOnce(&SockRef<'_>) -> io::Result<R>,
    ) -> Result<R, StreamError> {
        inside(&SockRef::from(&*self.acceptor.get()?)).map_err(StreamError::Io)
    }
}

crate::io::close_inherent!([] TcpListener);

impl Resource for TcpListener {
    async fn close(&self) -> Result<(), StreamError> {
        self.acceptor.close().await
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> Result<TcpStream, StreamError> {
        self.acceptor.accept(|listener| TcpStream::accepted(listener.accept()?.0, self.plain)).await
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpListener").field(&self.acceptor.get().ok()).finish()
    }
}
