//! Futures that know nothing of this runtime.

use super::{run, wait::Blocked};
use crate::{Cancelled, checkpoint_if_cancelled};
use std::{future::poll_fn, pin::pin, task::Poll};

/// Awaits a future of another library as an operation of this one: it can be cancelled, and it is a
/// checkpoint.
///
/// Any future can be awaited in a task, and what wakes it may come from any thread. But only what
/// this runtime made looks at cancellation; a foreign future awaited plainly holds its task until it
/// is done. Inside a foreign future this runtime's operations work as ever.
///
/// # Cancellation
/// A checkpoint. If cancelled, `future` is dropped: what that loses is for its library to say.
///
/// # Errors
/// [`Cancelled`] in a cancelled region.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{cancellable, move_on_after};
/// terzetto::run(async {
///     let never = std::future::pending::<()>();
///     let outcome = move_on_after(0.01, async { Ok(cancellable(never).await?) }).await?;
///     assert!(outcome.is_none());
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn cancellable<T>(future: impl Future<Output = T>) -> Result<T, Cancelled> {
    checkpoint_if_cancelled().await?;
    let run = run::current();
    let tick = run.strands.tick.get();
    let mut future = pin!(future);
    let mut blocked: Option<Blocked> = None;
    let value = poll_fn(|cx| {
        // First whether it is done: what has completed is never reported as cancelled.
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        match &blocked {
            Some(blocked) => blocked
                .poll(&run, cx)
                .map(|end| end.map_or_else(Err, |()| unreachable!("nobody reschedules it"))),
            None => {
                let wait = Blocked::new(&run, cx, run.operations.foreign.clone(), 0);
                wait.arm(&run);
                blocked = Some(wait);
                Poll::Pending
            }
        }
    })
    .await?;
    if run.strands.tick.get() == tick {
        crate::cancel_shielded_checkpoint().await;
    }
    Ok(value)
}
