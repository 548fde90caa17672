//! The state of a cancel scope. Its handles, its entry in the scope tree and the future inside it share this state.
//!
//! It is plain data, below the scope tree. The functions that change it and have to tell the run are in
//! [`control`](super::control).

use crate::{
    CancelReason, CancelSource,
    core::{
        cancel::{deadline_table::DeadlineKey, shut_down_state::ShutDownState},
        ids::{RunId, ScopeId},
    },
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ScopeStage {
    New,
    Entered(RunId, ScopeId),
    Exited,
}

/// The state of a scope, shared by its handles and its entry in the scope tree.
pub(crate) struct ScopeState {
    pub(crate) stage: Cell<ScopeStage>,
    pub(crate) deadline: Cell<f64>,
    /// The deadline in seconds from entry, if it was given so.
    pub(crate) relative: Cell<f64>,
    pub(crate) timer: Cell<Option<DeadlineKey>>,
    pub(crate) shield: Cell<bool>,
    pub(crate) called: Cell<bool>,
    pub(crate) caught: Cell<bool>,
    reason: RefCell<Option<Arc<CancelReason>>>,
    pub(crate) shut_down: ShutDownState,
}

impl ScopeState {
    /// The state of a scope that nobody has entered or steered yet.
    pub(crate) fn fresh() -> ScopeState {
        ScopeState {
            stage: Cell::new(ScopeStage::New),
            deadline: Cell::new(f64::INFINITY),
            relative: Cell::new(f64::INFINITY),
            timer: Cell::new(None),
            shield: Cell::new(false),
            called: Cell::new(false),
            caught: Cell::new(false),
            reason: RefCell::new(None),
            shut_down: ShutDownState::default(),
        }
    }

    /// Makes a used state as good as new, unless somebody still has a handle to it.
    pub(crate) fn renew(mut used: Rc<ScopeState>) -> Option<Rc<ScopeState>> {
        *Rc::get_mut(&mut used)? = ScopeState::fresh();
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

    /// Takes over the reason of the scope above, unless this scope has a reason already.
    pub(crate) fn inherit_reason(&self, reason: Option<Arc<CancelReason>>) {
        let mut own = self.reason.borrow_mut();
        if own.is_none() {
            *own = reason;
        }
    }

    /// Whether the scope is cancelled. If its deadline has passed, cancels it first.
    pub(crate) fn called_by(&self, now: f64) -> bool {
        if !self.called.get() && self.deadline.get() <= now {
            self.called.set(true);
            self.inherit_reason(Some(Arc::new(CancelReason::new(CancelSource::Deadline))));
        }
        self.called.get()
    }

    /// Describes the scope for debugging. The text is empty for a scope with no deadline, shield or cancellation.
    pub(crate) fn describe(&self, now: f64) -> String {
        let mut words = Vec::new();
        if self.called.get() {
            let reason = self.reason().map(|reason| reason.to_string());
            words.push(reason.unwrap_or_else(|| "cancelled".to_owned()));
        } else if self.shut_down.called.get() {
            words.push(format!("shutting down within {:.3} s", self.deadline.get() - now));
        } else if self.deadline.get() < f64::INFINITY {
            words.push(format!("deadline in {:.3} s", self.deadline.get() - now));
        }
        if self.shield.get() {
            words.push("shielded".to_owned());
        }
        words.join(", ")
    }
}
