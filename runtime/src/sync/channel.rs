//! Memory channels: values from task to task, in order; trio's `open_memory_channel`.
//!
//! A channel of capacity zero is a meeting: a send completes only with a receiver. Values are handed
//! from task to task directly: a sender gives to the receiver that has waited longest, a receiver
//! that makes room in the buffer takes the value of the sender that has waited longest.

use crate::{
    Cancelled, Error, checkpoint,
    core::checkpoint::checkpoint_if_cancelled,
    core::lot::{Lot, Park},
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    error::Error as StdError,
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

struct Shared<T: 'static> {
    capacity: usize,
    buffer: RefCell<VecDeque<T>>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
    /// Blocked senders with their values.
    sending: Rc<Lot<Option<T>>>,
    /// Blocked receivers with the slots for theirs.
    receiving: Rc<Lot<Option<T>>>,
}

/// Makes a channel that buffers up to `capacity` values (`usize::MAX`: no bound).
///
/// ```
/// use terzetto::{channel, nursery};
/// terzetto::run(async {
///     let (sender, receiver) = channel(0);
///     nursery(async |n| {
///         n.start_soon(async move {
///             for i in 0..3 { sender.send(i).await?; }
///             Ok(())
///         });
///         let mut got = Vec::new();
///         while let Some(i) = receiver.next().await? { got.push(i); }
///         assert_eq!(got, [0, 1, 2]);
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn channel<T: 'static>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        capacity,
        buffer: RefCell::default(),
        senders: Cell::new(1),
        receivers: Cell::new(1),
        sending: Lot::new(),
        receiving: Lot::new(),
    });
    (Sender { shared: shared.clone() }, Receiver { shared })
}

/// Why a value was not sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SendFailure {
    /// The task was cancelled first.
    Cancelled(Cancelled),
    /// All receivers are gone; trio's `BrokenResourceError`.
    Broken,
    /// There is no room and nobody waits, and the call was one that does not wait.
    WouldBlock,
}

impl fmt::Display for SendFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendFailure::Cancelled(cancelled) => cancelled.fmt(f),
            SendFailure::Broken => f.write_str("the channel is broken: all its receivers are gone"),
            SendFailure::WouldBlock => f.write_str("the channel is full, and no receiver waits"),
        }
    }
}

impl StdError for SendFailure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            SendFailure::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }
}

/// A failed send, with the value that was not sent.
///
/// Turns into [`Error`] by `?` whatever the value is; it does not implement `std::error::Error`
/// itself, which would ask of every value to be `Send + Sync`.
pub struct SendError<T> {
    value: T,
    failure: SendFailure,
}

impl<T> SendError<T> {
    /// Why.
    pub fn failure(&self) -> &SendFailure {
        &self.failure
    }

    /// The value back, and why.
    pub fn into_parts(self) -> (T, SendFailure) {
        (self.value, self.failure)
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendError").field(&self.failure).finish()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl<T> From<SendError<T>> for Error {
    fn from(error: SendError<T>) -> Error {
        error.failure.into()
    }
}

/// Why no value was received.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The task was cancelled first.
    Cancelled(Cancelled),
    /// All senders are gone and the buffer is empty.
    EndOfChannel,
    /// Nothing is there, and the call was one that does not wait.
    WouldBlock,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReceiveError::Cancelled(cancelled) => cancelled.fmt(f),
            ReceiveError::EndOfChannel => f.write_str("the channel has ended: all its senders are gone"),
            ReceiveError::WouldBlock => f.write_str("the channel is empty"),
        }
    }
}

impl StdError for ReceiveError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            ReceiveError::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }
}

/// The sending end. Clones are further ends; the channel ends with the last.
pub struct Sender<T: 'static> {
    shared: Rc<Shared<T>>,
}

/// The receiving end. Clones compete for the values, each of which goes to one.
pub struct Receiver<T: 'static> {
    shared: Rc<Shared<T>>,
}

impl<T> Sender<T> {
    /// Sends without waiting.
    ///
    /// # Errors
    /// Gives the value back if there is neither room nor a waiting receiver, or no receiver at all.
    pub fn send_nowait(&self, value: T) -> Result<(), SendError<T>> {
        if self.shared.receivers.get() == 0 {
            return Err(SendError { value, failure: SendFailure::Broken });
        }
        match self.shared.offer(value) {
            None => Ok(()),
            Some(value) => Err(SendError { value, failure: SendFailure::WouldBlock }),
        }
    }

    /// Sends, waiting for room or for a receiver.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was sent, and the error gives the value back.
    ///
    /// # Errors
    /// Cancelled, or all receivers are gone.
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        if let Err(cancelled) = checkpoint_if_cancelled().await {
            return Err(SendError { value, failure: SendFailure::Cancelled(cancelled) });
        }
        let value = match self.send_nowait(value) {
            Ok(()) => {
                crate::cancel_shielded_checkpoint().await;
                return Ok(());
            }
            Err(SendError { value, failure: SendFailure::WouldBlock }) => value,
            Err(error) => return Err(error),
        };
        let (left, outcome) = self.shared.sending.park(Some(value)).await;
        match (left, outcome) {
            (None, _) => Ok(()),
            (Some(value), Err(cancelled)) => {
                Err(SendError { value, failure: SendFailure::Cancelled(cancelled) })
            }
            (Some(value), Ok(())) => Err(SendError { value, failure: SendFailure::Broken }),
        }
    }
}

impl<T> Shared<T> {
    /// Hands a value to a waiting receiver or to the buffer; gives it back if neither will do.
    fn offer(&self, value: T) -> Option<T> {
        let mut value = Some(value);
        self.receiving.unpark_one(|slot| *slot = value.take());
        let value = value?;
        let mut buffer = self.buffer.borrow_mut();
        if buffer.len() >= self.capacity {
            return Some(value);
        }
        buffer.push_back(value);
        None
    }

    fn take(&self) -> Option<T> {
        let buffered = self.buffer.borrow_mut().pop_front();
        let sent = self.sending.unpark_one(Option::take).flatten();
        match (buffered, sent) {
            (Some(first), Some(last)) => {
                self.buffer.borrow_mut().push_back(last);
                Some(first)
            }
            (first, sent) => first.or(sent),
        }
    }
}

impl<T> Receiver<T> {
    /// Receives without waiting.
    ///
    /// # Errors
    /// If nothing is there, or nothing will ever be.
    pub fn receive_nowait(&self) -> Result<T, ReceiveError> {
        match self.shared.take() {
            Some(value) => Ok(value),
            None if self.shared.senders.get() == 0 => Err(ReceiveError::EndOfChannel),
            None => Err(ReceiveError::WouldBlock),
        }
    }

    /// Receives, waiting for a value.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken. If the future is dropped after a value was
    /// handed to it, the value goes to the next receiver or back to the front of the channel.
    ///
    /// # Errors
    /// Cancelled; or all senders are gone and the buffer is empty.
    pub async fn receive(&self) -> Result<T, ReceiveError> {
        checkpoint_if_cancelled().await.map_err(ReceiveError::Cancelled)?;
        match self.receive_nowait() {
            Ok(value) => {
                crate::cancel_shielded_checkpoint().await;
                return Ok(value);
            }
            Err(ReceiveError::WouldBlock) => {}
            Err(error) => return Err(error),
        }
        match (Receiving { shared: &self.shared, park: self.shared.receiving.park(None) }).await {
            (Some(value), _) => Ok(value),
            (None, Err(cancelled)) => Err(ReceiveError::Cancelled(cancelled)),
            (None, Ok(())) => Err(ReceiveError::EndOfChannel),
        }
    }

    /// The next value, or `None` at the end of the channel: for loops.
    ///
    /// # Cancellation
    /// As [`Receiver::receive`].
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled region.
    pub async fn next(&self) -> Result<Option<T>, Cancelled> {
        match self.receive().await {
            Ok(value) => Ok(Some(value)),
            Err(ReceiveError::Cancelled(cancelled)) => Err(cancelled),
            Err(_) => checkpoint().await.map(|()| None),
        }
    }
}

/// A blocked receive that loses nothing when it is dropped.
struct Receiving<'a, T: 'static> {
    shared: &'a Shared<T>,
    park: Park<Option<T>>,
}

impl<T> Future for Receiving<'_, T> {
    type Output = (Option<T>, Result<(), Cancelled>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.park).poll(cx)
    }
}

impl<T> Drop for Receiving<'_, T> {
    fn drop(&mut self) {
        if let Some(Some(value)) = self.park.unclaimed() {
            let mut value = Some(value);
            self.shared.receiving.unpark_one(|slot| *slot = value.take());
            if let Some(value) = value {
                self.shared.buffer.borrow_mut().push_front(value);
            }
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.senders.set(self.shared.senders.get() + 1);
        Sender { shared: self.shared.clone() }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.receivers.set(self.shared.receivers.get() + 1);
        Receiver { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.senders.set(self.shared.senders.get() - 1);
        if self.shared.senders.get() == 0 {
            self.shared.receiving.unpark_all(|_| ());
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.receivers.set(self.shared.receivers.get() - 1);
        if self.shared.receivers.get() == 0 {
            self.shared.sending.unpark_all(|_| ());
            let buffered = self.shared.buffer.take();
            drop(buffered);
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("buffered", &self.shared.buffer.borrow().len()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("buffered", &self.shared.buffer.borrow().len())
            .finish_non_exhaustive()
    }
}
