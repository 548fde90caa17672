//! The state of a cancel scope: what its handles, its node in the tree and its entry share.

use crate::{
    CancelReason, CancelSource,
    core::{
        cancel::{
            deadlines::{DeadlineKey, Expiry},
            tree::ScopeId,
        },
        poll_tree::waker::RunId,
        run,
        run::Run,
    },
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stage {
    New,
    Entered(RunId, ScopeId),
    Exited,
}

/// The state of a scope, shared by its handles and its node in the tree.
pub(crate) struct ScopeCell {
    pub(crate) stage: Cell<Stage>,
    pub(crate) deadline: Cell<f64>,
    /// Seconds from entry, if the deadline was given so.
    pub(crate) relative: Cell<f64>,
    pub(crate) timer: Cell<Option<DeadlineKey>>,
    pub(crate) shield: Cell<bool>,
    pub(crate) called: Cell<bool>,
    pub(crate) caught: Cell<bool>,
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
    pub(crate) fn entered<R>(&self, f: impl FnOnce(&Run, ScopeId) -> R) -> Option<R> {
        let Stage::Entered(of_run, id) = self.stage.get() else { return None };
        run::with_run(of_run, |run| f(run, id))
    }

    /// It has been entered, by who takes it out of the tree again: this is no [`Entered`](crate::core::cancel::entered::Entered).
    pub(crate) fn entered_as(&self, of_run: RunId, id: ScopeId) {
        self.stage.set(Stage::Entered(of_run, id));
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
    pub(crate) fn update_timer(&self) {
        if let Some(timer) = self.timer.take() {
            self.entered(|run, _| run.deadlines.borrow_mut().remove(timer));
        }
        if !self.called.get() && self.deadline.get() != f64::INFINITY {
            let timer = self
                .entered(|run, id| run.deadlines.borrow_mut().add(self.deadline.get(), Expiry::Cancel(id)));
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

    pub(crate) fn check_deadline(&self, now: impl FnOnce() -> f64) {
        let open = self.stage.get() != Stage::Exited && !self.called.get();
        if open && self.deadline.get() < f64::INFINITY && now() >= self.deadline.get() {
            self.cancel(CancelReason::new(CancelSource::Deadline));
        }
    }
}
