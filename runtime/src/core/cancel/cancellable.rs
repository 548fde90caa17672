//! Awaiting futures of other libraries so that they can be cancelled.

use crate::{
    Cancelled,
    core::{
        block::wait::Blocked,
        cancel::checkpoint::{CheckpointIfCancelled, Turn},
        misuse::polled_after_its_end,
        run,
    },
};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Awaits a future of another library as an operation of this one. It can be cancelled, and it is a checkpoint.
///
/// Any future can be awaited in a task, and its wake-up may come from any thread. But only the operations of this
/// runtime look at cancellation. A foreign future that is awaited plainly holds its task until the future is done.
/// Inside a foreign future, the operations of this runtime work as usual.
///
/// If a task still awaits a foreign future some seconds after it was cancelled, the log names the task, and
/// [`task_tree`](crate::task_tree) marks it.
///
/// # Cancellation
/// A checkpoint. If cancelled, `future` is dropped. The documentation of its library says what is lost by that.
///
/// # Errors
/// [`Cancelled`] in a cancelled scope.
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
pub fn cancellable<T>(future: impl Future<Output = T>) -> impl Future<Output = Result<T, Cancelled>> {
    Cancellable::Before { look: CheckpointIfCancelled::default(), future: Some(future) }
}

pin_project_lite::pin_project! {
    /// It is not an `async fn`, so that it holds the future only once: see [`wrap`](crate::core::poll_tree::wrap).
    #[project = Projection]
    enum Cancellable<F: Future> {
        /// The first poll looks whether the task is cancelled already.
        Before { look: CheckpointIfCancelled, future: Option<F> },
        Blocked { began_in: u64, wait: Option<Blocked>, #[pin] future: F },
        /// The future was ready at once. Other tasks get their turn before the value is returned.
        Yielding { turn: Turn, value: Option<F::Output> },
        Done,
    }
}

impl<F: Future> Future for Cancellable<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let run = &*run::current();
        if let Projection::Before { look, future } = self.as_mut().project() {
            let looked = ready!(look.poll_in(run, cx));
            let future = future.take();
            let (Ok(()), Some(future)) = (&looked, future) else {
                self.set(Cancellable::Done);
                return Poll::Ready(Err(looked.err().unwrap_or_else(|| polled_after_its_end())));
            };
            self.set(Cancellable::Blocked { began_in: run.tree.tick.get(), wait: None, future });
        }
        if let Projection::Blocked { began_in, wait, future } = self.as_mut().project() {
            // The future is polled before the wait is asked, so a future that has completed is never reported as
            // cancelled.
            match future.poll(cx) {
                Poll::Ready(value) if run.tree.tick.get() == *began_in && !run.may_skip_turn() => {
                    self.set(Cancellable::Yielding { turn: Turn::default(), value: Some(value) });
                }
                Poll::Ready(value) => {
                    self.set(Cancellable::Done);
                    return Poll::Ready(Ok(value));
                }
                Poll::Pending => {
                    if let Some(wait) = wait {
                        let Err(cancelled) = ready!(wait.poll(run, cx)) else {
                            unreachable!("nobody reschedules it")
                        };
                        self.set(Cancellable::Done);
                        return Poll::Ready(Err(cancelled));
                    }
                    let blocked = Blocked::new(run, cx, run.operations.foreign.clone(), 0);
                    blocked.arm(run);
                    *wait = Some(blocked);
                    return Poll::Pending;
                }
            }
        }
        let Projection::Yielding { turn, value } = self.as_mut().project() else { polled_after_its_end() };
        if !turn.is_over(run, cx) {
            return Poll::Pending;
        }
        let Some(value) = value.take() else { polled_after_its_end() };
        self.set(Cancellable::Done);
        Poll::Ready(Ok(value))
    }
}
