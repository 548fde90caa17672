//! Cancel scopes: the public half.
//!
//! The tree that carries cancellation is in [`core::scope`](crate::core::scope); here is the handle
//! with which users make a scope, steer it, and run code inside it.

use crate::{
    CancelReason, CancelSource, Cancelled, Error,
    core::{
        deadlines::{DeadlineKey, Due},
        run::{self, Run},
        scope::ScopeId,
        stack::Deep,
        waker::RunId,
    },
    time::{Seconds, current_time},
};
use std::{
    cell::{Cell, RefCell},
    fmt,
    pin::pin,
    rc::Rc,
    sync::Arc,
};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    New,
    Entered(RunId, ScopeId),
    Exited,
}

/// The state of a scope, shared by its handles and its node in the tree.
pub(crate) struct ScopeCell {
    stage: Cell<Stage>,
    deadline: Cell<f64>,
    /// Seconds from entry, if the deadline was given so.
    relative: Cell<f64>,
    timer: Cell<Option<DeadlineKey>>,
    shield: Cell<bool>,
    called: Cell<bool>,
    caught: Cell<bool>,
    reason: RefCell<Option<Arc<CancelReason>>>,
}

impl ScopeCell {
    /// The state of a scope that nobody has entered or steered yet.
    fn fresh() -> ScopeCell {
        ScopeCell {
            stage: Cell::new(Stage::New),
            deadline: Cell::new(f64::INFINITY),
            relative: Cell::new(f64::INFINITY),
            timer: Cell::new(None),
            shield: Cell::new(false),
            called: Cell::new(false),
            caught: Cell::new(false),
            reason: RefCell::new(None),
        }
    }

    pub(crate) fn new() -> Rc<ScopeCell> {
        let spare = run::try_with(|run| run.scopes.spare()).flatten();
        spare.unwrap_or_else(|| Rc::new(ScopeCell::fresh()))
    }

    /// Makes a used cell as good as new, unless somebody has a handle still.
    pub(crate) fn renew(mut used: Rc<ScopeCell>) -> Option<Rc<ScopeCell>> {
        *Rc::get_mut(&mut used)? = ScopeCell::fresh();
        Some(used)
    }

    pub(crate) fn called(&self) -> bool {
        self.called.get()
    }

    pub(crate) fn is_shielded(&self) -> bool {
        self.shield.get()
    }

    pub(crate) fn absolute_deadline(&self) -> f64 {
        self.deadline.get()
    }

    pub(crate) fn has_reason(&self) -> bool {
        self.reason.borrow().is_some()
    }

    pub(crate) fn reason(&self) -> Option<Arc<CancelReason>> {
        self.reason.borrow().clone()
    }

    /// Takes over the reason of the scope above, unless there is one already.
    pub(crate) fn inherit_reason(&self, reason: Option<Arc<CancelReason>>) {
        let mut own = self.reason.borrow_mut();
        if own.is_none() {
            *own = reason;
        }
    }

    /// Calls `f` with the run in which the scope is entered, if it is entered and that run is on.
    fn entered<R>(&self, f: impl FnOnce(&Run, ScopeId) -> R) -> Option<R> {
        let Stage::Entered(of_run, id) = self.stage.get() else { return None };
        run::with_run(of_run, |run| f(run, id))
    }

    pub(crate) fn cancel(&self, reason: CancelReason) {
        if self.called.replace(true) {
            return;
        }
        self.inherit_reason(Some(Arc::new(reason)));
        self.update_timer();
        self.entered(Run::recalculate);
    }

    /// Brings the entry in the run's table of deadlines up to date.
    fn update_timer(&self) {
        if let Some(timer) = self.timer.take() {
            self.entered(|run, _| run.deadlines.borrow_mut().remove(timer));
        }
        if !self.called.get() && self.deadline.get() != f64::INFINITY {
            let timer =
                self.entered(|run, id| run.deadlines.borrow_mut().add(self.deadline.get(), Due::Cancel(id)));
            self.timer.set(timer);
        }
    }

    /// Whether the scope is cancelled, or must be, since its deadline has passed.
    pub(crate) fn called_by(&self, now: f64) -> bool {
        if !self.called.get() && self.deadline.get() <= now {
            self.called.set(true);
            self.inherit_reason(Some(Arc::new(CancelReason::new(CancelSource::Deadline))));
        }
        self.called.get()
    }

    /// What there is to say of it, for people who look; nothing of a plain scope.
    pub(crate) fn describe(&self, now: f64) -> String {
        let mut words = Vec::new();
        if self.called.get() {
            let reason = self.reason().map(|reason| reason.to_string());
            words.push(reason.unwrap_or_else(|| "cancelled".to_owned()));
        } else if self.deadline.get() < f64::INFINITY {
            words.push(format!("deadline in {:.3} s", self.deadline.get() - now));
        }
        if self.shield.get() {
            words.push("shielded".to_owned());
        }
        words.join(", ")
    }

    fn check_deadline(&self, now: impl FnOnce() -> f64) {
        let open = self.stage.get() != Stage::Exited && !self.called.get();
        if open && self.deadline.get() < f64::INFINITY && now() >= self.deadline.get() {
            self.cancel(CancelReason::new(CancelSource::Deadline));
        }
    }
}

/// A scope that has been entered; leaving it, in whatever way, takes it out of the tree.
pub(crate) struct Entered {
    cell: Rc<ScopeCell>,
    run: Rc<Run>,
    id: ScopeId,
    /// Whether its deadline has yet to be entered in the run's table.
    unarmed: Cell<bool>,
}

impl Entered {
    pub(crate) fn new(run: Rc<Run>, cell: Rc<ScopeCell>) -> Entered {
        assert!(
            cell.stage.get() == Stage::New,
            "a cancel scope can be entered only once; make a new `CancelScope`"
        );
        let relative = cell.relative.replace(f64::INFINITY);
        if relative == f64::INFINITY {
            cell.check_deadline(|| run.clock.now());
        } else {
            let now = run.clock.now();
            cell.deadline.set(now + relative);
            cell.check_deadline(|| now);
        }
        let id = run.scopes.enter(cell.clone(), run.strands.current.get());
        cell.stage.set(Stage::Entered(run.id, id));
        let unarmed = cell.deadline.get() < f64::INFINITY;
        run.unarmed.set(run.unarmed.get() + usize::from(unarmed));
        Entered { cell, run, id, unarmed: Cell::new(unarmed) }
    }

    /// Enters the deadline in the run's table, once what runs in the scope has been polled and is not at its
    /// end: until then nobody looks at the table, and mostly it need not be there at all.
    #[inline]
    fn arm(&self) {
        if self.unarmed.get() {
            self.disarm();
            self.cell.update_timer();
        }
    }

    fn disarm(&self) {
        let unarmed = usize::from(self.unarmed.replace(false));
        self.run.unarmed.set(self.run.unarmed.get() - unarmed);
    }

    pub(crate) fn id(&self) -> ScopeId {
        self.id
    }

    /// Leaves the scope with the outcome of what ran in it: cancellations that are this scope's to
    /// catch are taken out. `Ok(None)` if nothing else was left.
    pub(crate) fn close<T>(self, outcome: Result<T, Error>) -> Result<Option<T>, Error> {
        let catches = self.exit();
        let error = match outcome {
            Ok(value) => return Ok(Some(value)),
            Err(error) if !catches => return Err(error),
            Err(error) => error,
        };
        let (caught, rest) = error.without_cancelled();
        self.cell.caught.set(caught);
        match rest {
            None => Ok(None),
            Some(error) => Err(error),
        }
    }

    fn exit(&self) -> bool {
        if self.cell.stage.replace(Stage::Exited) == Stage::Exited {
            return false;
        }
        self.disarm();
        if let Some(timer) = self.cell.timer.take() {
            self.run.deadlines.borrow_mut().remove(timer);
        }
        self.run.exit_scope(self.id)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.exit();
    }
}

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
    pub async fn run<T>(&self, inside: impl Future<Output = Result<T, Error>>) -> Result<Option<T>, Error> {
        let run = run::current();
        let entered = Entered::new(run.clone(), self.cell.clone());
        let mut inside = pin!(Deep::new(inside));
        let outcome = std::future::poll_fn(|cx| {
            run.follow(entered.id());
            let _within = run.scopes.within(entered.id());
            let polled = inside.as_mut().poll(cx);
            if polled.is_pending() {
                entered.arm();
            }
            polled
        })
        .await;
        entered.close(outcome)
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
        let task = run::try_with(|run| run.strands.current_task()).flatten();
        let task = task.map(|task| task.to_string());
        self.cell.cancel(CancelReason { source: CancelSource::Explicit, text, task });
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

    /// Whether the deadline counts from an entry that is still to come.
    pub fn is_relative(&self) -> bool {
        self.cell.stage.get() == Stage::New && self.cell.relative.get() != f64::INFINITY
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
