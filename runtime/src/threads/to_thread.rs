//! From the loop to a thread and back; trio's `to_thread`.

use super::oneshot::oneshot;
use crate::{
    Error, checkpoint_if_cancelled,
    core::{context::Context as TaskContext, run, wait::Blocked},
};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    task::Poll,
};

/// Calls `work` in a worker thread and returns what it returns, while the loop goes on.
///
/// # Cancellation
/// A checkpoint before the work starts: in a cancelled region it never does. Once started it cannot
/// be cancelled: the result is returned, and the cancellation shows at the next checkpoint. If the
/// future is dropped, the work goes on and its result is dropped.
///
/// # Errors
/// [`Cancelled`](crate::Cancelled) before the start; an `io::Error` if no thread can be had.
///
/// # Panics
/// If `work` does: the panic goes on in the awaiting task. Outside a run.
///
/// ```
/// # terzetto::run(async {
/// let sum = terzetto::to_thread::run_sync(|| (1..=1_000u64).sum::<u64>()).await?;
/// assert_eq!(sum, 500_500);
/// # Ok(())
/// # }).unwrap();
/// ```
pub async fn run_sync<T, F>(work: F) -> Result<T, Error>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    checkpoint_if_cancelled().await?;
    let run = run::current();
    let (give, take) = oneshot();
    let context = TaskContext::current();
    let job = move || give.give(catch_unwind(AssertUnwindSafe(|| context.enter(work))));
    run.pool.submit(Box::new(job))?;
    let mut blocked = None;
    let mut early = None;
    let result = poll_fn(|cx| {
        let result = early.take().or_else(|| take.poll(cx.waker()));
        match result {
            Some(result) if blocked.is_some() => return Poll::Ready(result),
            // Done already: even so the others get their turn, as with every operation.
            Some(result) => {
                early = Some(result);
                cx.waker().wake_by_ref();
            }
            None => {}
        }
        blocked.get_or_insert_with(|| Blocked::new(run.clone(), cx, run.operations.thread.clone(), 0));
        Poll::Pending
    })
    .await;
    match result {
        Ok(value) => Ok(value),
        Err(payload) => resume_unwind(payload),
    }
}
