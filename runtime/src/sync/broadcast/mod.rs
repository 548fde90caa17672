//! Broadcast channels: every receiver gets every value.
//!
//! The receivers share one buffer, and each is at its own place in it. So one receiver may be slower than the others.
//! If it is slower than the senders for long, the buffer gets full. There are three things to do then, and only the
//! program knows which is right: the senders wait, the receiver misses values and hears how many, or the receiver is
//! disconnected. Hence a channel is made with a [`SlowReceiver`].

mod error;
mod slow;
mod state;

pub use error::BroadcastReceiveError;
pub use slow::SlowReceiver;

use crate::{
    SendError, SendFailure,
    core::cancel::checkpoint::TurnAfterSuccess,
    lowlevel::checkpoint_if_cancelled,
    sync::{
        broadcast::state::{BroadcastState, Found, Refusal},
        channel::{ChannelStatistics, state::WaiterSlot},
    },
};
use std::{cell::Cell, fmt, rc::Rc};

/// Makes a channel whose values go to every receiver, in the order of sending. It buffers up to `capacity` values for
/// those who have not received them yet. `slow` is what happens if that is not enough.
///
/// Each receiver gets a clone of each value, and the last one the value itself. Values that are large can be sent in
/// an `Rc`. tokio has `broadcast`; trio has no counterpart.
///
/// ```
/// use terzetto::{nursery, sync::{SlowReceiver, broadcast}};
/// terzetto::run(async {
///     let (sender, receiver) = broadcast(8, SlowReceiver::Wait);
///     nursery(async |n| {
///         for _ in 0..3 {
///             let receiver = receiver.clone();
///             n.start_soon(async move {
///                 assert_eq!(receiver.next().await?, Some("all aboard"));
///                 assert_eq!(receiver.next().await?, None);
///                 Ok(())
///             });
///         }
///         drop(receiver);
///         sender.send("all aboard").await?;
///         sender.close();
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
///
/// # Panics
/// If the capacity is zero. With no buffer, a value could be handed over only when all receivers wait at once.
pub fn broadcast<T: 'static>(
    capacity: usize,
    slow: SlowReceiver,
) -> (BroadcastSender<T>, BroadcastReceiver<T>) {
    assert!(capacity > 0, "the capacity of a broadcast channel must be at least 1");
    let shared = BroadcastState::new(capacity, slow);
    shared.add_sender();
    let sender = BroadcastSender { end: shared.new_end(), shared, closed: Cell::new(false) };
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// The sending end of a [`broadcast`] channel. Clones are further sending ends. The channel ends when the last of them
/// is closed. A clone of a closed end is closed, too. Dropping an end closes it.
pub struct BroadcastSender<T: 'static> {
    shared: Rc<BroadcastState<T>>,
    end: u64,
    closed: Cell<bool>,
}

impl<T> BroadcastSender<T> {
    /// A further receiver, which gets the values that are sent from now on.
    ///
    /// A channel that is broken, since all its receivers are gone, works again when it has one.
    pub fn subscribe(&self) -> BroadcastReceiver<T> {
        let position = self.shared.end();
        self.shared.add_receiver(position);
        let (end, closed) = (self.shared.new_end(), Cell::new(false));
        BroadcastReceiver { shared: self.shared.clone(), end, position: Cell::new(position), closed }
    }

    /// Sends to all receivers without waiting.
    ///
    /// # Errors
    /// The error gives the value back. It fails if this end is closed, or if there is no receiver. With
    /// [`SlowReceiver::Wait`] it fails if the buffer is full. With [`SlowReceiver::Disconnect`] it fails if this send
    /// has disconnected the last receiver.
    pub fn send_nowait(&self, value: T) -> Result<(), SendError<T>> {
        if self.closed.get() {
            return Err(SendError { value, failure: SendFailure::Closed });
        }
        self.shared.offer(value).map_err(|(value, refusal)| {
            let failure = match refusal {
                Refusal::Broken => SendFailure::Broken,
                Refusal::WouldBlock => SendFailure::WouldBlock,
            };
            SendError { value, failure }
        })
    }

    /// Sends to all receivers. With [`SlowReceiver::Wait`] it waits for room in the buffer.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nobody gets the value, and the error gives it back.
    ///
    /// # Errors
    /// Cancelled, or this end is closed, or there is no receiver.
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        if let Err(cancelled) = checkpoint_if_cancelled().await {
            return Err(SendError { value, failure: SendFailure::Cancelled(cancelled) });
        }
        match self.send_nowait(value) {
            Ok(()) => {
                TurnAfterSuccess::default().await;
                Ok(())
            }
            Err(SendError { value, failure: SendFailure::WouldBlock }) => {
                let (slot, outcome) = self.shared.sending.park(WaiterSlot::new(Some(value), self.end)).await;
                slot.sent(outcome)
            }
            Err(error) => Err(error),
        }
    }

    /// Closes this end. Sends that wait at this end fail, and so does every later send. Closing the last sending end
    /// ends the channel. Closing an end twice has no further effect.
    pub fn close(&self) {
        if !self.closed.replace(true) {
            self.shared.close_sender(self.end);
        }
    }

    /// Counts of the channel. The buffer holds the values that some receiver has not taken yet. Receivers that were
    /// disconnected do not count as open.
    pub fn statistics(&self) -> ChannelStatistics {
        self.shared.statistics()
    }
}

impl<T> Clone for BroadcastSender<T> {
    fn clone(&self) -> Self {
        if !self.closed.get() {
            self.shared.add_sender();
        }
        BroadcastSender {
            shared: self.shared.clone(),
            end: self.shared.new_end(),
            closed: self.closed.clone(),
        }
    }
}

impl<T> Drop for BroadcastSender<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T> fmt::Debug for BroadcastSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastSender").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}

/// A receiving end of a [`broadcast`] channel. Each end gets all values. A clone gets all that the end itself has not
/// received yet; [`BroadcastSender::subscribe`] makes an end that gets only what is sent later. A clone of a closed end
/// is closed, too. Dropping an end closes it.
pub struct BroadcastReceiver<T: 'static> {
    shared: Rc<BroadcastState<T>>,
    end: u64,
    /// The position of the value that it gets next.
    position: Cell<u64>,
    closed: Cell<bool>,
}

impl<T: Clone> BroadcastReceiver<T> {
    /// Receives without waiting.
    ///
    /// # Errors
    /// It fails if there is no value now, if there will be none any more, if this end is closed, or if it was too slow.
    pub fn receive_nowait(&self) -> Result<T, BroadcastReceiveError> {
        if self.closed.get() {
            return Err(BroadcastReceiveError::Closed);
        }
        match self.shared.take(&self.position) {
            Found::Value(value) => Ok(Rc::unwrap_or_clone(value)),
            Found::Missed(_) if self.shared.slow == SlowReceiver::Disconnect => {
                Err(BroadcastReceiveError::Disconnected)
            }
            Found::Missed(first) => Err(BroadcastReceiveError::Lagged(first - self.position.replace(first))),
            Found::Nothing if self.shared.has_ended() => Err(BroadcastReceiveError::EndOfChannel),
            Found::Nothing => Err(BroadcastReceiveError::WouldBlock),
        }
    }

    /// Receives, waiting for a value. If several tasks receive at one end, each value goes to the one that runs first.
    ///
    /// # Cancellation
    /// A checkpoint. A value is taken in the moment in which this returns. So nothing was taken if it is cancelled, or
    /// if the future is dropped.
    ///
    /// # Errors
    /// Cancelled. [`BroadcastReceiveError::Lagged`] and [`BroadcastReceiveError::Disconnected`] if this end was too
    /// slow. [`BroadcastReceiveError::EndOfChannel`] if all senders are gone, and all values are received.
    /// [`BroadcastReceiveError::Closed`] if this end is closed.
    pub async fn receive(&self) -> Result<T, BroadcastReceiveError> {
        checkpoint_if_cancelled().await?;
        if !self.closed.get() && self.shared.is_ready(self.position.get()) {
            TurnAfterSuccess::default().await;
        }
        loop {
            match self.receive_nowait() {
                Err(BroadcastReceiveError::WouldBlock) => self.shared.receiving.park(self.end).await.1?,
                outcome => return outcome,
            }
        }
    }

    /// The next value, or `None` at the end of the channel. This is for loops. A program that goes on after it has
    /// missed values calls [`BroadcastReceiver::receive`] instead.
    ///
    /// # Cancellation
    /// As [`BroadcastReceiver::receive`].
    ///
    /// # Errors
    /// As [`BroadcastReceiver::receive`], but for the end of the channel.
    pub async fn next(&self) -> Result<Option<T>, BroadcastReceiveError> {
        match self.receive().await {
            Ok(value) => Ok(Some(value)),
            Err(BroadcastReceiveError::EndOfChannel) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<T> BroadcastReceiver<T> {
    /// Closes this end. Receives that wait at this end fail, and so does every later receive. The values that only this
    /// end has not received are dropped. Closing the last receiving end breaks the channel for its senders. Closing an
    /// end twice has no further effect.
    pub fn close(&self) {
        if !self.closed.replace(true) {
            self.shared.close_receiver(self.end, self.position.get());
        }
    }

    /// Counts of the channel; see [`BroadcastSender::statistics`].
    pub fn statistics(&self) -> ChannelStatistics {
        self.shared.statistics()
    }
}

impl<T> Clone for BroadcastReceiver<T> {
    fn clone(&self) -> Self {
        if !self.closed.get() {
            self.shared.add_receiver(self.position.get());
        }
        let (end, position) = (self.shared.new_end(), self.position.clone());
        BroadcastReceiver { shared: self.shared.clone(), end, position, closed: self.closed.clone() }
    }
}

impl<T> Drop for BroadcastReceiver<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T> fmt::Debug for BroadcastReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastReceiver").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}
