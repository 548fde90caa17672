//! What an application knows of its TLS connection beyond its bytes: the bare transport after TLS has ended on it,
//! the protocol that was agreed on, and a value that names the connection.

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
    /// Ends TLS on the connection, and gives the bare transport back, with what the other side has sent over it after its
    /// farewell and was received already; trio's `unwrap`. For protocols that go on in the clear.
    ///
    /// Says farewell and waits for that of the other side, which has to say it, too: by the same call, or by closing.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the transport is dropped.
    ///
    /// # Errors
    /// As a receive; [`StreamError::Broken`] if the other side had sent data that nobody has received. The transport is
    /// dropped then.
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

    /// The protocol that was agreed on by ALPN; `None` if none was. trio's `selected_alpn_protocol`.
    ///
    /// # Errors
    /// [`rustls::Error::HandshakeNotComplete`] before the handshake; trio's `NeedHandshakeError`.
    pub fn alpn_protocol(&self) -> Result<Option<Vec<u8>>, rustls::Error> {
        self.with_connection(|connection| match connection.is_handshaking() {
            true => Err(rustls::Error::HandshakeNotComplete),
            false => Ok(connection.alpn_protocol().map(<[u8]>::to_vec)),
        })
    }

    /// A value that names this connection, the same at both ends and at no other connection: what a login over it can be
    /// bound to. trio's `get_channel_binding`, but of the kind `tls-exporter` (RFC 9266): `tls-unique`, which is what trio
    /// gives, does not exist in TLS 1.3, and is not safe before.
    ///
    /// # Errors
    /// [`rustls::Error::HandshakeNotComplete`] before the handshake; trio's `NeedHandshakeError`.
    pub fn channel_binding(&self) -> Result<[u8; 32], rustls::Error> {
        self.with_connection(|connection| {
            connection.export_keying_material([0; 32], BINDING_LABEL, Some(&[]))
        })
    }
}
