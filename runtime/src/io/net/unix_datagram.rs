//! Datagrams in the Unix domain.

use crate::{
    checkpoint,
    core::block::reactor::Direction,
    io::{Resource, Source, StreamError, net::unix_name::name},
    lowlevel::checkpoint_if_cancelled,
    sleep,
};
use std::{
    fmt,
    io::{self, ErrorKind},
    os::unix::net::{self, SocketAddr},
    path::Path,
};

/// How long a sender by name waits before it tries a full receiver again, in seconds: the first pause and the
/// longest pause.
const PAUSES: (f64, f64) = (0.001, 0.02);

/// A socket for datagrams in the Unix domain. Datagrams arrive whole and in order, and are not lost. If the
/// receiver is full, the sender waits.
///
/// If a socket has a path, the user is responsible for the file. It must not exist before, and it stays when the
/// socket is closed.
pub struct UnixDatagram(pub(super) Source<net::UnixDatagram>);

impl UnixDatagram {
    /// Makes a socket at `path`.
    ///
    /// On Linux, a path that begins with a zero byte is an abstract name. It is not a file, and it disappears with the
    /// socket.
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixDatagram> {
        UnixDatagram::own(net::UnixDatagram::bind_addr(&name(path.as_ref())?)?)
    }

    /// Makes a socket without a name. It can send, but it cannot get answers.
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn unbound() -> io::Result<UnixDatagram> {
        UnixDatagram::own(net::UnixDatagram::unbound()?)
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (a, b) = net::UnixDatagram::pair()?;
        Ok((UnixDatagram::own(a)?, UnixDatagram::own(b)?))
    }

    /// Takes over a socket. It is in non-blocking mode until this is closed. Then its original mode is restored, also
    /// for duplicates.
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_std(socket: net::UnixDatagram) -> io::Result<UnixDatagram> {
        Ok(UnixDatagram(Source::given(socket)?))
    }

    /// Takes over a socket of our own.
    fn own(socket: net::UnixDatagram) -> io::Result<UnixDatagram> {
        socket.set_nonblocking(true)?;
        Ok(UnixDatagram(Source::new(socket)?))
    }

    /// Sets the socket that [`UnixDatagram::send`] sends to and [`UnixDatagram::recv`] receives from.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn connect(&self, path: impl AsRef<Path>) -> Result<(), StreamError> {
        let name = name(path.as_ref()).map_err(StreamError::Io)?;
        self.0.get()?.connect_addr(&name).map_err(StreamError::Io)
    }

    /// Sends a datagram to the address that the socket is connected to. Returns its length.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was sent.
    ///
    /// # Errors
    /// [`StreamError::Io`] with the system's error; [`StreamError::Busy`] if it must wait and another task waits, too;
    /// [`StreamError::Closed`].
    pub async fn send(&self, datagram: &[u8]) -> Result<usize, StreamError> {
        self.0.operate(Direction::Write, |socket| socket.send(datagram)).await
    }

    /// Sends a datagram to the socket at `path`. Returns its length. While the receiver is full, it tries again up to
    /// fifty times a second. For [`UnixDatagram::send`] this is not necessary, because the system says when there is
    /// room.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was sent.
    ///
    /// # Errors
    /// The errors of [`UnixDatagram::send`].
    pub async fn send_to(&self, datagram: &[u8], path: impl AsRef<Path>) -> Result<usize, StreamError> {
        let name = name(path.as_ref()).map_err(StreamError::Io)?;
        checkpoint_if_cancelled().await?;
        let mut pause = PAUSES.0;
        loop {
            match self.0.get()?.send_to_addr(datagram, &name) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                outcome => {
                    let length = outcome.map_err(StreamError::Io)?;
                    crate::lowlevel::cancel_shielded_checkpoint().await;
                    return Ok(length);
                }
            }
            // The receiver is full. The system tells a connected socket when the receiver has room again. A socket that
            // is not connected gets events only for its own buffer, which has room all the time.
            sleep(pause).await?;
            pause = PAUSES.1.min(pause * 2.0);
        }
    }

    /// Receives a datagram from the socket that this one is connected to. Returns its length. Bytes that do not fit
    /// into `buffer` are lost.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken.
    ///
    /// # Errors
    /// The errors of [`UnixDatagram::send`].
    pub async fn recv(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        self.0.operate(Direction::Read, |socket| socket.recv(buffer)).await
    }

    /// Receives a datagram. Returns its length and its source address. Bytes that do not fit into `buffer` are lost.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken.
    ///
    /// # Errors
    /// The errors of [`UnixDatagram::send`].
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), StreamError> {
        self.0.operate(Direction::Read, |socket| socket.recv_from(buffer)).await
    }

    /// The address of this socket.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn local_addr(&self) -> Result<SocketAddr, StreamError> {
        self.0.get()?.local_addr().map_err(StreamError::Io)
    }
}

crate::io::close_inherent!([] UnixDatagram);

impl Resource for UnixDatagram {
    async fn close(&self) -> Result<(), StreamError> {
        self.0.close();
        Ok(checkpoint().await?)
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnixDatagram").field(&self.0.get().ok()).finish()
    }
}
