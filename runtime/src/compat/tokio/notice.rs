//! Futures that are told of a cancellation, and end by themselves.

use crate::{
    Error,
    compat::tokio::{context::InContext, handle},
    lowlevel::{cancel_shielded_checkpoint, checkpoint_if_cancelled},
    sleep_forever,
};
use std::{
    future::poll_fn,
    pin::pin,
    task::{Poll, ready},
};
use tokio_util::sync::CancellationToken;

/// Awaits a future that needs tokio, and tells it if the task is cancelled.
///
/// `make` is called in tokio's context with a token. If the task is cancelled, the token is cancelled, and the future
/// goes on until it ends by itself. So it can say goodbye to the other side, or return what it has. This is for
/// futures whose wait must not be cut off, and for libraries that take such a token. The operations of this runtime
/// inside the future are cancelled as everywhere.
///
/// # Cancellation
/// A checkpoint. If the task is cancelled before the first poll, `make` is not called. After that the future's value is
/// returned in every case, and the next checkpoint fails. A future that ignores its token holds its task. If this
/// takes some seconds, the log names the task.
///
/// # Errors
/// As for [`in_tokio`](crate::compat::tokio::in_tokio).
///
/// # Panics
/// Outside a run. If `make` or the future panics, the panic goes through.
///
/// ```
/// use std::time::Duration;
/// use terzetto::{compat::tokio::in_tokio_with_notice, move_on_after};
/// terzetto::run(async {
///     let mut steps = 0;
///     let done = move_on_after(0.02, async {
///         in_tokio_with_notice(|cancelled| async move {
///             while !cancelled.is_cancelled() {
///                 tokio::time::sleep(Duration::from_millis(1)).await;
///                 steps += 1;
///             }
///             steps
///         }).await
///     });
///     // It has stopped between two steps, and its value is not lost.
///     assert!(done.await?.is_some_and(|steps| steps > 0));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn in_tokio_with_notice<T, F>(make: impl FnOnce(CancellationToken) -> F) -> Result<T, Error>
where
    F: Future<Output = T>,
{
    let handle = handle()?;
    checkpoint_if_cancelled().await?;
    let token = CancellationToken::new();
    let future = {
        let _context = handle.enter();
        make(token.clone())
    };
    let mut future = pin!(InContext::new(handle, future));
    let mut cancelled = pin!(sleep_forever());
    let mut waited = false;
    let value = poll_fn(|cx| {
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(value);
        }
        waited = true;
        if !token.is_cancelled() {
            // It ends only by a cancellation.
            let _told = ready!(cancelled.as_mut().poll(cx));
            token.cancel();
            // The future has not seen the token yet.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
    if !waited {
        cancel_shielded_checkpoint().await;
    }
    Ok(value)
}
