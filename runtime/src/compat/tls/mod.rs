//! TLS through `rustls`.
//!
//! `rustls` is a state machine without I/O; [`TlsStream`] moves its bytes over any stream. Which
//! algorithms, certificates and roots to use is for the program to say, in `rustls`' own terms: it is
//! re-exported here, without a provider of algorithms.

mod listener;
mod stream;

pub use listener::TlsListener;
pub use rustls;
pub use stream::TlsStream;

use crate::{
    Error,
    io::{TcpStream, open_tcp_stream},
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::sync::Arc;

/// Connects to a host over TCP and TLS; trio's `open_ssl_over_tcp_stream`. The handshake takes place
/// with the first send or receive, or by [`TlsStream::handshake`].
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// As [`open_tcp_stream`]; if `host` is no name that a certificate could have.
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
