//! An interrupt: an error that comes from outside and is raised in the main task, once.
//!
//! That is what Ctrl-C does, if nobody else handles it. Where it comes from is not the core's affair: a
//! signal, for [`signal`](crate::signal). An interrupt that has come is *pending* until it is raised: by aborting a wait of
//! the main task, at the end of a nursery that the main task waits at, or at the main task's next checkpoint. One
//! that is still pending when the main task has ended is what the run returns.

use std::cell::Cell;

/// The state of Ctrl-C in a run.
#[derive(Default)]
pub(crate) struct Interrupt {
    /// It has come and was not raised yet.
    pub(crate) pending: Cell<bool>,
    /// Whether one was raised in this run.
    raised: Cell<bool>,
    /// It is an error of a nursery, which hands it on when its tasks have ended.
    held: Cell<bool>,
    /// The log says what it waits for: the next one ends the process.
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

    /// Whether a nursery has one among its errors, and has yet to hand it on.
    pub(crate) fn is_held(&self) -> bool {
        self.held.get()
    }

    pub(crate) fn hold(&self, held: bool) {
        self.held.set(held);
    }

    /// Whether one has come that cannot be raised, and the log says so.
    pub(crate) fn is_stuck(&self) -> bool {
        self.told.get() && (self.is_pending() || self.is_held())
    }
}
