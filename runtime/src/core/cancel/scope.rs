//! Cancel scopes: the public handle.
//!
//! With this handle users make a scope, change it, and run code in it. The [scope tree](super::tree) carries
//! cancellations. The state of a scope is in [`state`](super::state). [`enter`](super::enter) is what happens
//! while code runs in a scope, and [`catch`](super::catch) what happens at its end.

use crate::{
    CancelReason, CancelSource, Cancelled, Error,
    core::{
        cancel::{
            enter::InScope,
            state::{ScopeStage, ScopeState},
        },
        run,
        run::Run,
        seconds::Seconds,
    },
};
use std::{fmt, rc::Rc};

/// The link between work that can be cancelled and the code that may cancel it; trio's `CancelScope`.
///
/// Once the scope is cancelled or its deadline has passed, code run by [`CancelScope::run`] gets [`Cancelled`] from
/// every checkpoint that no shield hides. When that error comes back to the scope, the scope swallows it. If several
/// scopes around a checkpoint are cancelled, the outermost one that is visible swallows the error.
///
/// A handle is cheap to clone and may be given away, so that others can cancel. A scope may be cancelled before it is
/// entered. It can be entered only once.
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
    pub(crate) cell: Rc<ScopeState>,
}

impl Default for CancelScope {
    fn default() -> Self {
        CancelScope::new()
    }
}

impl CancelScope {
    /// A scope with no deadline and no shield.
    pub fn new() -> CancelScope {
        CancelScope { cell: ScopeState::new() }
    }

    /// A scope that is cancelled when the run's clock shows `deadline`. Infinity means never.
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

    /// Runs `inside` in the scope. Returns `Ok(Some(value))` if it ended with a value, and `Ok(None)` if this scope
    /// cancelled it. Returns an error if it failed otherwise, or if an outer scope was cancelled.
    ///
    /// # Cancellation
    /// Not a checkpoint by itself: entering and leaving a scope never yields.
    ///
    /// # Panics
    /// If the scope was entered before. Outside a run.
    pub fn run<T, F>(&self, inside: F) -> impl Future<Output = Result<Option<T>, Error>> + use<T, F>
    where
        F: Future<Output = Result<T, Error>>,
    {
        InScope::new(self.cell.clone(), inside)
    }

    /// Cancels what runs in the scope, now and for good. Does nothing if the scope was cancelled before. If the
    /// scope has ended, only [`cancel_called`](CancelScope::cancel_called) changes, as in trio.
    pub fn cancel(&self) {
        self.cancel_for(None);
    }

    /// As [`CancelScope::cancel`], with a text that shows in each [`Cancelled`]. If it is called again, the first
    /// text stays.
    pub fn cancel_with_reason(&self, reason: impl Into<String>) {
        self.cancel_for(Some(reason.into()));
    }

    fn cancel_for(&self, text: Option<String>) {
        let task = run::try_with(|run| run.tree.current_task()).flatten();
        let reason = match text {
            Some(text) => CancelReason::with_text(CancelSource::Explicit, text),
            None => CancelReason::new(CancelSource::Explicit),
        };
        self.cell.cancel(reason.by(task.map(|task| task.to_string())));
    }

    /// Whether the scope was cancelled, or its deadline has passed, even if no checkpoint has noticed it yet.
    pub fn cancel_called(&self) -> bool {
        let run = match self.cell.stage.get() {
            ScopeStage::Entered(of_run, _) => run::with_run(of_run, Rc::clone),
            ScopeStage::New | ScopeStage::Exited => run::try_with(Rc::clone),
        };
        if let Some(run) = run {
            self.cell.check_deadline(|| run.clock.now());
        }
        self.cell.called()
    }

    /// Whether the scope has swallowed a cancellation of its own. It has not if the work ended by itself, or if an
    /// outer scope has cut it short.
    pub fn cancelled_caught(&self) -> bool {
        self.cell.caught.get()
    }

    /// Why the scope was cancelled, if it was.
    pub fn reason(&self) -> Option<CancelReason> {
        self.cell.reason().map(|reason| (*reason).clone())
    }

    /// The deadline on the run's clock. It is infinity if there is none.
    ///
    /// # Panics
    /// Before entry, if the deadline was given relative to it.
    pub fn deadline(&self) -> f64 {
        self.refuse_relative();
        self.cell.deadline.get()
    }

    /// Moves the deadline, to an earlier or later time. A deadline that has passed has cancelled the scope, and
    /// moving it does not undo that.
    ///
    /// # Panics
    /// If `deadline` is NaN. Before entry, if the deadline was given relative to it.
    pub fn set_deadline(&self, deadline: f64) {
        assert!(!deadline.is_nan(), "the deadline of a cancel scope must not be NaN");
        self.refuse_relative();
        self.cell.deadline.set(deadline);
        self.cell.update_timer();
    }

    /// The deadline in seconds from now; it is negative if the deadline has passed. Before entry, the deadline in
    /// seconds from entry. Infinity if there is none.
    ///
    /// # Panics
    /// Before entry, if the scope has an absolute deadline. After entry, outside a run.
    pub fn relative_deadline(&self) -> f64 {
        if self.cell.stage.get() != ScopeStage::New {
            return self.cell.deadline.get() - run::current().clock.now();
        }
        self.refuse_absolute();
        self.cell.relative.get()
    }

    /// Sets the deadline in seconds from now. Code that extends an idle timeout uses this. Before entry, sets the
    /// deadline in seconds from entry.
    ///
    /// # Panics
    /// If the time is negative or NaN. Before entry, if the scope has an absolute deadline. After entry, outside a
    /// run.
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
        if self.cell.stage.get() != ScopeStage::New {
            return self.set_deadline(run::current().clock.now() + timeout);
        }
        self.refuse_absolute();
        self.cell.relative.set(timeout);
    }

    /// Whether the deadline counts from an entry that is still to come. `None` once the scope is entered, since the
    /// deadline is absolute then.
    pub fn is_relative(&self) -> Option<bool> {
        (self.cell.stage.get() == ScopeStage::New).then(|| self.cell.relative.get() != f64::INFINITY)
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

    /// Whether the scope hides cancellation and deadlines of outer scopes from the code inside.
    pub fn shield(&self) -> bool {
        self.cell.is_shielded()
    }

    /// Raises or lowers the shield, also while code runs in the scope. If the shield is lowered and an outer scope is
    /// cancelled, the cancellation arrives at once, also at blocked tasks.
    pub fn set_shield(&self, shield: bool) {
        self.cell.set_shield(shield);
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

/// The nearest deadline of all scopes around the caller that no shield hides. It is minus infinity if one of them is
/// cancelled, and infinity if there is none. trio's `current_effective_deadline`.
///
/// # Panics
/// Outside a run.
pub fn current_effective_deadline() -> f64 {
    let run = run::current();
    run.scopes.effective_deadline(run.scopes.current())
}

/// The cancellation that the caller's scope sees now, if any.
pub(crate) fn current_cancellation(run: &Run) -> Option<Cancelled> {
    run.scopes.cancelled(run.scopes.current())
}

/// Whether no scope around the caller is cancelled any more, so that the cancellation comes from elsewhere. A Ctrl-C belongs to no
/// scope and is never stale.
pub(crate) fn is_stale(cancelled: &Cancelled) -> bool {
    !cancelled.is_interrupt() && current_effective_deadline() != f64::NEG_INFINITY
}
