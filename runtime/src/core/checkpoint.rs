//! Checkpoints: the places where a task lets others run and learns of its cancellation.

use super::run::{self, Run};
use crate::{Cancelled, scope::current_cancellation};
use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// Yields for one tick.
struct Yield {
    run: Rc<Run>,
    since: Option<u64>,
}

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let tick = self.run.strands.tick.get();
        match self.since {
            // A poll for another reason in the same tick does not end the yield.
            Some(since) if since < tick => Poll::Ready(()),
            _ => {
                self.since = Some(tick);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

/// Lets every other runnable task run once. Never fails: a schedule point and no cancel point.
/// trio's `cancel_shielded_checkpoint`.
///
/// # Panics
/// Outside a run.
pub async fn cancel_shielded_checkpoint() {
    Yield { run: run::current(), since: None }.await;
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
pub async fn checkpoint() -> Result<(), Cancelled> {
    let run = run::current();
    Yield { run: run.clone(), since: None }.await;
    run.strands.note_cancel_point();
    if let Some(interrupt) = run.take_interrupt() {
        return Err(interrupt);
    }
    match current_cancellation(&run) {
        None => Ok(()),
        Some(cancelled) => {
            // As in trio, the cancellation is raised one schedule point later.
            Yield { run, since: None }.await;
            Err(cancelled)
        }
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
pub async fn checkpoint_if_cancelled() -> Result<(), Cancelled> {
    let run = run::current();
    run.strands.note_cancel_point();
    match current_cancellation(&run) {
        None if !run.signals.interrupt.is_pending() => Ok(()),
        _ => match run.take_interrupt() {
            Some(interrupt) => Err(interrupt),
            None if current_cancellation(&run).is_none() => Ok(()),
            None => checkpoint().await,
        },
    }
}
