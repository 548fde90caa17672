//! Pipes.

use crate::{
    io::{FdStream, StreamError, fd_stream::stream_over_fd},
    sys::set_nonblocking,
};
use std::{
    fmt,
    io::{self, PipeReader, PipeWriter},
    os::fd::{AsRawFd, OwnedFd},
};

/// Makes a pipe. Bytes that are sent at one end are received at the other end.
///
/// # Errors
/// The system's error.
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
    Ok((PipeSender::own(writer)?, PipeReceiver::own(reader)?))
}

/// The writing end of a pipe.
pub struct PipeSender(pub(crate) FdStream<PipeWriter>);

impl PipeSender {
    /// Takes over a descriptor that can be written to: a pipe, a terminal, a device, a file.
    ///
    /// The descriptor is put into non-blocking mode. This also affects all other descriptors of the same open file,
    /// even in other processes: a terminal is shared with the shell, for example. When the stream is closed or dropped,
    /// the original mode is restored. A child process that gets the same open file sees non-blocking mode as long as
    /// the stream is open.
    ///
    /// Some files have no readiness events, such as a regular file or `/dev/null`. They count as always ready, so a
    /// standard stream may lead anywhere. However, a slow disk then holds up the run's other tasks. For files, use
    /// [`fs::File`](crate::fs::File).
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> io::Result<PipeSender> {
        Ok(PipeSender(FdStream::given(fd.into().into())?))
    }

    /// Takes over one end of a pipe of our own.
    pub(crate) fn own(fd: impl Into<OwnedFd>) -> io::Result<PipeSender> {
        let fd = fd.into();
        set_nonblocking(fd.as_raw_fd(), true)?;
        Ok(PipeSender(FdStream::new(fd.into())?))
    }

    /// Returns a duplicate of the descriptor, for the same pipe.
    ///
    /// Both descriptors are in non-blocking mode until this stream is closed. After that, they are in blocking mode,
    /// unless the stream was made from a descriptor in non-blocking mode. For a child process, use
    /// [`PipeSender::into_fd`].
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn try_clone_fd(&self) -> Result<OwnedFd, StreamError> {
        self.0.duplicate()
    }

    /// Gives up the descriptor. A descriptor that was given to this library is put back into its original mode. A
    /// descriptor that this library has made is put into blocking mode, as a child process expects it for a standard
    /// stream.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error. After an error of the system, the descriptor is closed.
    pub fn into_fd(self) -> Result<OwnedFd, StreamError> {
        self.0.into_fd()
    }
}

impl fmt::Debug for PipeSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeSender").field(&self.0.get().ok()).finish()
    }
}

stream_over_fd!(PipeSender: send);

/// The reading end of a pipe.
pub struct PipeReceiver(pub(crate) FdStream<PipeReader>);

impl PipeReceiver {
    /// Takes over a descriptor that can be read from: a pipe, a terminal, a device, a file.
    ///
    /// The descriptor is put into non-blocking mode. This also affects all other descriptors of the same open file,
    /// even in other processes: a terminal is shared with the shell, for example. When the stream is closed or dropped,
    /// the original mode is restored. A child process that gets the same open file sees non-blocking mode as long as
    /// the stream is open.
    ///
    /// Some files have no readiness events, such as a regular file or `/dev/null`. They count as always ready, so a
    /// standard stream may lead anywhere. However, a slow disk then holds up the run's other tasks. For files, use
    /// [`fs::File`](crate::fs::File).
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    ///
    /// ```no_run
    /// use std::os::fd::AsFd;
    /// use terzetto::io::{PipeReceiver, PipeSender, ReceiveStream, SendStream};
    /// terzetto::run(async {
    ///     let input = PipeReceiver::from_fd(std::io::stdin().as_fd().try_clone_to_owned()?)?;
    ///     let output = PipeSender::from_fd(std::io::stdout().as_fd().try_clone_to_owned()?)?;
    ///     let mut buffer = [0; 4096];
    ///     loop {
    ///         match input.receive_some(&mut buffer).await? {
    ///             0 => break Ok(()),
    ///             n => output.send_all(&buffer[..n]).await?,
    ///         }
    ///     }
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn from_fd(fd: impl Into<OwnedFd>) -> io::Result<PipeReceiver> {
        Ok(PipeReceiver(FdStream::given(fd.into().into())?))
    }

    /// Takes over one end of a pipe of our own.
    pub(crate) fn own(fd: impl Into<OwnedFd>) -> io::Result<PipeReceiver> {
        let fd = fd.into();
        set_nonblocking(fd.as_raw_fd(), true)?;
        Ok(PipeReceiver(FdStream::new(fd.into())?))
    }

    /// Returns a duplicate of the descriptor, for the same pipe.
    ///
    /// Both descriptors are in non-blocking mode until this stream is closed. After that, they are in blocking mode,
    /// unless the stream was made from a descriptor in non-blocking mode. For a child process, use
    /// [`PipeReceiver::into_fd`].
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn try_clone_fd(&self) -> Result<OwnedFd, StreamError> {
        self.0.duplicate()
    }

    /// Gives up the descriptor. A descriptor that was given to this library is put back into its original mode. A
    /// descriptor that this library has made is put into blocking mode, as a child process expects it for a standard
    /// stream.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error. After an error of the system, the descriptor is closed.
    pub fn into_fd(self) -> Result<OwnedFd, StreamError> {
        self.0.into_fd()
    }
}

impl fmt::Debug for PipeReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeReceiver").field(&self.0.get().ok()).finish()
    }
}

stream_over_fd!(PipeReceiver: receive);
