//! What a `TcpStream` holds: a socket of the system, or a connection in a simulated network.

use crate::io::{
    FdStream, StreamError,
    net::simulated::{SimulatedConnection, SimulatedSource, SimulatedStream, has_no_descriptor},
};
use std::{io, net};
#[cfg(feature = "futures-io")]
use std::{
    io::{IoSlice, IoSliceMut},
    task::{Context, Poll},
};

/// A TCP connection of either kind. The simulated one is in a box, and so are the futures of its operations. So a real
/// one does not pay for their size.
#[allow(
    clippy::large_enum_variant,
    reason = "a real socket in a box would cost one more access of memory each time"
)]
pub(crate) enum TcpConnection {
    Real(FdStream<net::TcpStream>),
    Simulated(Box<SimulatedStream>),
}

impl TcpConnection {
    /// The socket of the system.
    pub(super) fn real(&self) -> Result<&FdStream<net::TcpStream>, StreamError> {
        match self {
            TcpConnection::Real(stream) => Ok(stream),
            TcpConnection::Simulated(_) => Err(has_no_descriptor()),
        }
    }

    /// The simulated socket.
    pub(super) fn simulated(&self) -> Option<&SimulatedSource<dyn SimulatedConnection>> {
        match self {
            TcpConnection::Real(_) => None,
            TcpConnection::Simulated(stream) => Some(&stream.source),
        }
    }

    pub(crate) async fn close(&self) -> Result<(), StreamError> {
        match self {
            TcpConnection::Real(stream) => stream.close().await,
            TcpConnection::Simulated(stream) => Box::pin(stream.source.close()).await,
        }
    }

    pub(crate) async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        match self {
            TcpConnection::Real(stream) => stream.receive_some(buffer).await,
            TcpConnection::Simulated(stream) => Box::pin(stream.receive_some(buffer)).await,
        }
    }

    pub(crate) async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
        match self {
            TcpConnection::Real(stream) => stream.send_all(data).await,
            TcpConnection::Simulated(stream) => Box::pin(stream.send_all(data)).await,
        }
    }

    pub(crate) async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        match self {
            TcpConnection::Real(stream) => stream.wait_send_all_might_not_block().await,
            TcpConnection::Simulated(stream) => Box::pin(stream.wait_send_all_might_not_block()).await,
        }
    }

    pub(crate) async fn send_eof(
        &self,
        shut_down: impl FnOnce(&net::TcpStream) -> io::Result<()>,
    ) -> Result<(), StreamError> {
        match self {
            TcpConnection::Real(stream) => stream.send_eof(shut_down).await,
            TcpConnection::Simulated(stream) => Box::pin(stream.send_eof()).await,
        }
    }
}

#[cfg(feature = "futures-io")]
impl TcpConnection {
    pub(crate) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<Result<usize, StreamError>> {
        match self {
            TcpConnection::Real(stream) => stream.poll_receive(cx, buffers),
            TcpConnection::Simulated(stream) => stream.poll_receive(cx, buffers),
        }
    }

    pub(crate) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<Result<usize, StreamError>> {
        match self {
            TcpConnection::Real(stream) => stream.poll_send(cx, buffers),
            TcpConnection::Simulated(stream) => stream.poll_send(cx, buffers),
        }
    }

    pub(crate) fn send_eof_now(
        &self,
        shut_down: impl FnOnce(&net::TcpStream) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            TcpConnection::Real(stream) => stream.send_eof_now(shut_down),
            TcpConnection::Simulated(stream) => stream.send_eof_now(),
        }
    }
}
