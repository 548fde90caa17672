//! Producers: a task makes values when other code asks for them, one by one.
//!
//! Other languages call this an asynchronous generator. A channel of capacity zero alone is not one: its sender runs
//! ahead until it has a value to give, whether anybody wants that or not. So the producer is held back at two places
//! until somebody waits in a receive: before it begins, and at the end of each send.

use crate::{
    Error, ReceiveError, Receiver, SendFailure, Sender, channel, core::block::wait_queue::WaitQueue,
    lowlevel::checkpoint_if_cancelled, nursery, sync::ChannelStatistics,
};
use std::{fmt, future::poll_fn, pin::pin, rc::Rc};

/// Runs `producer` beside `consumer`, which asks it for one value after the other; trio's `as_safe_channel`.
///
/// This is a generator that may await. `producer` runs in its own nursery, and only when `consumer` asks for a value.
/// It begins with the first [`receive`](ProducerReceiver::receive). Its [`send`](ProducerSender::send) returns when
/// the next value is asked for. The producer is cancelled when `consumer` has ended. When `producer` ends, there are
/// no more values.
///
/// # Cancellation
/// It executes a checkpoint before `consumer` begins, and a schedule point at the end. `producer` and `consumer` are
/// cancelled as usual. The cancellation of the producer at the end is not returned.
///
/// # Errors
/// If one of the two fails, its error, unchanged. If both fail, an [`ErrorGroup`](crate::ErrorGroup) of both errors. If
/// the producer fails because the consumer takes no more values, that is not counted as an error. If it fails because
/// another channel is broken, that is an error.
///
/// ```
/// use terzetto::{sleep, sync::with_producer};
/// terzetto::run(async {
///     let first_three = with_producer(
///         async |sender| {
///             for i in 0.. {
///                 sleep(0.001).await?;
///                 sender.send(i).await?;
///             }
///             Ok(())
///         },
///         async |receiver| {
///             let mut got = Vec::new();
///             while got.len() < 3 { got.push(receiver.receive().await?); }
///             Ok(got)
///         },
///     ).await?;
///     assert_eq!(first_three, [0, 1, 2]);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn with_producer<T, R>(
    producer: impl AsyncFnOnce(ProducerSender<T>) -> Result<(), Error>,
    consumer: impl AsyncFnOnce(ProducerReceiver<T>) -> Result<R, Error>,
) -> impl Future<Output = Result<R, Error>>
where
    T: 'static,
    R: 'static,
{
    // In boxes, so that the future does not hold them twice.
    let (producer, consumer) = (Box::new(producer), Box::new(consumer));
    async move {
        let both = nursery(async move |n| {
            let (sender, receiver) = channel(0);
            let demand = WaitQueue::new("waiting until a value is asked for");
            let (sender, receiver) =
                (ProducerSender { sender, demand: demand.clone() }, ProducerReceiver { receiver, demand });
            let shared = sender.sender.shared.clone();
            // As in trio, `start` makes entering a checkpoint: in a cancelled scope the consumer does not begin.
            n.start_named("producer", async move |status| {
                status.started(())?;
                match sender.demanded().await {
                    Ok(()) => {}
                    Err(SendFailure::Cancelled(cancelled)) => return Err(cancelled.into()),
                    Err(_) => return Ok(()),
                }
                match producer(sender).await {
                    Err(error) if shared.is_broken() => without_broken(error),
                    ended => ended,
                }
            })
            .await?;
            let value = consumer(receiver).await?;
            n.cancel_scope().cancel();
            Ok(value)
        });
        both.await.map_err(Error::without_the_only_group)
    }
}

fn is_broken(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(SendFailure::Broken))
}

/// The error without those that mean that the consumer takes no more values, even inside groups.
fn without_broken(error: Error) -> Result<(), Error> {
    match error.into_group() {
        Ok(group) => group.split(is_broken).1.map_or(Ok(()), |rest| Err(rest.into())),
        Err(error) if is_broken(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Where a producer puts its values; see [`with_producer`].
pub struct ProducerSender<T: 'static> {
    sender: Sender<T>,
    demand: Rc<WaitQueue<()>>,
}

impl<T> ProducerSender<T> {
    /// Hands a value to the receive that has asked for it, and waits until the next value is asked for.
    ///
    /// # Cancellation
    /// A checkpoint. Even if the send fails as cancelled, the value may have been taken. The send also fails as
    /// cancelled if the consumer wants no further value after this one.
    ///
    /// # Errors
    /// [`SendFailure::Cancelled`] once the consumer has ended; [`SendFailure::Broken`] if it has closed its end.
    pub async fn send(&self, value: T) -> Result<(), SendFailure> {
        self.sender.send(value).await.map_err(|error| error.into_parts().1)?;
        self.demanded().await
    }

    /// Waits until somebody is parked in a receive.
    async fn demanded(&self) -> Result<(), SendFailure> {
        loop {
            let shared = &self.sender.shared;
            if shared.is_broken() {
                // If the consumer has ended, the cancellation by its end is the error to return.
                checkpoint_if_cancelled().await.map_err(SendFailure::Cancelled)?;
                return Err(SendFailure::Broken);
            }
            if shared.receiving.len() > 0 {
                return Ok(());
            }
            self.demand.park(()).await.1.map_err(SendFailure::Cancelled)?;
        }
    }

    /// Counts of the channel.
    pub fn statistics(&self) -> ChannelStatistics {
        self.sender.statistics()
    }
}

/// Where the values of a producer are asked for; see [`with_producer`].
pub struct ProducerReceiver<T: 'static> {
    receiver: Receiver<T>,
    demand: Rc<WaitQueue<()>>,
}

impl<T> ProducerReceiver<T> {
    /// Asks for the next value and waits for it. Several tasks may do so. The task that asked first is served first.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken. A value that the producer was already making goes to the next
    /// receive.
    ///
    /// # Errors
    /// Cancelled; [`ReceiveError::EndOfChannel`] when the producer has ended; [`ReceiveError::Closed`].
    pub async fn receive(&self) -> Result<T, ReceiveError> {
        self.asking(self.receiver.receive()).await
    }

    /// The next value, or `None` when the producer has ended. This is for loops.
    ///
    /// # Cancellation
    /// As [`ProducerReceiver::receive`].
    ///
    /// # Errors
    /// [`ReceiveError::Cancelled`] in a cancelled scope; [`ReceiveError::Closed`].
    pub async fn next(&self) -> Result<Option<T>, ReceiveError> {
        self.asking(self.receiver.next()).await
    }

    /// Notifies the producer each time that the receive has parked.
    async fn asking<R>(&self, receive: impl Future<Output = R>) -> R {
        let mut receive = pin!(receive);
        poll_fn(|cx| {
            let polled = receive.as_mut().poll(cx);
            if polled.is_pending() {
                self.demand.unpark_all(|()| ());
            }
            polled
        })
        .await
    }

    /// Closes this end. Every later receive fails as closed. The producer fails at its next send, or does not begin
    /// at all. Closing twice has no further effect. Dropping the receiver does the same, with one difference: a
    /// producer that waits until a value is asked for is not notified, and waits until it is cancelled.
    pub fn close(&self) {
        self.receiver.close();
        self.demand.unpark_all(|()| ());
    }

    /// Counts of the channel.
    pub fn statistics(&self) -> ChannelStatistics {
        self.receiver.statistics()
    }
}

impl<T> fmt::Debug for ProducerSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProducerSender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ProducerReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProducerReceiver").finish_non_exhaustive()
    }
}
