//! Checkpoints: the places where a task lets others run and learns of its cancellation.

use super::run::{self, Run};
use crate::{Cancelled, scope::current_cancellation};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// A turn given to the others: since which tick, once it has begun.
#[derive(Debug, Default)]
struct Turn(Option<u64>);

impl Turn {
    /// Whether a later tick has come; if not, the task is made runnable for it.
    fn is_over(&mut self, run: &Run, cx: &Context<'_>) -> bool {
        let tick = run.strands.tick.get();
        // A poll for another reason in the same tick does not end the turn.
        if self.0.is_some_and(|since| since < tick) {
            return true;
        }
        self.0 = Some(tick);
        run.wake_by(cx.waker());
        false
    }
}

/// Yields for one tick.
#[derive(Debug, Default)]
struct Yield(Turn);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match run::with(|run| self.0.is_over(run, cx)) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// Lets every other runnable task run once. Never fails: a schedule point and no cancel point.
/// trio's `cancel_shielded_checkpoint`.
///
/// # Panics
/// Outside a run.
pub fn cancel_shielded_checkpoint() -> impl Future<Output = ()> {
    Yield::default()
}

/// Lets every other runnable task run once, then fails if the region is cancelled. First the one,
/// then the other, so that a deadline which has just passed is seen. trio's `checkpoint`.
///
/// # Cancellation
/// A checkpoint. Nothing is lost.
///
/// # Errors
/// [`Cancelled`] in a cancelled region.
///
/// # Panics
/// Outside a run.
///
/// ```
/// # terzetto::run(async {
/// for _chunk in 0..10 {
///     // … some work …
///     terzetto::checkpoint().await?;
/// }
/// # Ok(())
/// # }).unwrap();
/// ```
pub fn checkpoint() -> impl Future<Output = Result<(), Cancelled>> {
    Checkpoint::default()
}

/// A yield and a look.
#[derive(Debug, Default)]
struct Checkpoint {
    turn: Turn,
    /// What the look has found. As in trio, it is raised one schedule point later.
    cancelled: Option<Cancelled>,
}

impl Future for Checkpoint {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        run::with(|run| {
            if !self.turn.is_over(run, cx) {
                return Poll::Pending;
            }
            if let Some(cancelled) = self.cancelled.take() {
                return Poll::Ready(Err(cancelled));
            }
            run.strands.note_cancel_point();
            if run.signals.interrupt.is_pending()
                && let Some(interrupt) = run.take_interrupt()
            {
                return Poll::Ready(Err(interrupt));
            }
            let Some(cancelled) = current_cancellation(run) else { return Poll::Ready(Ok(())) };
            self.cancelled = Some(cancelled);
            self.turn = Turn::default();
            self.turn.is_over(run, cx);
            Poll::Pending
        })
    }
}

/// Fails if the region is cancelled; otherwise returns at once, without yielding.
/// trio's `checkpoint_if_cancelled`.
///
/// # Errors
/// [`Cancelled`] in a cancelled region.
///
/// # Panics
/// Outside a run.
pub fn checkpoint_if_cancelled() -> impl Future<Output = Result<(), Cancelled>> {
    CheckpointIfCancelled { raising: None }
}

/// A look, and a checkpoint if it has found something.
struct CheckpointIfCancelled {
    raising: Option<Checkpoint>,
}

impl Future for CheckpointIfCancelled {
    type Output = Result<(), Cancelled>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.raising.is_none() {
            let found = run::with(|run| {
                run.strands.note_cancel_point();
                if run.signals.interrupt.is_pending()
                    && let Some(interrupt) = run.take_interrupt()
                {
                    return Some(Err(interrupt));
                }
                current_cancellation(run).is_none().then_some(Ok(()))
            });
            if let Some(found) = found {
                return Poll::Ready(found);
            }
        }
        Pin::new(self.raising.get_or_insert_default()).poll(cx)
    }
}
