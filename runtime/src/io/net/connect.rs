//! Connecting a socket without blocking the thread.

use crate::{
    core::block::reactor::Direction,
    io::{FdStream, Source, StreamError},
    lowlevel::{cancel_shielded_checkpoint, checkpoint_if_cancelled},
};
use socket2::{SockAddr, SockRef, Socket};
use std::{
    io::{self, ErrorKind},
    os::fd::{AsFd, OwnedFd},
};

/// Connects a fresh socket of a stream's kind.
///
/// # Cancellation
/// A checkpoint. If cancelled, the socket is closed, and with it the attempt ends.
pub(super) async fn connect<T>(socket: Socket, address: &SockAddr) -> Result<FdStream<T>, StreamError>
where
    T: AsFd + From<OwnedFd>,
{
    checkpoint_if_cancelled().await?;
    socket.set_nonblocking(true).map_err(StreamError::Io)?;
    let at_once = match socket.connect(address) {
        Ok(()) => true,
        // Interrupted or not, the attempt goes on by itself.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => false,
        Err(error) => return Err(StreamError::Io(error)),
    };
    // Not before `connect`: what the system says of a socket that has not begun would mislead.
    let source = Source::new(T::from(OwnedFd::from(socket))).map_err(StreamError::Io)?;
    if at_once {
        cancel_shielded_checkpoint().await;
        return Ok(FdStream::of(source));
    }
    loop {
        source.wait(Direction::Write).await?;
        if has_connected(&*source.get()?).map_err(StreamError::Io)? {
            return Ok(FdStream::of(source));
        }
    }
}

/// Whether an attempt has succeeded; fails if it has failed.
fn has_connected(socket: &impl AsFd) -> io::Result<bool> {
    let socket = SockRef::from(socket);
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(true),
        // Woken for nothing.
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}
