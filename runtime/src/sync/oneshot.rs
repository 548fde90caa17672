//! One-shot channels: one value, from one task to another.
//!
//! A one-shot is a memory channel of capacity one whose sender is used up by the send. So its rules are those of
//! [`channel`], and only the types differ.

use crate::{ReceiveError, Receiver, SendError, Sender, channel};
use std::fmt;

/// Makes a channel for one value: the answer to a request, say. tokio's `oneshot`.
///
/// ```
/// use terzetto::{channel, nursery, sync::{OneshotSender, oneshot}};
/// terzetto::run(async {
///     let (requests, inbox) = channel::<(u32, OneshotSender<u32>)>(0);
///     nursery(async |n| {
///         n.start_soon(async move {
///             while let Some((number, answer)) = inbox.next().await? {
///                 // Who asked may have gone; that is no failure of ours.
///                 let _ = answer.send(number * number);
///             }
///             Ok(())
///         });
///         let (answer, answered) = oneshot();
///         requests.send((12, answer)).await?;
///         assert_eq!(answered.receive().await?, 144);
///         requests.close();
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn oneshot<T: 'static>() -> (OneshotSender<T>, OneshotReceiver<T>) {
    let (sender, receiver) = channel(1);
    (OneshotSender(sender), OneshotReceiver(receiver))
}

/// The sending end of a [`oneshot`]. If it is dropped, no value will come, and the receive fails.
pub struct OneshotSender<T: 'static>(Sender<T>);

impl<T> OneshotSender<T> {
    /// Sends the value. It never waits, since there is room for one value. Not a checkpoint.
    ///
    /// # Errors
    /// The receiver is gone ([`SendFailure::Broken`](crate::SendFailure::Broken)). The error gives the value back.
    pub fn send(self, value: T) -> Result<(), SendError<T>> {
        self.0.send_nowait(value)
    }
}

impl<T> fmt::Debug for OneshotSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneshotSender").finish_non_exhaustive()
    }
}

/// The receiving end of a [`oneshot`]. If it is dropped, a value that was sent and not received is dropped with it.
pub struct OneshotReceiver<T: 'static>(Receiver<T>);

impl<T> OneshotReceiver<T> {
    /// Waits for the value.
    ///
    /// # Cancellation
    /// A checkpoint. If it is cancelled, or if the future is dropped, the value was not taken, and a later receive gets
    /// it.
    ///
    /// # Errors
    /// Cancelled. [`ReceiveError::EndOfChannel`] if the sender was dropped without a value, or if the value has been
    /// received before.
    pub fn receive(&self) -> impl Future<Output = Result<T, ReceiveError>> {
        self.0.receive()
    }

    /// The value, if it is there already.
    ///
    /// # Errors
    /// [`ReceiveError::WouldBlock`] if the sender has not sent yet. [`ReceiveError::EndOfChannel`] as for
    /// [`OneshotReceiver::receive`].
    pub fn receive_nowait(&self) -> Result<T, ReceiveError> {
        self.0.receive_nowait()
    }
}

impl<T> fmt::Debug for OneshotReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneshotReceiver").finish_non_exhaustive()
    }
}
