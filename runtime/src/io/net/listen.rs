//! Listening on a port, on every address family.

use crate::{
    Error, checkpoint,
    io::net::{TcpListener, resolve::getaddrinfo, tcp_listener::LONGEST_QUEUE},
};
use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// Listens for TCP connections on a port; trio's `open_tcp_listeners`. If it cannot listen on one of the addresses,
/// it keeps none of the listeners.
///
/// Without a `host`, it listens on all addresses of the machine, with one listener for IPv4 and one for IPv6. (A
/// system that supports only one family gives only one listener.) With a host, it listens on each of the host's
/// addresses. `"0.0.0.0"` and `"::"` stand for all addresses of one family.
///
/// With port 0, the system chooses a free port *for each listener*, and these ports usually differ. To get the same
/// port on both families, choose its number yourself. To get a single port, use a host such as `"127.0.0.1"`.
///
/// `backlog` is the number of connections that may queue. Without it, the queue is as long as the system allows.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// The system's error, for instance if the port is in use; for the host, the errors of
/// [`open_tcp_stream`](crate::io::net::open_tcp_stream).
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
            // For example, the system does not support IPv6. The other addresses are enough.
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
