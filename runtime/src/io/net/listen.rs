//! Listening on a port, on every family of addresses.

use crate::{
    Error, checkpoint,
    io::net::{TcpListener, resolve::getaddrinfo, tcp_listener::LONGEST_QUEUE},
};
use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// Listens for TCP connections on a port; trio's `open_tcp_listeners`. All or nothing: if one address
/// cannot be had, none is kept.
///
/// Without a `host`, on all addresses of the machine: one listener for IPv4 and one for IPv6 (a
/// system that knows only one family gives only one). With a host, on each of its addresses;
/// `"0.0.0.0"` and `"::"` are all addresses of one family.
///
/// With port 0 the system chooses a free port *for each listener*: different ones in general. Who
/// wants one port on both families names it, or asks for `"127.0.0.1"` or the like.
///
/// `backlog` is how many connections may queue; without it, as many as the system allows.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// What the system says: that the port is taken, for instance; as
/// [`open_tcp_stream`](crate::io::net::open_tcp_stream) for the host.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::io::open_tcp_listeners;
/// terzetto::run(async {
///     let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
///     assert_eq!(listeners.len(), 1);
///     assert_ne!(listeners[0].local_addr()?.port(), 0);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn open_tcp_listeners(
    port: u16,
    host: Option<&str>,
    backlog: Option<u32>,
) -> Result<Vec<TcpListener>, Error> {
    let addresses = match host {
        Some(host) => getaddrinfo(host, port).await?,
        None => {
            checkpoint().await?;
            vec![(Ipv4Addr::UNSPECIFIED, port).into(), (Ipv6Addr::UNSPECIFIED, port).into()]
        }
    };
    let mut listeners = Vec::new();
    let mut unsupported = None;
    for address in addresses {
        match TcpListener::bind_with_backlog(address, backlog.unwrap_or(LONGEST_QUEUE)) {
            Ok(listener) => listeners.push(listener),
            // A system without IPv6, say: the others will do.
            Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
                log::debug!("this system has no sockets for {address}: {error}");
                unsupported = Some(listening(address, error));
            }
            Err(error) => return Err(listening(address, error).into()),
        }
    }
    match unsupported {
        Some(error) if listeners.is_empty() => Err(error.into()),
        _ => Ok(listeners),
    }
}

fn listening(address: SocketAddr, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
}
