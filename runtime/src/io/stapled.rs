//! Two one-way streams as one.

use crate::io::{HalfCloseableStream, ReceiveStream, Resource, SendStream, StreamError};

/// A sending and a receiving stream combined; trio's `StapledStream`. For example, it combines the pipes to a child
/// process's input and output into one stream.
///
/// ```
/// use terzetto::{io::{ReceiveStream, SendStream, StapledStream}, testing::memory_stream_one_way_pair};
/// terzetto::run(async {
///     let (send_stream, receive_stream) = memory_stream_one_way_pair();
///     // Hears itself.
///     let echo = StapledStream { send_stream, receive_stream };
///     echo.send_all(b"hello").await?;
///     let mut buffer = [0; 16];
///     let n = echo.receive_some(&mut buffer).await?;
///     assert_eq!(&buffer[..n], b"hello");
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Debug)]
pub struct StapledStream<S, R> {
    /// The stream to send to.
    pub send_stream: S,
    /// The stream to receive from.
    pub receive_stream: R,
}

crate::io::close_inherent!([S: Resource, R: Resource] StapledStream<S, R>);

impl<S: Resource, R: Resource> Resource for StapledStream<S, R> {
    /// Closes both. If both fail, the sending half's error is returned and the other error is logged.
    async fn close(&self) -> Result<(), StreamError> {
        let sending = self.send_stream.close().await;
        let receiving = self.receive_stream.close().await;
        if let (Err(_), Err(lost)) = (&sending, &receiving) {
            log::debug!("closing the receiving half of a stapled stream failed, too: {lost}");
        }
        sending.and(receiving)
    }
}

impl<S: SendStream, R: Resource> SendStream for StapledStream<S, R> {
    async fn send_all(&self, data: &[u8]) -> Result<(), StreamError> {
        self.send_stream.send_all(data).await
    }

    async fn wait_send_all_might_not_block(&self) -> Result<(), StreamError> {
        self.send_stream.wait_send_all_might_not_block().await
    }
}

impl<S: Resource, R: ReceiveStream> ReceiveStream for StapledStream<S, R> {
    async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        self.receive_stream.receive_some(buffer).await
    }
}

impl<S: SendStream, R: ReceiveStream> HalfCloseableStream for StapledStream<S, R> {
    /// Closes the sending half.
    async fn send_eof(&self) -> Result<(), StreamError> {
        self.send_stream.close().await
    }
}
