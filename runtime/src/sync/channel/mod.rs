//! Memory channels: values go from task to task, in order; trio's `open_memory_channel`.
//!
//! A channel of capacity zero has no buffer, so a send completes only when a receiver takes the value. Values are
//! handed from task to task directly. A sender gives its value to the receiver that has waited longest. If a receiver
//! makes room in the buffer, the value of the sender that has waited longest goes there.

mod batch;
mod futures;
mod sites;
pub(in crate::sync) mod state;
mod stream;

pub use stream::ReceiverStream;

use crate::{
    Cancelled, Error,
    sync::channel::{
        futures::{Next, Receive, Send},
        sites::Site,
        state::{ChannelState, Given},
    },
};
use std::{cell::Cell, error::Error as StdError, fmt, panic::Location, rc::Rc};

/// Counts of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelStatistics {
    /// Values in the buffer. One that a dropped receive has put back counts if there is room for it.
    pub current_buffer_used: usize,
    /// The most values that were in the buffer at once.
    pub peak_buffer_used: usize,
    /// How many fit.
    pub max_buffer_size: usize,
    /// Sending ends that are open.
    pub open_send_channels: usize,
    /// Receiving ends that are open.
    pub open_receive_channels: usize,
    /// Tasks that wait to send.
    pub tasks_waiting_send: usize,
    /// Tasks that wait to receive.
    pub tasks_waiting_receive: usize,
}

/// Makes a channel that buffers up to `capacity` values (`usize::MAX`: no bound).
///
/// Values must not borrow (`T: 'static`), since a channel is shared, and may live longer than every function from which
/// a value could borrow. If tasks of a nursery need the same borrowed value, each of them can simply borrow it.
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
#[track_caller]
pub fn channel<T: 'static>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let site = Location::caller();
    let shared = ChannelState::new(capacity, site);
    (Sender::new(shared.clone(), site), Receiver::new(shared, site))
}

/// Why a value was not sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SendFailure {
    /// The task was cancelled first.
    Cancelled(Cancelled),
    /// All receivers are gone; trio's `BrokenResourceError`.
    Broken,
    /// This end is closed; trio's `ClosedResourceError`.
    Closed,
    /// There is no room and no receiver waits, and the call does not wait.
    WouldBlock,
}

impl fmt::Display for SendFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendFailure::Cancelled(cancelled) => cancelled.fmt(f),
            SendFailure::Broken => f.write_str("the channel is broken: all its receivers are gone"),
            SendFailure::Closed => f.write_str("this end of the channel is closed"),
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
/// `?` converts it into [`Error`] for every type of value. It does not implement `std::error::Error` itself, since then
/// every value would have to be `Send + Sync`.
pub struct SendError<T> {
    pub(in crate::sync) value: T,
    pub(in crate::sync) failure: SendFailure,
}

impl<T> SendError<T> {
    /// Why the value was not sent.
    pub fn failure(&self) -> &SendFailure {
        &self.failure
    }

    /// Returns the value, and why it was not sent.
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
    /// This end is closed; trio's `ClosedResourceError`.
    Closed,
    /// There is no value yet, and the call does not wait.
    WouldBlock,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReceiveError::Cancelled(cancelled) => cancelled.fmt(f),
            ReceiveError::EndOfChannel => f.write_str("the channel has ended: all its senders are gone"),
            ReceiveError::Closed => f.write_str("this end of the channel is closed"),
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

/// The sending end. Clones are further sending ends. The channel ends when the last of them is closed. A clone of a
/// closed end is closed, too. Dropping an end closes it.
pub struct Sender<T: 'static> {
    pub(in crate::sync) shared: Rc<ChannelState<T>>,
    pub(in crate::sync) end: u64,
    site: Site,
    closed: Cell<bool>,
}

/// The receiving end. Clones compete for the values: each value goes to one of them. A clone of a closed end is closed,
/// too. Dropping an end closes it.
pub struct Receiver<T: 'static> {
    pub(in crate::sync) shared: Rc<ChannelState<T>>,
    pub(in crate::sync) end: u64,
    site: Site,
    closed: Cell<bool>,
}

impl<T> Sender<T> {
    /// The first sending end.
    fn new(shared: Rc<ChannelState<T>>, site: Site) -> Sender<T> {
        shared.add_sender(site);
        Sender { end: shared.new_end(), shared, site, closed: Cell::new(false) }
    }

    /// Sends without waiting.
    ///
    /// # Errors
    /// The error gives the value back. It fails if there is neither room nor a waiting receiver, if there is no
    /// receiver at all, or if this end is closed.
    pub fn send_nowait(&self, value: T) -> Result<(), SendError<T>> {
        if self.closed.get() {
            return Err(SendError { value, failure: SendFailure::Closed });
        }
        if self.shared.is_broken() {
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
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        Send::new(self, value)
    }

    /// Closes this end. Sends that wait at this end fail, and so does every later send. Closing the last sending end
    /// ends the channel. Closing an end twice has no further effect.
    pub fn close(&self) {
        if !self.closed.replace(true) {
            self.shared.close_sender(self.end, self.site);
        }
    }

    /// Counts of the channel.
    pub fn statistics(&self) -> ChannelStatistics {
        self.shared.statistics()
    }
}

impl<T> Receiver<T> {
    /// The first receiving end.
    fn new(shared: Rc<ChannelState<T>>, site: Site) -> Receiver<T> {
        shared.add_receiver(site);
        Receiver { end: shared.new_end(), shared, site, closed: Cell::new(false) }
    }

    /// Receives without waiting.
    ///
    /// # Errors
    /// It fails if there is no value now, if there will be none any more, or if this end is closed.
    pub fn receive_nowait(&self) -> Result<T, ReceiveError> {
        self.take().map(|given| given.value)
    }

    /// As [`Receiver::receive_nowait`], for callers that may put the value back.
    pub(in crate::sync) fn take(&self) -> Result<Given<T>, ReceiveError> {
        if self.closed.get() {
            return Err(ReceiveError::Closed);
        }
        match self.shared.take() {
            Some(given) => Ok(given),
            None if self.shared.has_ended() => Err(ReceiveError::EndOfChannel),
            None => Err(ReceiveError::WouldBlock),
        }
    }

    /// Receives, waiting for a value.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken. If the future is dropped after a value was handed to it, the
    /// value goes to the next receiver or back to its place in the channel. If all receivers are gone, the value is
    /// dropped.
    ///
    /// # Errors
    /// Cancelled; or all senders are gone and the buffer is empty.
    pub fn receive(&self) -> impl Future<Output = Result<T, ReceiveError>> {
        Receive::new(self)
    }

    /// Closes this end. Receives that wait at this end fail, and so does every later receive. Closing the last
    /// receiving end breaks the channel for its senders, and drops the buffered values. Closing an end twice has no
    /// further effect.
    pub fn close(&self) {
        if !self.closed.replace(true) {
            self.shared.close_receiver(self.end, self.site);
        }
    }

    /// Counts of the channel.
    pub fn statistics(&self) -> ChannelStatistics {
        self.shared.statistics()
    }

    /// The next value, or `None` at the end of the channel. This is for loops.
    ///
    /// # Cancellation
    /// As [`Receiver::receive`]. At the end of the channel it checks whether the task is cancelled, but does not let
    /// other tasks run.
    ///
    /// # Errors
    /// [`ReceiveError::Cancelled`] in a cancelled scope. [`ReceiveError::Closed`] if this end is closed.
    pub fn next(&self) -> impl Future<Output = Result<Option<T>, ReceiveError>> {
        Next::new(self)
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let site = Location::caller();
        if !self.closed.get() {
            self.shared.add_sender(site);
        }
        Sender { shared: self.shared.clone(), end: self.shared.new_end(), site, closed: self.closed.clone() }
    }
}

impl<T> Clone for Receiver<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let site = Location::caller();
        if !self.closed.get() {
            self.shared.add_receiver(site);
        }
        Receiver {
            shared: self.shared.clone(),
            end: self.shared.new_end(),
            site,
            closed: self.closed.clone(),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("buffered", &self.shared.buffered()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("buffered", &self.shared.buffered()).finish_non_exhaustive()
    }
}
