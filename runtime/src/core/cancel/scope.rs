//! Cancel scopes: the public half.
//!
//! The tree that carries cancellation is in [`core::scope`](crate::core::cancel::tree); here is the handle
//! with which users make a scope, steer it, and run code inside it. Its state is in [`cell`], what happens
//! while code runs in it in [`entered`].

use crate::{
    CancelReason, CancelSource, Cancelled, Error,
    core::{
        cancel::{
            entered::InScope,
            state::{ScopeCell, Stage},
        },
        run,
        run::Run,
    },
    time::{Seconds, current_time},
};
use std::{fmt, rc::Rc};

/// The link between work that can be cancelled and whoever may cancel it; trio's `CancelScope`.
///
/// Code run by [`CancelScope::run`] gets [`Cancelled`] from every checkpoint once the scope is
/// cancelled or its deadline has passed; when that error comes back to the scope, it is swallowed.
/// Of several cancelled scopes around a checkpoint the outermost that is visible swallows it.
///
/// A handle is cheap to clone and may be given away, so that others can cancel. It may be cancelled
/// before it is entered, and it is entered once.
///
/// ```
/// use terzetto::{CancelScope, nursery, sleep, sleep_forever};
/// terzetto::run(async {
///     let scope = CancelScope::new();
///     let other = scope.clone();
///     nursery(async |n| {
///         n.start_soon(async move { sleep(0.01).await?; other.cancel(); Ok(()) });
///         let outcome = scope.run(async { sleep_forever().await?; Ok("never") }).await?;
///         assert!(outcome.is_none() && scope.cancelled_caught());
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a cancel scope does nothing until code is run in it"]
pub struct CancelScope {
    pub(crate) cell: Rc<ScopeCell>,
}

impl Default for CancelScope {
    fn default() -> Self {
        CancelScope::new()
    }
}

impl CancelScope {
    /// A scope with no deadline and no shield.
    pub fn new() -> CancelScope {
        CancelScope { cell: ScopeCell::new() }
    }

    /// A scope that is cancelled when the run's clock shows `deadline` (infinity: never).
    ///
    /// # Panics
    /// If `deadline` is NaN.
    pub fn with_deadline(deadline: f64) -> CancelScope {
        let scope = CancelScope::new();
        scope.set_deadline(deadline);
        scope
    }

    /// A scope that is cancelled a time after it is entered.
    ///
    /// # Panics
    /// If the time is negative or NaN.
    pub fn with_timeout(timeout: impl Seconds) -> CancelScope {
        let scope = CancelScope::new();
        scope.cell.relative.set(timeout.checked_seconds("timeout"));
        scope
    }

    /// Sets the shield while building a scope; see [`CancelScope::set_shield`].
    pub fn shielded(self, shield: bool) -> CancelScope {
        self.set_shield(shield);
        self
    }

    /// Runs `inside` in the scope: `Ok(Some(value))` if it ended with a value, `Ok(None)` if it was
    /// cancelled by this scope, an error if it failed otherwise or an outer scope was cancelled.
    ///
    /// # Cancellation
    /// Not a checkpoint by itself: entering and leaving a scope never yields.
    ///
    /// # Panics
    /// If the scope was entered before, or outside a run.
    pub fn run<T, F>(&self, inside: F) -> impl Future<Output = Result<Option<T>, Error>> + use<T, F>
    where
        F: Future<Output = Result<T, Error>>,
    {
        InScope::new(self.cell.clone(), inside)
    }

    /// Cancels what runs in the scope, now and for good. Again, or after the exit: does nothing.
    pub fn cancel(&self) {
        self.cancel_for(None);
    }

    /// As [`CancelScope::cancel`], with a text that shows in each [`Cancelled`]. The first is kept.
    pub fn cancel_with_reason(&self, reason: impl Into<String>) {
        self.cancel_for(Some(reason.into()));
    }

    fn cancel_for(&self, text: Option<String>) {
        let task = run::try_with(|run| run.tree.current_task()).flatten();
        let reason = match text {
            Some(text) => CancelReason::with_text(CancelSource::Explicit, text),
            None => CancelReason::new(CancelSource::Explicit),
        };
        self.cell.cancel(reason.by(task.as_ref()));
    }

    /// Whether the scope was cancelled, or its deadline has passed, even if nothing noticed.
    pub fn cancel_called(&self) -> bool {
        let run = match self.cell.stage.get() {
            Stage::Entered(of_run, _) => run::with_run(of_run, Rc::clone),
            Stage::New | Stage::Exited => run::try_with(Rc::clone),
        };
        if let Some(run) = run {
            self.cell.check_deadline(|| run.clock.now());
        }
        self.cell.called()
    }

    /// Whether the scope has swallowed a cancellation: only then was its work cut short.
    pub fn cancelled_caught(&self) -> bool {
        self.cell.caught.get()
    }

    /// Why the scope was cancelled, if it was.
    pub fn reason(&self) -> Option<CancelReason> {
        self.cell.reason().map(|reason| (*reason).clone())
    }

    /// The deadline on the run's clock; infinity if there is none.
    ///
    /// # Panics
    /// Before entry, if the deadline was given relative to it.
    pub fn deadline(&self) -> f64 {
        self.refuse_relative();
        self.cell.deadline.get()
    }

    /// Moves the deadline, sooner or later. Moving it after it has passed does not un-cancel.
    ///
    /// # Panics
    /// If `deadline` is NaN; before entry, if the deadline was given relative to it.
    pub fn set_deadline(&self, deadline: f64) {
        assert!(!deadline.is_nan(), "the deadline of a cancel scope must not be NaN");
        self.refuse_relative();
        self.cell.deadline.set(deadline);
        self.cell.update_timer();
    }

    /// The deadline in seconds from now, negative if it has passed; before entry, in seconds from then.
    /// Infinity if there is none.
    ///
    /// # Panics
    /// Before entry, if the scope has an absolute deadline; after, outside a run.
    pub fn relative_deadline(&self) -> f64 {
        if self.cell.stage.get() != Stage::New {
            return self.cell.deadline.get() - current_time();
        }
        self.refuse_absolute();
        self.cell.relative.get()
    }

    /// Sets the deadline in seconds from now, as whoever extends an idle timeout does; before entry, in
    /// seconds from then.
    ///
    /// # Panics
    /// If the time is negative or NaN; before entry, if the scope has an absolute deadline; after, outside
    /// a run.
    ///
    /// ```
    /// use terzetto::{CancelScope, sleep};
    /// terzetto::run(async {
    ///     let idle = CancelScope::with_timeout(0.1);
    ///     let outcome = idle.run(async {
    ///         for _ in 0..3 {
    ///             sleep(0.06).await?; // a message comes
    ///             idle.set_relative_deadline(0.1);
    ///         }
    ///         Ok("all messages")
    ///     }).await?;
    ///     assert_eq!(outcome, Some("all messages"));
    ///     Ok(())
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn set_relative_deadline(&self, timeout: impl Seconds) {
        let timeout = timeout.checked_seconds("timeout");
        if self.cell.stage.get() != Stage::New {
            return self.set_deadline(current_time() + timeout);
        }
        self.refuse_absolute();
        self.cell.relative.set(timeout);
    }

    /// Whether the deadline counts from an entry that is still to come; none once the scope is entered, when it counts
    /// from nothing any more.
    pub fn is_relative(&self) -> Option<bool> {
        (self.cell.stage.get() == Stage::New).then(|| self.cell.relative.get() != f64::INFINITY)
    }

    fn refuse_absolute(&self) {
        assert!(
            self.cell.deadline.get() == f64::INFINITY,
            "a cancel scope with an absolute deadline has no relative one before it is entered"
        );
    }

    fn refuse_relative(&self) {
        assert!(
            self.cell.relative.get() == f64::INFINITY,
            "a cancel scope with a relative deadline has no absolute one before it is entered"
        );
    }

    /// Whether cancellation and deadlines of outer scopes are hidden from what runs inside.
    pub fn shield(&self) -> bool {
        self.cell.is_shielded()
    }

    /// Raises or lowers the shield, also while the scope is active: lowered inside a cancelled scope,
    /// the cancellation arrives at once, also at what is blocked.
    pub fn set_shield(&self, shield: bool) {
        self.cell.shield.set(shield);
        self.cell.entered(Run::recalculate);
    }
}

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelScope")
            .field("stage", &self.cell.stage.get())
            .field("deadline", &self.cell.deadline.get())
            .field("shield", &self.cell.shield.get())
            .field("cancel_called", &self.cell.called.get())
            .finish()
    }
}

/// The nearest deadline of all scopes around the caller that no shield hides; minus infinity if one
/// of them is cancelled, infinity if there is none. trio's `current_effective_deadline`.
///
/// # Panics
/// Outside a run.
pub fn current_effective_deadline() -> f64 {
    let run = run::current();
    run.scopes.effective_deadline(run.scopes.current())
}

/// The cancellation in force where the caller is, if any.
pub(crate) fn current_cancellation(run: &Run) -> Option<Cancelled> {
    run.scopes.cancelled(run.scopes.current())
}

/// Whether a cancellation is of another scope than those around the caller. A Ctrl-C is of none.
pub(crate) fn is_stale(cancelled: &Cancelled) -> bool {
    !cancelled.is_interrupt() && current_effective_deadline() != f64::NEG_INFINITY
}
