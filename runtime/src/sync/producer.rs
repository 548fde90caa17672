//! Producers: a task makes values, and other code takes them one by one.

use crate::{
    Error, nursery,
    sync::channel::{Receiver, SendFailure, Sender, channel},
};

/// Runs `producer` beside `consumer`, joined by a channel of capacity zero; trio's
/// `as_safe_channel`.
///
/// This is a generator that may await: `producer` runs in a nursery of its own, one value ahead at
/// most, and is cancelled when `consumer` has ended. When `producer` ends, the channel does.
///
/// # Cancellation
/// A schedule point; what runs inside is cancelled as usual. The cancellation of the producer at the
/// end does not come out.
///
/// # Errors
/// An [`ErrorGroup`](crate::ErrorGroup) of the errors of both. That the consumer no longer takes
/// values is no error of the producer; that another channel of its own is broken is one.
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
    producer: impl AsyncFnOnce(Sender<T>) -> Result<(), Error>,
    consumer: impl AsyncFnOnce(Receiver<T>) -> Result<R, Error>,
) -> impl Future<Output = Result<R, Error>>
where
    T: 'static,
    R: 'static,
{
    // In boxes, so that the future does not hold them twice.
    let (producer, consumer) = (Box::new(producer), Box::new(consumer));
    async move {
        nursery(async move |n| {
            let (sender, receiver) = channel(0);
            let shared = sender.shared.clone();
            n.start_soon_named("producer", async move {
                match producer(sender).await {
                    Err(error) if is_broken(&error) && shared.is_broken() => Ok(()),
                    ended => ended,
                }
            });
            let value = consumer(receiver).await?;
            n.cancel_scope().cancel();
            Ok(value)
        })
        .await
    }
}

fn is_broken(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(SendFailure::Broken))
}
