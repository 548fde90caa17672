//! How a client's pool makes connections.

use crate::{
    Error,
    compat::{
        HyperIo,
        http::{HttpError, SendIo},
    },
    fail_after,
    io::open_tcp_stream,
};
use futures_io::{AsyncRead, AsyncWrite};
use hyper::{
    Uri,
    rt::{Read, ReadBufCursor, Write},
};
use hyper_util::client::legacy::connect::{Connected, Connection};
use send_wrapper::SendWrapper;
use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};
use tower_service::Service;

/// A plain or an encrypted connection.
trait Transport: AsyncRead + AsyncWrite {}

impl<T: AsyncRead + AsyncWrite> Transport for T {}

/// A connection in the pool.
pub(super) struct PooledConnection {
    io: HyperIo<SendIo<Pin<Box<dyn Transport>>>>,
    /// Whether the two sides have agreed on HTTP/2.
    is_http_2: bool,
}

impl PooledConnection {
    fn new(transport: impl Transport + 'static, is_http_2: bool) -> PooledConnection {
        PooledConnection { io: HyperIo::new(SendIo::new(Box::pin(transport))), is_http_2 }
    }
}

impl Connection for PooledConnection {
    fn connected(&self) -> Connected {
        match self.is_http_2 {
            true => Connected::new().negotiated_h2(),
            false => Connected::new(),
        }
    }
}

impl Read for PooledConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for PooledConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Connects over TCP, and TLS for `https`.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) timeout: f64,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

impl Connector {
    async fn connect(self, uri: Uri) -> Result<PooledConnection, Error> {
        let bad = || HttpError::BadUri(uri.to_string());
        // A host that is an address of IPv6 is in brackets.
        let host = uri.host().ok_or_else(bad)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match uri.scheme_str() {
            Some("http") => {
                let stream = open_tcp_stream(host, uri.port_u16().unwrap_or(80)).await?;
                Ok(PooledConnection::new(stream, false))
            }
            Some("https") => self.connect_encrypted(host, uri.port_u16().unwrap_or(443)).await,
            _ => Err(bad().into()),
        }
    }

    #[cfg(feature = "tls")]
    async fn connect_encrypted(self, host: &str, port: u16) -> Result<PooledConnection, Error> {
        use crate::compat::{FuturesIo, tls::open_tls_over_tcp_stream};
        let config = self.tls.ok_or(HttpError::NoTls)?;
        // HTTP says itself where a body ends, and servers often close without a farewell.
        let stream = open_tls_over_tcp_stream(host, port, config).await?.https_compatible(true);
        stream.handshake().await?;
        let is_http_2 = stream.with_connection(|connection| connection.alpn_protocol() == Some(b"h2"));
        Ok(PooledConnection::new(FuturesIo::new(stream), is_http_2))
    }

    #[cfg(not(feature = "tls"))]
    async fn connect_encrypted(self, _host: &str, _port: u16) -> Result<PooledConnection, Error> {
        Err(HttpError::NoTls.into())
    }
}

/// The error of an attempt to connect, which `hyper` puts into its own.
#[derive(Debug)]
pub(super) struct ConnectError(Error);

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

impl Service<Uri> for Connector {
    type Response = PooledConnection;
    type Error = ConnectError;
    type Future = SendWrapper<Pin<Box<dyn Future<Output = Result<PooledConnection, ConnectError>>>>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        let limit = self.timeout;
        SendWrapper::new(Box::pin(async move {
            fail_after(limit, connector.connect(uri)).await.map_err(ConnectError)
        }))
    }
}
