//! An interrupt: an error that comes from outside and is raised once, in the main task.
//!
//! Ctrl-C is one, if nobody else handles it. The core does not know where an interrupt comes from;
//! [`signal`](crate::signal) makes one from a signal. An interrupt that has come is *pending* until it is raised. The
//! first of these raises it:
//!
//! - a wait of the main task, which it aborts,
//! - the main task's next checkpoint,
//! - the end of a nursery for which the main task waits,
//! - [`start`](crate::Nursery::start), if the main task waits in it.
//!
//! If it is still pending when the main task has ended, the
//! run returns it.

use std::cell::Cell;

/// The interrupt of a run, and how far it has come.
#[derive(Default)]
pub(crate) struct Interrupt {
    /// Whether an interrupt has come that has not been raised yet.
    pub(crate) pending: Cell<bool>,
    /// Whether one was raised in this run.
    raised: Cell<bool>,
    /// Whether a nursery, or a call of `start`, has the interrupt among its errors and has yet to return it.
    held: Cell<bool>,
    /// Whether the log has said what the interrupt waits for. Then the next one ends the process.
    pub(crate) told: Cell<bool>,
}

impl Interrupt {
    #[inline]
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.get()
    }

    /// Whether any was raised in this run.
    #[inline]
    pub(crate) fn was_raised(&self) -> bool {
        self.raised.get()
    }

    pub(crate) fn raise(&self) {
        self.pending.set(false);
        self.raised.set(true);
    }

    /// Notes that an operation returns an interrupt whose abort was refused, so that it had stayed pending. It is
    /// raised now.
    pub(crate) fn was_taken(&self) {
        if self.pending.get() {
            self.raise();
        }
    }

    /// Whether a nursery has one among its errors, and has yet to return it.
    pub(crate) fn is_held(&self) -> bool {
        self.held.get()
    }

    pub(crate) fn hold(&self, held: bool) {
        self.held.set(held);
    }

    /// Whether an interrupt has come that cannot be raised, and the log has said so.
    pub(crate) fn is_stuck(&self) -> bool {
        self.told.get() && (self.is_pending() || self.is_held())
    }
}
