//! What a run knows of its own [deadlock](crate::core::lowlevel::deadlock).

use crate::Deadlock;
use std::cell::{Cell, RefCell};

/// What a run does when it finds that nothing can wake it; see [`Deadlock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDeadlock {
    /// The main task is cancelled, and the run returns the [`Deadlock`] as its error. This is the default under a
    /// [`MockClock`](crate::testing::MockClock).
    Fail,
    /// The log gets the report, once, at level `warn`. The run sleeps on: Ctrl-C may end it. This is the default
    /// otherwise.
    Log,
    /// Nothing: the run does not look for deadlocks.
    Ignore,
}

/// What a run knows of its own deadlock.
pub(crate) struct DeadlockCheck {
    pub(super) then: OnDeadlock,
    /// Whether the log has the report.
    pub(super) logged: Cell<bool>,
    /// The first deadlock that was found, if it is an error.
    pub(super) found: RefCell<Option<Deadlock>>,
    /// Whether the run stands still again, though the main task was cancelled. Then it ends at once.
    pub(super) hopeless: Cell<bool>,
}

impl DeadlockCheck {
    pub(crate) fn new(then: OnDeadlock) -> DeadlockCheck {
        DeadlockCheck {
            then,
            logged: Cell::new(false),
            found: RefCell::default(),
            hopeless: Cell::new(false),
        }
    }

    /// Whether the run ends though its main task has not ended.
    #[inline]
    pub(crate) fn is_hopeless(&self) -> bool {
        self.hopeless.get()
    }

    /// The deadlock that is the run's error.
    pub(crate) fn take(&self) -> Option<Deadlock> {
        self.found.take()
    }
}
