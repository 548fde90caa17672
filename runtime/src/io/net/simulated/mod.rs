//! Sockets that are not the system's: the seam between the socket types and a simulated network.
//!
//! A program under test must run unmodified, and it names `TcpStream`. So a simulated connection has to be a
//! `TcpStream`, too. Each of the types `TcpStream`, `TcpListener` and `UdpSocket` therefore holds either a socket of
//! the system or a simulated one. A real socket pays one comparison for each operation. Nothing else of it changes: it
//! is the same descriptor in the same reactor, and a receive is still one system call. (Two other ways were weighed. A
//! socket pair of the system for each connection would pass bytes through the kernel, whose buffers and timing the
//! simulation cannot control. A boxed trait object for both kinds would cost each real operation a call through a
//! table.)
//!
//! This module has the traits that a simulated network implements, and what makes streams of such sockets: checkpoints,
//! waits, and the rule that one task at a time uses a direction. It does not know which network it is.
//! `testing::net` is one.

mod side;
mod source;
mod stream;

pub(crate) use side::Side;
pub(crate) use source::SimulatedSource;
pub(crate) use stream::SimulatedStream;

use crate::{core::block::reactor::Direction, io::StreamError};
use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    rc::Rc,
};

/// Makes the sockets of a run in the system's place.
pub(crate) trait SimulatedNetwork {
    /// Begins to connect. Fails at once if no attempt can be made.
    fn connect(&self, local: Option<IpAddr>, remote: SocketAddr) -> io::Result<Rc<dyn SimulatedConnection>>;

    /// Listens on an address, with a queue for so many connections.
    fn listen(&self, address: SocketAddr, backlog: u32) -> io::Result<Rc<dyn SimulatedListener>>;

    /// Makes a socket for datagrams.
    fn bind(&self, address: SocketAddr) -> io::Result<Rc<dyn SimulatedDatagrams>>;

    /// Called when the run ends.
    fn run_ends(&self);
}

/// What all simulated sockets have. Every method returns at once. What cannot be done yet fails as
/// [`WouldBlock`](ErrorKind::WouldBlock).
pub(crate) trait SimulatedSocket {
    /// Whether an attempt in this direction would succeed or fail at once.
    fn is_ready(&self, direction: Direction) -> bool;

    /// Where a task waits for this direction. The network wakes it when the direction becomes ready.
    fn side(&self, direction: Direction) -> &Rc<Side>;

    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// Closes the socket. It is called once.
    fn close(&self);
}

/// One end of a simulated connection.
pub(crate) trait SimulatedConnection: SimulatedSocket {
    /// Whether the attempt to connect has succeeded. Fails if it has failed. Until then the end is not ready for
    /// writing.
    fn has_connected(&self) -> io::Result<bool>;

    fn peer_addr(&self) -> io::Result<SocketAddr>;

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize>;

    fn send(&self, data: &[u8]) -> io::Result<usize>;

    /// Ends the sending direction.
    fn end(&self) -> io::Result<()>;
}

/// A simulated socket that listens.
pub(crate) trait SimulatedListener: SimulatedSocket {
    fn accept(&self) -> io::Result<Rc<dyn SimulatedConnection>>;
}

/// A simulated socket for datagrams.
pub(crate) trait SimulatedDatagrams: SimulatedSocket {
    fn connect(&self, address: SocketAddr) -> io::Result<()>;

    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// Sends a datagram, to the address that the socket is connected to if no other is given.
    fn send(&self, datagram: &[u8], to: Option<SocketAddr>) -> io::Result<usize>;

    /// Receives a datagram. Bytes that do not fit into `buffer` are lost.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)>;
}

/// The error of an operation that needs a descriptor.
pub(crate) fn has_no_descriptor() -> StreamError {
    let text = "this socket belongs to a simulated network, and has no descriptor";
    StreamError::Io(io::Error::new(ErrorKind::Unsupported, text))
}
