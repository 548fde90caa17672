//! Pipes.

use super::{FdStream, StreamError, fd_stream::stream_over_fd};
use crate::sys::set_nonblocking;
use std::{
    fmt,
    io::{self, PipeReader, PipeWriter},
    os::fd::{AsFd, OwnedFd},
};

/// Makes a pipe: what is sent at the one end is received at the other.
///
/// # Errors
/// What the system says.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::io::{ReceiveStream, SendStream, pipe};
/// terzetto::run(async {
///     let (sender, receiver) = pipe()?;
///     sender.send_all(b"hello").await?;
///     drop(sender);
///     let mut buffer = [0; 16];
///     assert_eq!(receiver.receive_some(&mut buffer).await?, 5);
///     assert_eq!(receiver.receive_some(&mut buffer).await?, 0);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn pipe() -> io::Result<(PipeSender, PipeReceiver)> {
    let (reader, writer) = io::pipe()?;
    Ok((PipeSender::from_fd(writer)?, PipeReceiver::from_fd(reader)?))
}

/// The end of a pipe that is written to.
pub struct PipeSender(pub(crate) FdStream<PipeWriter>);

impl PipeSender {
    /// Takes over a descriptor that can be written to and waited for: a pipe, a terminal, a device.
    /// It is put into non-blocking mode, and so is every other descriptor of the same open file.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> io::Result<PipeSender> {
        let fd = fd.into();
        set_nonblocking(&fd)?;
        Ok(PipeSender(FdStream::new(fd.into())?))
    }

    /// A descriptor of its own for the same pipe.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or what the system says.
    pub fn try_clone_fd(&self) -> Result<OwnedFd, StreamError> {
        self.0.get()?.as_fd().try_clone_to_owned().map_err(StreamError::Io)
    }
}

impl fmt::Debug for PipeSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeSender").field(&self.0.get().ok()).finish()
    }
}

stream_over_fd!(PipeSender: send);

/// The end of a pipe that is read from.
pub struct PipeReceiver(pub(crate) FdStream<PipeReader>);

impl PipeReceiver {
    /// Takes over a descriptor that can be read from and waited for: a pipe, a terminal, a device.
    /// It is put into non-blocking mode, and so is every other descriptor of the same open file.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> io::Result<PipeReceiver> {
        let fd = fd.into();
        set_nonblocking(&fd)?;
        Ok(PipeReceiver(FdStream::new(fd.into())?))
    }

    /// A descriptor of its own for the same pipe.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or what the system says.
    pub fn try_clone_fd(&self) -> Result<OwnedFd, StreamError> {
        self.0.get()?.as_fd().try_clone_to_owned().map_err(StreamError::Io)
    }
}

impl fmt::Debug for PipeReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeReceiver").field(&self.0.get().ok()).finish()
    }
}

stream_over_fd!(PipeReceiver: receive);
