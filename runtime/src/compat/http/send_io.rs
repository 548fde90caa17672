//! Streams where `hyper` demands `Send`.

use futures_io::{AsyncRead, AsyncWrite};
use send_wrapper::SendWrapper;
use std::{
    io::{self, IoSlice, IoSliceMut},
    pin::Pin,
    task::{Context, Poll},
};

/// A stream that `hyper` may keep where it demands `Send`: in upgraded connections, and in a client's pool.
///
/// The stream must stay on its thread. If it is used or dropped on another one, it panics.
#[derive(Debug)]
pub struct SendIo<T>(SendWrapper<T>);

impl<T> SendIo<T> {
    /// Wraps a stream.
    pub fn new(io: T) -> SendIo<T> {
        SendIo(SendWrapper::new(io))
    }

    /// The stream.
    ///
    /// # Panics
    /// On another thread.
    pub fn into_inner(self) -> T {
        self.0.take()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for SendIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_read(cx, buffer)
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_read_vectored(cx, buffers)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for SendIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write_vectored(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_close(cx)
    }
}
