//! Ends in memory that are joined into whole streams.

use crate::{
    io::{StapledStream, StreamError},
    testing::streams::{
        memory::{MemoryReceiveStream, MemorySendStream},
        queue::ByteQueue,
    },
};

/// Moves up to `limit` bytes from one queue to the other. Returns whether there was anything to move.
fn pump(from: &ByteQueue, to: &ByteQueue, limit: usize) -> Result<bool, StreamError> {
    match from.get_nowait(limit) {
        None => Ok(false),
        Some(data) if data.is_empty() => {
            to.close();
            Ok(true)
        }
        Some(data) if to.put(&data).is_ok() => Ok(true),
        Some(_) => Err(StreamError::Broken(None)),
    }
}

/// Moves up to `limit` bytes of sent data from the sending end to the receiving end; trio's `memory_stream_pump`.
/// Returns whether there was anything to move. Small limits cut the stream into fragments.
///
/// # Errors
/// [`StreamError::Broken`] if the receiving end is closed.
///
/// ```
/// use terzetto::{io::{ReceiveStream, SendStream}, testing::*};
/// terzetto::run(async {
///     let (sender, receiver) = (MemorySendStream::new(), MemoryReceiveStream::new());
///     sender.send_all(b"hello").await?;
///     assert!(memory_stream_pump(&sender, &receiver, 2)?);
///     let mut buffer = [0; 16];
///     assert_eq!(receiver.receive_some(&mut buffer).await?, 2);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn memory_stream_pump(
    from: &MemorySendStream,
    to: &MemoryReceiveStream,
    limit: usize,
) -> Result<bool, StreamError> {
    pump(&from.outgoing, &to.incoming, limit)
}

/// Two joined ends; trio's `memory_stream_one_way_pair`. Data sent at the first end can be received at the second at
/// once. The amount of data in between is not limited.
///
/// ```
/// use terzetto::{io::{ReceiveStream, SendStream}, testing::memory_stream_one_way_pair};
/// terzetto::run(async {
///     let (sender, receiver) = memory_stream_one_way_pair();
///     sender.send_all(b"hello").await?;
///     drop(sender);
///     let mut buffer = [0; 16];
///     assert_eq!(receiver.receive_some(&mut buffer).await?, 5);
///     assert_eq!(receiver.receive_some(&mut buffer).await?, 0);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn memory_stream_one_way_pair() -> (MemorySendStream, MemoryReceiveStream) {
    let (sender, receiver) = (MemorySendStream::new(), MemoryReceiveStream::new());
    // The hook holds the queues and not the streams, since it must not keep its own stream alive.
    let (from, to) = (sender.outgoing.clone(), receiver.incoming.clone());
    sender.on_send(move || std::future::ready(pump(&from, &to, usize::MAX).map(drop)));
    let (from, to) = (sender.outgoing.clone(), receiver.incoming.clone());
    sender.on_close(move || {
        while !from.is_empty() && pump(&from, &to, usize::MAX).is_ok() {}
        to.close();
    });
    (sender, receiver)
}

/// A stream in memory that goes both ways.
pub type MemoryStream = StapledStream<MemorySendStream, MemoryReceiveStream>;

/// Two joined streams; trio's `memory_stream_pair`. Data sent at one is received at the other.
///
/// ```
/// use terzetto::{io::{ReceiveStream, SendStream}, testing::memory_stream_pair};
/// terzetto::run(async {
///     let (here, there) = memory_stream_pair();
///     here.send_all(b"ping").await?;
///     let mut buffer = [0; 16];
///     assert_eq!(there.receive_some(&mut buffer).await?, 4);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn memory_stream_pair() -> (MemoryStream, MemoryStream) {
    let (send_a, receive_b) = memory_stream_one_way_pair();
    let (send_b, receive_a) = memory_stream_one_way_pair();
    (
        StapledStream { send_stream: send_a, receive_stream: receive_a },
        StapledStream { send_stream: send_b, receive_stream: receive_b },
    )
}
