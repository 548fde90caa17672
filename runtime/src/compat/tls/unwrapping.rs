//! Access to a TLS connection beyond its bytes: the bare transport after TLS has ended, the negotiated protocol, and
//! a value that identifies the connection.

use crate::{
    compat::tls::{
        TlsStream,
        stream::{TlsState, broken},
    },
    io::{Stream, StreamError},
    lowlevel::checkpoint_if_cancelled,
};

/// RFC 9266.
const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

impl<S: Stream> TlsStream<S> {
    /// Ends TLS on the connection and returns the bare transport; trio's `unwrap`. Use it for protocols that continue
    /// without encryption. The other side may have sent bytes after its farewell (`close_notify`). Those that were
    /// received already are returned, too.
    ///
    /// This call sends a farewell and waits for the farewell of the other side. The other side has to send one, too, by
    /// the same call or by closing.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the transport is dropped.
    ///
    /// # Errors
    /// The errors of a receive. [`StreamError::Broken`] if the other side had sent data that nobody has received. The
    /// transport is dropped then.
    pub async fn into_transport(self) -> Result<(S, Vec<u8>), StreamError> {
        self.ensure_open()?;
        checkpoint_if_cancelled().await?;
        self.ensure_handshake().await?;
        self.connection.borrow_mut().send_close_notify();
        self.flush().await?;
        loop {
            if self.has_plaintext() {
                self.state.set(TlsState::Broken);
                return Err(broken(
                    "the other side has sent data before its farewell that nobody has received",
                ));
            }
            let state = self.connection.borrow_mut().process_new_packets().map_err(broken)?;
            if state.peer_has_closed() {
                break;
            }
            self.feed().await?;
        }
        let (data, unread) = self.incoming.into_inner();
        Ok((self.transport, data[unread].to_vec()))
    }

    /// The protocol that was negotiated by ALPN, or `None` if none was; trio's `selected_alpn_protocol`.
    ///
    /// # Errors
    /// [`rustls::Error::HandshakeNotComplete`] before the handshake; trio's `NeedHandshakeError`.
    pub fn alpn_protocol(&self) -> Result<Option<Vec<u8>>, rustls::Error> {
        self.with_connection(|connection| match connection.is_handshaking() {
            true => Err(rustls::Error::HandshakeNotComplete),
            false => Ok(connection.alpn_protocol().map(<[u8]>::to_vec)),
        })
    }

    /// A value that identifies this connection. It is the same at both ends, and differs from that of any other
    /// connection. A login over the connection can be bound to it. This is trio's `get_channel_binding`, but the kind
    /// is `tls-exporter` (RFC 9266). trio returns `tls-unique`, which does not exist in TLS 1.3, and is not safe in
    /// earlier versions.
    ///
    /// # Errors
    /// [`rustls::Error::HandshakeNotComplete`] before the handshake; trio's `NeedHandshakeError`.
    pub fn channel_binding(&self) -> Result<[u8; 32], rustls::Error> {
        self.with_connection(|connection| {
            connection.export_keying_material([0; 32], BINDING_LABEL, Some(&[]))
        })
    }
}
