//! Sockets of the internet and of the Unix domain: connected sockets, listening sockets, and datagram sockets.
//!
//! The modules `connect` and `accept` are the common part of all connected and listening sockets. Other modules
//! build on them. `open_tcp` connects to a host name, and uses `happy_eyeballs` to find the fastest address.
//! `tcp_connection` is what a TCP stream holds: a socket of the system, or one of a simulated network (`simulated`).
//! `listen` opens a port on every address family. `serve` starts a task for each connection.

mod accept;
mod connect;
mod happy_eyeballs;
mod hooks;
mod listen;
mod message;
mod open_tcp;
mod resolve;
mod serve;
pub(crate) mod simulated;
mod tcp_connection;
mod tcp_listener;
mod tcp_stream;
mod udp;
mod unix_datagram;
mod unix_listener;
mod unix_name;
mod unix_stream;

pub use happy_eyeballs::{HAPPY_EYEBALLS_DELAY, happy_eyeballs, happy_eyeballs_order};
#[cfg(feature = "testing")]
pub(crate) use hooks::set_simulated_network;
pub use hooks::{HostnameResolver, SocketFactory, set_custom_hostname_resolver, set_custom_socket_factory};
pub use listen::open_tcp_listeners;
pub use open_tcp::{ConnectFailed, TcpConnector, open_tcp_stream};
pub use resolve::{Lookup, NameFlags, getaddrinfo, getnameinfo};
pub use serve::{serve_listeners, serve_listeners_in, serve_tcp, serve_tcp_in};
pub(crate) use tcp_connection::TcpConnection;
pub use tcp_listener::TcpListener;
pub use tcp_stream::TcpStream;
pub use udp::UdpSocket;
pub use unix_datagram::UnixDatagram;
pub use unix_listener::UnixListener;
pub use unix_stream::UnixStream;
