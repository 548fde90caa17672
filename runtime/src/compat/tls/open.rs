//! TLS over TCP in one call.

use crate::{
    Error, TaskStatus,
    compat::tls::{TlsListener, TlsStream},
    io::{TcpListener, TcpStream, open_tcp_listeners, open_tcp_stream, serve_listeners},
};
use rustls::{ClientConfig, ServerConfig, pki_types::ServerName};
use std::{rc::Rc, sync::Arc};

/// Connects to a host over TCP and TLS; trio's `open_ssl_over_tcp_stream`. The handshake takes place
/// with the first send or receive, or by [`TlsStream::handshake`].
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// The errors of [`open_tcp_stream`]. It also fails if `host` is not a name that a certificate can have.
///
/// # Panics
/// Outside a run.
pub async fn open_tls_over_tcp_stream(
    host: &str,
    port: u16,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, Error> {
    let name = ServerName::try_from(host.to_owned())?;
    let stream = open_tcp_stream(host, port).await?;
    Ok(TlsStream::client(config, name, stream)?)
}

/// Listens for TLS connections over TCP on a port, as [`open_tcp_listeners`] does for TCP connections; trio's
/// `open_ssl_over_tcp_listeners`.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// The errors of [`open_tcp_listeners`].
///
/// # Panics
/// Outside a run.
pub async fn open_tls_over_tcp_listeners(
    port: u16,
    host: Option<&str>,
    backlog: Option<u32>,
    config: Arc<ServerConfig>,
) -> Result<Vec<TlsListener<TcpListener>>, Error> {
    let listeners = open_tcp_listeners(port, host, backlog).await?;
    Ok(listeners.into_iter().map(|listener| TlsListener::new(listener, config.clone())).collect())
}

/// Serves TLS connections over TCP on a port, each in its own task; trio's `serve_ssl_over_tcp`. If there is a
/// `status`, the server reports by it that it listens, and passes its listeners.
///
/// # Cancellation
/// As for [`serve_listeners`]. A server ends when it is cancelled.
///
/// # Errors
/// The errors of [`open_tls_over_tcp_listeners`] and [`serve_listeners`].
///
/// # Panics
/// Outside a run.
pub async fn serve_tls_over_tcp(
    port: u16,
    host: Option<&str>,
    config: Arc<ServerConfig>,
    handler: impl AsyncFn(TlsStream<TcpStream>) -> Result<(), Error>,
    status: TaskStatus<Vec<Rc<TlsListener<TcpListener>>>>,
) -> Result<(), Error> {
    let listeners = open_tls_over_tcp_listeners(port, host, None, config).await?;
    serve_listeners(listeners, handler, status).await
}
