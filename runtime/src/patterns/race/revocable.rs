//! An operation that gives back what it has not seen.

use crate::{
    Cancelled,
    core::{cancel::scope::current_cancellation, misuse::polled_after_its_end, run},
};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Awaits one operation so that a cancellation comes before its result.
///
/// An operation that was given something is not cancelled any more: it returns what it was given, in a cancelled scope
/// too. That is right for most code, which wants what it has waited for. In a race it means that two contenders may
/// be given something in the same tick. Inside this function the operation is dropped instead, if its scope is
/// cancelled before the result was seen. A dropped operation of this runtime gives back what it was given: the value
/// to the channel, the lock to the next task.
///
/// # Cancellation
/// As of `operation`, and a cancel point each time it is polled. If cancelled, the operation is dropped. For the
/// operations of this runtime their documentation says what that means.
///
/// # Errors
/// [`Cancelled`] in a cancelled scope.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{CancelScope, channel, nursery, race::revocable, testing::wait_all_tasks_blocked};
/// terzetto::run(async {
///     let (sender, receiver) = channel(0);
///     let scope = &CancelScope::new();
///     nursery(async |n| {
///         n.start_soon(async {
///             let received = scope.run(async { Ok(revocable(receiver.receive()).await??) }).await?;
///             assert_eq!(received, None);
///             Ok(())
///         });
///         wait_all_tasks_blocked(0.0).await?;
///         sender.send_nowait("to the task that waits")?;
///         scope.cancel();
///         Ok(())
///     }).await?;
///     assert_eq!(receiver.receive().await?, "to the task that waits");
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn revocable<T>(operation: impl Future<Output = T>) -> impl Future<Output = Result<T, Cancelled>> {
    Revocable { operation: Some(operation) }
}

pin_project_lite::pin_project! {
    struct Revocable<F> {
        #[pin]
        operation: Option<F>,
    }
}

impl<F: Future> Future for Revocable<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut operation = self.project().operation;
        if let Some(cancelled) = current_cancellation(&run::current()) {
            operation.set(None);
            return Poll::Ready(Err(cancelled));
        }
        let Some(polled) = operation.as_mut().as_pin_mut() else { polled_after_its_end() };
        let output = std::task::ready!(polled.poll(cx));
        operation.set(None);
        Poll::Ready(Ok(output))
    }
}
