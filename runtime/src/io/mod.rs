//! Streams of bytes: the traits that all transports share, and the transports.
//!
//! The traits are trio's. There is one trait for each direction, so that a type can be one half of a connection.
//! Another trait is for streams that can end one direction and keep the other. Methods take `&self`: one task sends
//! while another receives, both with a shared reference. If two tasks use the same direction at once, that is a
//! mistake, and one of them gets [`StreamError::Busy`].
//!
//! Sockets and pipes stay registered in the reactor. An operation first tries the system call. It waits only if the
//! call would block.

mod busy;
mod descriptor;
mod error;
mod fd_stream;
mod forcefully;
mod listener;
mod mode;
pub(crate) mod net;
mod operate;
mod pipe;
#[cfg(feature = "futures-io")]
mod polled;
mod readiness;
mod stapled;
mod stream;

pub(crate) use busy::Turnstile;
pub use descriptor::DescriptorStream;
pub use error::StreamError;
pub(crate) use fd_stream::FdStream;
pub use forcefully::close_forcefully;
pub use listener::Listener;
pub use net::{
    ConnectFailed, HAPPY_EYEBALLS_DELAY, HostnameResolver, Lookup, NameFlags, SocketFactory, TcpConnector,
    TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream, getaddrinfo, getnameinfo,
    happy_eyeballs, happy_eyeballs_order, open_tcp_listeners, open_tcp_stream, serve_listeners,
    serve_listeners_in, serve_tcp, serve_tcp_in, set_custom_hostname_resolver, set_custom_socket_factory,
};
pub use pipe::{PipeReceiver, PipeSender, pipe};
pub(crate) use readiness::Source;
pub use readiness::{notify_closing, wait_readable, wait_writable};
pub use stapled::StapledStream;
pub use stream::{HalfCloseableStream, ReceiveStream, Resource, SendStream, Stream};
pub(crate) use stream::{close_inherent, ensure_room};
