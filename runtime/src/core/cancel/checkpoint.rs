//! Checkpoints: the places where a task lets others run and learns of its cancellation.

use crate::{
    Cancelled,
    core::{cancel::scope::current_cancellation, poll_tree::waker, run, run::Run},
};
use std::{
    num::NonZeroU64,
    pin::Pin,
    task::{Context, Poll},
};

/// A turn that a task gives to the others. It holds the tick in which it began, once it has begun.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Turn(Option<NonZeroU64>);

impl Turn {
    /// Begins a turn. Makes the task runnable for the next tick.
    #[inline]
    pub(crate) fn begin(run: &Run, cx: &Context<'_>) -> Turn {
        let mut turn = Turn::default();
        turn.is_over(run, cx);
        turn
    }

    /// Begins the turn of an operation that has succeeded at once. `None` means that it need not give way now.
    #[inline]
    pub(crate) fn after_success(run: &Run, cx: &Context<'_>) -> Option<Turn> {
        (!run.may_skip_turn()).then(|| Turn::begin(run, cx))
    }

    /// Whether a later tick has come. If not, makes the task runnable for it.
    #[inline]
    pub(crate) fn is_over(&mut self, run: &Run, cx: &Context<'_>) -> bool {
        let tick = run.tree.tick.get();
        // A poll for another reason in the same tick does not end the turn.
        if self.0.is_some_and(|since| since.get() < tick) {
            return true;
        }
        self.0 = NonZeroU64::new(tick);
        match waker::is_of(cx.waker(), run.id, run.tree.current.get()) {
            true => run.tree.woke_itself.set(true),
            false => run.wake_by(cx.waker()),
        }
        false
    }
}

impl Run {
    /// Whether an operation that has succeeded at once need not let others run. That takes it out of the budget of the
    /// task's step.
    #[inline]
    pub(crate) fn may_skip_turn(&self) -> bool {
        self.turn_budget.spend(self.tree.tick.get(), self.tree.current.get())
    }
}

/// The schedule point of an operation that has succeeded at once. It lets others run, unless the run has
/// [quick checkpoints](crate::Builder::quick_checkpoints) and the task has some of its budget left.
#[derive(Debug, Default)]
pub(crate) struct TurnAfterSuccess(Option<Turn>);

impl Future for TurnAfterSuccess {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        run::with(|run| {
            let over = match &mut self.0 {
                Some(turn) => turn.is_over(run, cx),
                None => {
                    self.0 = Turn::after_success(run, cx);
                    self.0.is_none()
                }
            };
            if over { Poll::Ready(()) } else { Poll::Pending }
        })
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

/// Lets other tasks run: the caller goes on in the next tick, and each tick runs every runnable task once. Never
/// fails. It is a schedule point and no cancel point. trio's
/// `cancel_shielded_checkpoint`.
///
/// # Panics
/// Outside a run.
pub fn cancel_shielded_checkpoint() -> impl Future<Output = ()> {
    Yield::default()
}

/// Lets other tasks run, then fails if the scope is cancelled. The caller goes on in the next tick, and each tick runs
/// every runnable task once. It yields first, so that it sees a deadline that has just passed. trio's `checkpoint`.
///
/// # Cancellation
/// A checkpoint. Nothing is lost.
///
/// # Errors
/// [`Cancelled`] in a cancelled scope.
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

/// Yields, then looks for a cancellation.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint {
    turn: Turn,
    /// The cancellation that was found. As in trio, it is raised one schedule point later.
    cancelled: Option<Cancelled>,
}

/// Looks for something to raise in the current task: a Ctrl-C, or a cancellation.
#[inline]
fn look(run: &Run) -> Option<Found> {
    run.tree.note_cancel_point();
    if run.interrupt.is_pending()
        && let Some(interrupt) = run.take_interrupt()
    {
        return Some(Found::Interrupt(interrupt));
    }
    current_cancellation(run).map(Found::Cancelled)
}

enum Found {
    /// This is raised at once.
    Interrupt(Cancelled),
    Cancelled(Cancelled),
}

impl Checkpoint {
    /// The body of `poll`, for callers that have the run.
    #[inline]
    pub(crate) fn poll_in(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), Cancelled>> {
        if !self.turn.is_over(run, cx) {
            return Poll::Pending;
        }
        let nothing =
            !run.scopes.is_any_cancelled() && !run.interrupt.is_pending() && !run.tree.watches.are_there();
        match nothing && self.cancelled.is_none() {
            true => Poll::Ready(Ok(())),
            false => self.look_closely(run, cx),
        }
    }

    #[cold]
    #[inline(never)]
    fn look_closely(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), Cancelled>> {
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

/// Fails if the scope is cancelled. Otherwise returns at once, without yielding.
/// trio's `checkpoint_if_cancelled`.
///
/// # Errors
/// [`Cancelled`] in a cancelled scope.
///
/// # Panics
/// Outside a run.
pub fn checkpoint_if_cancelled() -> impl Future<Output = Result<(), Cancelled>> {
    CheckpointIfCancelled::default()
}

/// Looks for a cancellation. Only if it finds one, it becomes a checkpoint.
#[derive(Default)]
pub(crate) struct CheckpointIfCancelled {
    /// Boxed, since it is hardly ever needed, and every blocking operation has room for it.
    raising: Option<Box<Checkpoint>>,
}

impl CheckpointIfCancelled {
    /// The body of `poll`, for callers that have the run.
    #[inline]
    pub(crate) fn poll_in(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), Cancelled>> {
        let nothing =
            !run.scopes.is_any_cancelled() && !run.interrupt_may_be_here() && !run.tree.watches.are_there();
        match self.raising.is_none() && nothing {
            true => Poll::Ready(Ok(())),
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
