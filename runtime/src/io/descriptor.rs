//! A stream over any descriptor.

use crate::io::{FdStream, StreamError, fd_stream::stream_over_fd};
use std::{fmt, fs::File, io, os::fd::OwnedFd};

/// A stream in both directions over a descriptor; trio's `lowlevel.FdStream`. It is for terminals, serial lines,
/// devices, and sockets of families that have no type of their own here. For one direction, use
/// [`PipeSender`](crate::io::PipeSender) or [`PipeReceiver`](crate::io::PipeReceiver).
///
/// ```
/// use std::{io::{Read, Write}, os::unix::net::UnixStream};
/// use terzetto::io::{DescriptorStream, ReceiveStream, SendStream};
/// terzetto::run(async {
///     let (ours, mut theirs) = UnixStream::pair()?;
///     let stream = DescriptorStream::from_fd(ours)?;
///     stream.send_all(b"ping").await?;
///     let mut buffer = [0; 4];
///     theirs.read_exact(&mut buffer)?;
///     theirs.write_all(b"pong")?;
///     assert_eq!(stream.receive_some(&mut buffer).await?, 4);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[doc(alias = "FdStream")]
pub struct DescriptorStream(pub(crate) FdStream<File>);

impl DescriptorStream {
    /// Takes over a descriptor that can be read from and written to. As with
    /// [`PipeSender::from_fd`](crate::io::PipeSender::from_fd), the descriptor is in non-blocking mode until the stream
    /// is closed. A descriptor for which the system has no readiness events counts as always ready.
    ///
    /// # Errors
    /// The system's error.
    ///
    /// # Panics
    /// Outside a run.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> io::Result<DescriptorStream> {
        Ok(DescriptorStream(FdStream::given(fd.into().into())?))
    }

    /// Returns a duplicate of the descriptor. It is in non-blocking mode until this stream is closed.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error.
    pub fn try_clone_fd(&self) -> Result<OwnedFd, StreamError> {
        self.0.duplicate()
    }

    /// Gives up the descriptor, and puts it back into its original mode.
    ///
    /// # Errors
    /// [`StreamError::Closed`], or the system's error. After an error of the system, the descriptor is closed.
    pub fn into_fd(self) -> Result<OwnedFd, StreamError> {
        self.0.into_fd()
    }
}

impl fmt::Debug for DescriptorStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DescriptorStream").field(&self.0.get().ok()).finish()
    }
}

stream_over_fd!(DescriptorStream: send, receive);
