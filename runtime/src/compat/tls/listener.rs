//! Listening for encrypted connections.

use crate::{
    compat::tls::TlsStream,
    io::{Listener, Resource, Stream, StreamError},
};
use rustls::ServerConfig;
use std::{io, sync::Arc};

/// A listener whose connections speak TLS; trio's `SSLListener`.
///
/// A connection is accepted before its handshake. The handshake takes place in the connection's own task, with the
/// first send or receive. So a client with a slow handshake does not delay others.
#[derive(Debug)]
pub struct TlsListener<L> {
    listener: L,
    config: Arc<ServerConfig>,
    https_compatible: bool,
}

impl<L> TlsListener<L> {
    /// Encrypts the connections of `listener`.
    pub fn new(listener: L, config: Arc<ServerConfig>) -> TlsListener<L> {
        TlsListener { listener, config, https_compatible: false }
    }

    /// Sets [`TlsStream::https_compatible`] for each connection.
    #[must_use]
    pub fn https_compatible(mut self, yes: bool) -> TlsListener<L> {
        self.https_compatible = yes;
        self
    }

    /// The underlying listener.
    pub fn get_ref(&self) -> &L {
        &self.listener
    }
}

crate::io::close_inherent!([L: Resource] TlsListener<L>);

impl<L: Resource> Resource for TlsListener<L> {
    async fn close(&self) -> Result<(), StreamError> {
        self.listener.close().await
    }
}

impl<L: Listener> Listener for TlsListener<L>
where
    L::Stream: Stream,
{
    type Stream = TlsStream<L::Stream>;

    async fn accept(&self) -> Result<TlsStream<L::Stream>, StreamError> {
        let transport = self.listener.accept().await?;
        let stream = TlsStream::server(self.config.clone(), transport)
            .map_err(|error| StreamError::Io(io::Error::other(error)))?;
        Ok(stream.https_compatible(self.https_compatible))
    }
}
