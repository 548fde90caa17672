//! The pipes to a child's standard streams.

use crate::io::{FdStream, ReceiveStream, Resource, SendStream, StreamError};
use std::{
    fmt,
    io::{self, PipeReader, PipeWriter},
    os::fd::OwnedFd,
};

/// The end of a pipe that is written to.
pub struct PipeSender(FdStream<PipeWriter>);

/// The end of a pipe that is read from.
pub struct PipeReceiver(FdStream<PipeReader>);

impl PipeSender {
    /// Takes over the end of a pipe. The child's end is another open file, and stays as it is.
    pub(super) fn from_fd(fd: OwnedFd) -> io::Result<PipeSender> {
        rustix::io::ioctl_fionbio(&fd, true)?;
        Ok(PipeSender(FdStream::new(fd.into())?))
    }
}

impl PipeReceiver {
    /// Takes over the end of a pipe. The child's end is another open file, and stays as it is.
    pub(super) fn from_fd(fd: OwnedFd) -> io::Result<PipeReceiver> {
        rustix::io::ioctl_fionbio(&fd, true)?;
        Ok(PipeReceiver(FdStream::new(fd.into())?))
    }
}

impl Resource for PipeSender {
    async fn close(&self) -> Result<(), StreamError> {
        self.0.close().await
    }
}

impl SendStream for PipeSender {
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
        self.0.send_all(data).await
    }

    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        self.0.wait_send_all_might_not_block().await
    }
}

impl Resource for PipeReceiver {
    async fn close(&self) -> Result<(), StreamError> {
        self.0.close().await
    }
}

impl ReceiveStream for PipeReceiver {
    async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        self.0.receive_some(buffer).await
    }
}

impl fmt::Debug for PipeSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeSender").field(&self.0.get().ok()).finish()
    }
}

impl fmt::Debug for PipeReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeReceiver").field(&self.0.get().ok()).finish()
    }
}
