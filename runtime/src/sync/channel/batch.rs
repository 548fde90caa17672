//! Many values in one send or receive.
//!
//! A send or receive of one value is a turn of the run loop at least, since each is a checkpoint. A batch is one
//! checkpoint, however many values it has.

use crate::{
    ReceiveError, Receiver, SendError, SendFailure, Sender, core::cancel::checkpoint::TurnAfterSuccess,
    lowlevel::checkpoint_if_cancelled, sync::channel::state::WaiterSlot,
};

impl<T> Sender<T> {
    /// Sends several values in their order, and waits for room where there is none. Values of other senders may come in
    /// between.
    ///
    /// ```
    /// use terzetto::{channel, nursery};
    /// terzetto::run(async {
    ///     let (sender, receiver) = channel(10);
    ///     sender.send_many(vec![1, 2, 3]).await?;
    ///     assert_eq!(receiver.receive_many(2).await?, [1, 2]);
    ///     assert_eq!(receiver.receive_many(2).await?, [3]);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    ///
    /// # Cancellation
    /// One checkpoint, if there is room for all; else each wait for room is one. If it is cancelled while it waits, the
    /// values up to then stay sent. The error gives back the others, in their order. If the future is dropped, the
    /// values up to then stay sent, and the others are dropped.
    ///
    /// # Errors
    /// Cancelled, or all receivers are gone, or this end is closed. The error's value is what was not sent.
    pub async fn send_many(&self, values: Vec<T>) -> Result<(), SendError<Vec<T>>> {
        if let Err(cancelled) = checkpoint_if_cancelled().await {
            return Err(SendError { value: values, failure: SendFailure::Cancelled(cancelled) });
        }
        let mut values = values.into_iter();
        let mut has_waited = false;
        while let Some(value) = values.next() {
            let sent = match self.send_nowait(value) {
                Err(SendError { value, failure: SendFailure::WouldBlock }) => {
                    has_waited = true;
                    let (slot, outcome) =
                        self.shared.sending.park(WaiterSlot::new(Some(value), self.end)).await;
                    slot.sent(outcome)
                }
                sent => sent,
            };
            if let Err(SendError { value, failure }) = sent {
                return Err(SendError { value: std::iter::once(value).chain(values).collect(), failure });
            }
        }
        if !has_waited {
            TurnAfterSuccess::default().await;
        }
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// Waits for a value, and returns it with those that can be had without waiting after it, up to `limit` in all.
    /// tokio's `recv_many`.
    ///
    /// ```
    /// use terzetto::{ReceiveError, channel, nursery};
    /// terzetto::run(async {
    ///     let (sender, receiver) = channel(100);
    ///     nursery(async |n| {
    ///         n.start_soon(async move { Ok(sender.send_many((0..250).collect()).await?) });
    ///         let mut batches = Vec::new();
    ///         loop {
    ///             match receiver.receive_many(100).await {
    ///                 Ok(batch) => batches.push(batch),
    ///                 Err(ReceiveError::EndOfChannel) => break,
    ///                 Err(error) => return Err(error.into()),
    ///             }
    ///         }
    ///         assert!(batches.concat().into_iter().eq(0..250));
    ///         Ok(())
    ///     }).await
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    ///
    /// # Cancellation
    /// One checkpoint. All values but the first are taken in the moment in which this returns. So nothing was taken if
    /// it is cancelled. If the future is dropped after a value was handed to it, that value goes to the next receiver
    /// or back to its place in the channel, as with [`Receiver::receive`].
    ///
    /// # Errors
    /// As [`Receiver::receive`]. A batch is never empty.
    ///
    /// # Panics
    /// If `limit` is zero.
    pub async fn receive_many(&self, limit: usize) -> Result<Vec<T>, ReceiveError> {
        assert!(limit > 0, "the limit of a batch must be at least 1");
        let mut batch = vec![self.receive().await?];
        while batch.len() < limit
            && let Ok(value) = self.receive_nowait()
        {
            batch.push(value);
        }
        Ok(batch)
    }
}
