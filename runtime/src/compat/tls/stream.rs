//! Encrypted streams.
//!
//! The code follows three rules:
//!
//! - The state machine is borrowed only between two awaits, never across one.
//! - The records that it wants to send are taken out and sent in one operation. If that operation does not complete,
//!   the records are lost, and the stream is broken from then on.
//! - After the handshake receiving never sends, and sending never receives. So one task can send while another
//!   receives. (TLS 1.3 answers a change of keys, which it receives. It may send the answer with the next data. The
//!   session tickets of a server wait for the next data, too.) The handshake sends and receives, so only one task at
//!   a time does it.

use crate::{
    checkpoint,
    compat::tls::records::Records,
    io::{ReceiveStream, Resource, SendStream, Stream, StreamError, Turnstile, ensure_room},
    lowlevel::{cancel_shielded_checkpoint, checkpoint_if_cancelled},
    sync::Semaphore,
};
use rustls::{
    ClientConfig, ClientConnection, Connection, ProtocolVersion, ServerConfig, ServerConnection,
    pki_types::ServerName,
};
use std::{
    cell::{Cell, RefCell},
    fmt,
    io::{self, ErrorKind, Read, Write},
    ops::Range,
    sync::Arc,
};

/// How much is received from the transport at once, about one record of the largest size.
const ROOM: usize = 17 * 1024;

/// How much is encrypted before it is sent.
const PIECE: usize = 64 * 1024;

/// How much decrypted data is kept until it is received. A connection that has more refuses further records.
const ENOUGH: usize = 16 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsState {
    Open,
    /// The connection failed, or was interrupted in the middle of a record.
    Broken,
    /// The transport has ended without the other side's farewell.
    CutOff,
    Closed,
}

/// A stream that is encrypted by TLS, over an unencrypted stream; trio's `SSLStream`.
///
/// The handshake takes place with the first send or receive, or by [`TlsStream::handshake`]. A TLS stream cannot be
/// half closed. Closing sends a farewell (`close_notify`) and does not wait for an answer. If the transport ends
/// without the other side's farewell, somebody may have cut it off. Then receiving fails as broken, and so does
/// sending from then on. See [`TlsStream::https_compatible`].
///
/// A farewell needs a handshake. If the handshake has not been done, closing the stream does it first, as trio does.
/// To avoid a wait for the other side, drop the stream, or close it by
/// [`close_forcefully`](crate::io::close_forcefully).
///
/// # Cancellation
/// A receive that is cancelled or dropped has taken nothing. A send or a handshake that is cancelled in the middle of
/// a record leaves the stream broken.
pub struct TlsStream<S> {
    pub(super) transport: S,
    pub(super) connection: RefCell<Connection>,
    pub(super) state: Cell<TlsState>,
    https_compatible: bool,
    handshaken: Cell<bool>,
    /// Whether a task is closing the stream.
    parting: Cell<bool>,
    /// Lets one future at a time do the handshake. A semaphore and no lock, since two futures of one task may send
    /// and receive.
    handshaking: Semaphore,
    /// The bytes from the transport, and the part of them that the connection has not taken yet.
    pub(super) incoming: RefCell<(Vec<u8>, Range<usize>)>,
    records: RefCell<Records>,
    sending: Turnstile,
    receiving: Turnstile,
}

pub(super) fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StreamError {
    StreamError::Broken(Some(io::Error::new(ErrorKind::InvalidData, error)))
}

fn cut_off() -> StreamError {
    StreamError::Broken(Some(ErrorKind::UnexpectedEof.into()))
}

/// Marks the stream as broken when dropped, unless the operation under way has completed.
struct Amid<'a>(&'a Cell<TlsState>, bool);

impl Drop for Amid<'_> {
    fn drop(&mut self) {
        if !self.1 && self.0.get() == TlsState::Open {
            self.0.set(TlsState::Broken);
        }
    }
}

/// Notes that a stream is being closed, until the close completes or its future is dropped.
struct Parting<'a>(&'a Cell<bool>);

impl Parting<'_> {
    fn begin(parting: &Cell<bool>) -> Parting<'_> {
        parting.set(true);
        Parting(parting)
    }
}

impl Drop for Parting<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl<S: Stream> TlsStream<S> {
    /// The client's end, over a transport to a server. The server has to prove that it is `name`.
    ///
    /// # Errors
    /// If the configuration does not work.
    pub fn client(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        transport: S,
    ) -> Result<TlsStream<S>, rustls::Error> {
        Ok(TlsStream::new(Connection::Client(ClientConnection::new(config, name)?), transport))
    }

    /// The server's end.
    ///
    /// # Errors
    /// If the configuration does not work.
    pub fn server(config: Arc<ServerConfig>, transport: S) -> Result<TlsStream<S>, rustls::Error> {
        Ok(TlsStream::new(Connection::Server(ServerConnection::new(config)?), transport))
    }

    fn new(mut connection: Connection, transport: S) -> TlsStream<S> {
        // Written data is sent at once, so no limit is needed.
        connection.set_buffer_limit(None);
        TlsStream {
            transport,
            connection: connection.into(),
            state: Cell::new(TlsState::Open),
            https_compatible: false,
            handshaken: Cell::new(false),
            parting: Cell::new(false),
            handshaking: Semaphore::new(1),
            incoming: RefCell::new((vec![0; ROOM], 0..0)),
            records: RefCell::default(),
            sending: Turnstile::default(),
            receiving: Turnstile::default(),
        }
    }

    /// Whether to behave as HTTPS often does: close without a farewell, and take the end of the transport for the end
    /// of the stream. This is for protocols that notice by themselves when they are cut off.
    #[must_use]
    pub fn https_compatible(mut self, yes: bool) -> TlsStream<S> {
        self.https_compatible = yes;
        self
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        &self.transport
    }

    /// Calls `inside` with the connection, for instance to read the other side's certificates or the negotiated
    /// protocol.
    ///
    /// # Panics
    /// If `inside` uses this stream.
    pub fn with_connection<R>(&self, inside: impl FnOnce(&Connection) -> R) -> R {
        inside(&self.connection.borrow())
    }

    /// Does the handshake, unless it is done already; trio's `do_handshake`. If another task is doing it, this call
    /// waits.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled during the handshake, the stream may be broken.
    ///
    /// # Errors
    /// [`StreamError::Broken`] if the two sides do not agree. The cause is then a [`rustls::Error`].
    /// [`StreamError::Closed`] if the stream is closed.
    pub async fn handshake(&self) -> Result<(), StreamError> {
        self.ensure_open()?;
        checkpoint_if_cancelled().await?;
        self.ensure_handshake().await?;
        cancel_shielded_checkpoint().await;
        Ok(())
    }

    pub(super) fn ensure_open(&self) -> Result<(), StreamError> {
        match self.state.get() {
            TlsState::Open => Ok(()),
            TlsState::Broken => Err(StreamError::Broken(None)),
            TlsState::CutOff => Err(cut_off()),
            TlsState::Closed => Err(StreamError::Closed),
        }
    }

    pub(super) async fn ensure_handshake(&self) -> Result<(), StreamError> {
        if self.handshaken.get() {
            return Ok(());
        }
        let _alone = self.handshaking.acquire().await?;
        if self.handshaken.get() {
            return Ok(());
        }
        self.ensure_open()?;
        while self.connection.borrow().is_handshaking() {
            if self.connection.borrow().wants_write() {
                self.flush().await?;
                continue;
            }
            match self.feed().await {
                Ok(()) => {}
                // The receive has taken nothing, so the handshake can be continued.
                Err(StreamError::Cancelled(cancelled)) => return Err(cancelled.into()),
                Err(error) => {
                    // After any other error the handshake cannot succeed.
                    if self.state.get() == TlsState::Open {
                        self.state.set(TlsState::Broken);
                    }
                    if self.connection.borrow().wants_write() {
                        // The other side should know why.
                        let _told = self.flush().await;
                    }
                    return Err(error);
                }
            }
        }
        // A server's tickets wait for its next data, since the client may not receive now.
        let version = self.connection.borrow().protocol_version();
        let is_server = matches!(&*self.connection.borrow(), Connection::Server(_));
        if !(is_server && version == Some(ProtocolVersion::TLSv1_3)) {
            self.flush().await?;
        }
        self.handshaken.set(true);
        Ok(())
    }

    /// Sends what the connection wants to send.
    pub(super) async fn flush(&self) -> Result<(), StreamError> {
        let mut records = Vec::new();
        {
            let mut connection = self.connection.borrow_mut();
            while connection.wants_write() {
                connection.write_tls(&mut records).map_err(StreamError::Io)?;
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        let mut amid = Amid(&self.state, false);
        self.transport.send_all(&records).await?;
        amid.1 = true;
        Ok(())
    }

    /// Gives the connection bytes to read: those left over, or else new ones from the transport.
    pub(super) async fn feed(&self) -> Result<(), StreamError> {
        if self.incoming.borrow().1.is_empty() {
            let mut room = std::mem::take(&mut self.incoming.borrow_mut().0);
            room.resize(ROOM, 0);
            let received = self.transport.receive_some(&mut room).await;
            let unread = 0..*received.as_ref().unwrap_or(&0);
            *self.incoming.borrow_mut() = (room, unread);
            received?;
        }
        self.take_records()
    }

    /// Gives the received bytes to the connection, record by record, and none after the other side's farewell.
    fn take_records(&self) -> Result<(), StreamError> {
        let mut incoming = self.incoming.borrow_mut();
        let (data, unread) = &mut *incoming;
        let mut connection = self.connection.borrow_mut();
        if unread.start == unread.end {
            // An empty read tells the connection that the transport has ended.
            connection.read_tls(&mut io::empty()).map_err(broken)?;
            let peer_has_closed = connection.process_new_packets().map_err(broken)?.peer_has_closed();
            if !peer_has_closed || connection.is_handshaking() {
                self.state.set(TlsState::CutOff);
                return Err(cut_off());
            }
            return Ok(());
        }
        while unread.start < unread.end {
            let part = self.records.borrow_mut().take(&data[unread.clone()]);
            let mut record = &data[unread.start..unread.start + part];
            unread.start += part;
            let processed = loop {
                let taken = connection.read_tls(&mut record).map_err(broken)?;
                let processed = connection.process_new_packets();
                if record.is_empty() || taken == 0 || processed.is_err() {
                    break processed;
                }
            };
            match processed {
                Ok(state) if state.peer_has_closed() || state.plaintext_bytes_to_read() >= ENOUGH => break,
                Ok(_) => {}
                Err(error) => {
                    self.state.set(TlsState::Broken);
                    return Err(broken(error));
                }
            }
        }
        Ok(())
    }

    /// Whether decrypted data is left that was received before.
    pub(super) fn has_plaintext(&self) -> bool {
        let state = self.connection.borrow_mut().process_new_packets();
        state.is_ok_and(|state| state.plaintext_bytes_to_read() > 0)
    }

    async fn receive(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        checkpoint_if_cancelled().await?;
        self.ensure_handshake().await?;
        let mut has_waited = false;
        if self.has_plaintext() {
            // This comes before the data is taken. After that the data would be lost if the future were dropped.
            cancel_shielded_checkpoint().await;
            has_waited = true;
        }
        loop {
            let read = self.connection.borrow_mut().reader().read(buffer);
            match read {
                Ok(n) => {
                    if !has_waited {
                        cancel_shielded_checkpoint().await;
                    }
                    return Ok(n);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(StreamError::Broken(Some(error))),
            }
            // Another task may have closed or broken the stream.
            self.ensure_open()?;
            self.feed().await?;
            has_waited = true;
        }
    }
}

crate::io::close_inherent!([S: Stream] TlsStream<S>);

impl<S: Stream> Resource for TlsStream<S> {
    /// Sends a farewell, and closes the transport. It does not wait for the other side's farewell. If the handshake has
    /// not been done, it is done first, with two exceptions: a broken stream, and one that is
    /// [`https_compatible`](TlsStream::https_compatible), which sends no farewell.
    ///
    /// # Errors
    /// Cancelled, the errors of the handshake, and those of the transport. The transport is closed even then. It is no
    /// error if the farewell cannot be sent because the other side is gone.
    async fn close(&self) -> Result<(), StreamError> {
        if self.parting.get() {
            // Another task is closing it, and closes the transport afterwards.
            return Ok(checkpoint().await?);
        }
        let _parting = Parting::begin(&self.parting);
        let mut parted = Ok(());
        if self.state.get() == TlsState::Open && !self.https_compatible {
            parted = self.ensure_handshake().await;
        }
        let state = self.state.replace(TlsState::Closed);
        if state == TlsState::Open && self.handshaken.get() && !self.https_compatible {
            self.connection.borrow_mut().send_close_notify();
            parted = self.flush().await;
            if let Err(error @ (StreamError::Broken(_) | StreamError::Busy(_))) = parted {
                // The other side is gone, or another task is sending.
                log::debug!("closing a TLS stream without a farewell: {error}");
                parted = Ok(());
            }
        }
        let closed = self.transport.close().await;
        parted.and(closed)
    }
}

impl<S: Stream> SendStream for TlsStream<S> {
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending to this stream")?;
        self.ensure_open()?;
        if data.is_empty() {
            return Ok(checkpoint().await?);
        }
        checkpoint_if_cancelled().await?;
        self.ensure_handshake().await?;
        for piece in data.chunks(PIECE) {
            // Another task may have closed the stream in between.
            self.ensure_open()?;
            self.connection.borrow_mut().writer().write_all(piece).map_err(StreamError::Io)?;
            self.flush().await?;
        }
        Ok(())
    }

    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        let _inside = self.sending.enter("sending to this stream")?;
        self.ensure_open()?;
        self.transport.wait_send_all_might_not_block().await
    }
}

impl<S: Stream> ReceiveStream for TlsStream<S> {
    async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        ensure_room(buffer)?;
        let _inside = self.receiving.enter("receiving from this stream")?;
        let ended = |state: TlsState| self.https_compatible && state == TlsState::CutOff;
        if !ended(self.state.get()) {
            self.ensure_open()?;
            match self.receive(buffer).await {
                Err(StreamError::Broken(_)) if ended(self.state.get()) => {}
                received => return received,
            }
        }
        checkpoint().await?;
        Ok(0)
    }
}

impl<S: fmt::Debug> fmt::Debug for TlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("transport", &self.transport)
            .field("state", &self.state.get())
            .finish_non_exhaustive()
    }
}
