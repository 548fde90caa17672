//! Changing a scope: cancelling it, moving its deadline, setting its shield, and telling the run in which it is
//! entered.

use crate::{
    CancelReason, CancelSource,
    core::{
        cancel::{
            deadline_table::Expiry,
            state::{ScopeStage, ScopeState},
        },
        ids::{RunId, ScopeId},
        run,
        run::Run,
    },
};
use std::{rc::Rc, sync::Arc};
impl ScopeState {
    pub(crate) fn new() -> Rc<ScopeState> {
        let spare = run::try_with(|run| run.scopes.spare()).flatten();
        spare.unwrap_or_else(|| Rc::new(ScopeState::fresh()))
    }

    /// Calls `f` with the run in which the scope is entered, if it is entered and that run has not ended.
    pub(crate) fn entered<R>(&self, f: impl FnOnce(&Run, ScopeId) -> R) -> Option<R> {
        let ScopeStage::Entered(of_run, id) = self.stage.get() else { return None };
        run::with_run(of_run, |run| f(run, id))
    }

    /// Notes that the scope was entered by code that takes it out of the tree itself, and not by an
    /// [`Entered`](crate::core::cancel::enter::Entered).
    pub(crate) fn entered_as(&self, of_run: RunId, id: ScopeId) {
        self.stage.set(ScopeStage::Entered(of_run, id));
    }

    pub(crate) fn cancel(&self, reason: CancelReason) {
        if self.called.replace(true) {
            return;
        }
        self.inherit_reason(Some(Arc::new(reason)));
        self.update_timer();
        self.entered(Run::recalculate);
    }

    /// Raises or lowers the shield. What the scope sees of outer cancellations changes at once.
    pub(crate) fn set_shield(&self, shield: bool) {
        self.shield.set(shield);
        self.entered(Run::recalculate);
    }

    /// Updates the scope's entry in the run's table of deadlines.
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

    /// Cancels the scope if its deadline has passed.
    pub(crate) fn check_deadline(&self, now: impl FnOnce() -> f64) {
        let open = self.stage.get() != ScopeStage::Exited && !self.called.get();
        if open && self.deadline.get() < f64::INFINITY && now() >= self.deadline.get() {
            self.cancel(CancelReason::new(CancelSource::Deadline));
        }
    }
}
