//! Checkpoints: the places where a task lets others run and learns of its cancellation.

use crate::{
    Cancelled,
    core::{cancel::scope::current_cancellation, run, run::Run},
};
use std::{
    num::NonZeroU64,
    pin::Pin,
    task::{Context, Poll},
};

/// A turn given to the others: since which tick, once it has begun.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Turn(Option<NonZeroU64>);

impl Turn {
    /// The task is made runnable for the next tick.
    #[inline]
    pub(crate) fn begin(run: &Run, cx: &Context<'_>) -> Turn {
        let mut turn = Turn::default();
        turn.is_over(run, cx);
        turn
    }

    /// Whether a later tick has come; if not, the task is made runnable for it.
    #[inline]
    pub(crate) fn is_over(&mut self, run: &Run, cx: &Context<'_>) -> bool {
        let tick = run.tree.tick.get();
        // A poll for another reason in the same tick does not end the turn.
        if self.0.is_some_and(|since| since.get() < tick) {
            return true;
        }
        self.0 = NonZeroU64::new(tick);
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
pub(crate) struct Checkpoint {
    turn: Turn,
    /// What the look has found. As in trio, it is raised one schedule point later.
    cancelled: Option<Cancelled>,
}

/// What a look at the current task's region finds: a Ctrl-C to raise, or a cancellation.
#[inline]
fn look(run: &Run) -> Option<Found> {
    run.tree.note_cancel_point();
    if run.signals.interrupt.is_pending()
        && let Some(interrupt) = run.take_interrupt()
    {
        return Some(Found::Interrupt(interrupt));
    }
    current_cancellation(run).map(Found::Cancelled)
}

enum Found {
    /// To be raised at once.
    Interrupt(Cancelled),
    Cancelled(Cancelled),
}

impl Checkpoint {
    /// As its `poll`, within a run.
    #[inline]
    pub(crate) fn poll_in(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), Cancelled>> {
        if !self.turn.is_over(run, cx) {
            return Poll::Pending;
        }
        if let Some(cancelled) = self.cancelled.take() {
            return Poll::Ready(Err(cancelled));
        }
        match look(run) {
            None => Poll::Ready(Ok(())),
            Some(Found::Interrupt(interrupt)) => Poll::Ready(Err(interrupt)),
            Some(Found::Cancelled(cancelled)) => {
                self.cancelled = Some(cancelled);
                self.turn = Turn::begin(run, cx);
                Poll::Pending
            }
        }
    }
}

impl Future for Checkpoint {
    type Output = Result<(), Cancelled>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        run::with(|run| self.poll_in(run, cx))
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
    CheckpointIfCancelled::default()
}

/// A look, and a checkpoint if it has found something.
#[derive(Default)]
pub(crate) struct CheckpointIfCancelled {
    /// Aside, since it is hardly ever needed, and every operation that blocks has room for it.
    raising: Option<Box<Checkpoint>>,
}

impl CheckpointIfCancelled {
    /// As its `poll`, within a run.
    #[inline]
    pub(crate) fn poll_in(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), Cancelled>> {
        let nothing = !run.scopes.is_any_cancelled() && !run.interrupt_may_be_here();
        match self.raising.is_none() && nothing {
            true => {
                run.tree.note_cancel_point();
                Poll::Ready(Ok(()))
            }
            false => self.look_closely(run, cx),
        }
    }

    #[cold]
    fn look_closely(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), Cancelled>> {
        if self.raising.is_none() {
            // A Ctrl-C that came a moment ago, perhaps by this very task.
            run.take_signals();
            match look(run) {
                None => return Poll::Ready(Ok(())),
                Some(Found::Interrupt(interrupt)) => return Poll::Ready(Err(interrupt)),
                Some(Found::Cancelled(_)) => {}
            }
        }
        self.raising.get_or_insert_default().poll_in(run, cx)
    }
}

impl Future for CheckpointIfCancelled {
    type Output = Result<(), Cancelled>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        run::with(|run| self.poll_in(run, cx))
    }
}
