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

/// Connects a new stream socket.
///
/// # Cancellation
/// A checkpoint. If cancelled, the socket is closed, and this ends the attempt.
pub(super) async fn connect<T>(socket: Socket, address: &SockAddr) -> Result<FdStream<T>, StreamError>
where
    T: AsFd + From<OwnedFd>,
{
    checkpoint_if_cancelled().await?;
    socket.set_nonblocking(true).map_err(StreamError::Io)?;
    let at_once = match socket.connect(address) {
        Ok(()) => true,
        // The attempt goes on by itself, even if the call was interrupted.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => false,
        Err(error) => return Err(StreamError::Io(error)),
    };
    // Not before `connect`: the system's events for a socket that has not begun to connect would be misleading.
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

/// Whether an attempt has succeeded. Fails if the attempt has failed.
fn has_connected(socket: &impl AsFd) -> io::Result<bool> {
    let socket = SockRef::from(socket);
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(true),
        // The wake-up was spurious.
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}
