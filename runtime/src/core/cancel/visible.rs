//! The cancellations that a scope sees, its own and those of the scopes around it.

use crate::core::cancel::{shut_down_state::OnShutDown, state::ScopeState};

/// The cancellations that a scope sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Visible {
    /// It is cancelled, as is all code in it.
    cancelled: bool,
    /// It, or a scope further out, is being shut down.
    shut_down: bool,
    /// It is cancelled by that, since it has not asked to finish.
    stopped: bool,
}

impl Visible {
    /// What a scope sees, if the scope around it sees what is `above`.
    #[inline]
    pub(crate) fn in_scope(scope: &ScopeState, above: Visible) -> Visible {
        let above = if scope.is_shielded() { Visible::default() } else { above };
        let own = scope.shut_down.called.get();
        let told = match scope.shut_down.on_shut_down.get() {
            OnShutDown::AsOutside => above.stopped,
            OnShutDown::Finish => false,
            OnShutDown::Stop => above.shut_down,
        };
        Visible {
            cancelled: scope.called() || above.cancelled,
            shut_down: own || above.shut_down,
            stopped: own || told,
        }
    }

    /// Whether there is a cancellation of any kind.
    pub(crate) fn is_any(self) -> bool {
        self != Visible::default()
    }

    /// Whether code in the scope is stopped by a shutdown, and by nothing else.
    pub(crate) fn is_only_stopped(self) -> bool {
        self.stopped && !self.cancelled
    }

    /// Whether the scope, or one further out, is being shut down.
    pub(crate) fn is_shut_down(self) -> bool {
        self.shut_down
    }

    /// Whether checkpoints in the scope fail.
    #[inline]
    pub(crate) fn is_cancelled(self) -> bool {
        self.cancelled || self.stopped
    }
}
