//! Ctrl-C without a receiver: an error in the main task.
//!
//! What it does is told in the [module's documentation](super). A Ctrl-C that has come is *pending*
//! until it is raised: by aborting a wait of the main task, at the end of a nursery that the main task
//! waits at, or at the main task's next checkpoint. One that is still pending when the main task has
//! ended is what the run returns.

use super::{Signal, disposition};
use crate::{Cancelled, core::run::Run};
use std::cell::Cell;

/// The state of Ctrl-C in a run.
#[derive(Default)]
pub(crate) struct Interrupt {
    /// Whether this run is the one that Ctrl-C goes to.
    claimed: Cell<bool>,
    /// It has come and was not raised yet.
    pending: Cell<bool>,
}

impl Interrupt {
    #[inline]
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.get()
    }
}

impl Run {
    /// Takes Ctrl-C over, if nobody else has.
    pub(crate) fn claim_interrupt(&self) {
        if disposition::is_default(Signal::INT) {
            match disposition::claim(Signal::INT, &self.inbox) {
                Ok(()) => self.signals.interrupt.claimed.set(true),
                Err(error) => log::warn!("Ctrl-C will end the process at once: {error}"),
            }
        }
    }

    pub(crate) fn release_interrupt(&self) {
        if self.signals.interrupt.claimed.replace(false) {
            disposition::release(Signal::INT, &self.inbox);
        }
    }

    /// What a signal does in a run that has no receiver open for it.
    pub(super) fn signal_without_receiver(&self, signal: Signal) {
        if signal == Signal::INT && self.signals.interrupt.claimed.get() {
            self.signals.interrupt.pending.set(true);
            self.interrupt_blocked_main();
        } else if signal == Signal::USR1
            && let Some(dump) = self.signals.dump.get()
        {
            dump();
        }
    }

    /// Raises a pending Ctrl-C where the main task is blocked, if it is.
    fn interrupt_blocked_main(&self) {
        let main = self.main_task();
        let interrupt = Cancelled::interrupt();
        for wait in self.waits_of(&main) {
            if self.deliver(wait, &interrupt) {
                self.signals.interrupt.pending.set(false);
                return;
            }
        }
        // It may be waiting for the children of a nursery; that is no wait of its own, so the nursery
        // has to look for itself.
        self.strands.tell_nurseries_of(&main);
    }

    /// The pending Ctrl-C, if the code that asks belongs to the main task.
    pub(crate) fn take_interrupt(&self) -> Option<Cancelled> {
        if !self.signals.interrupt.is_pending()
            || self.strands.current_task().as_ref() != Some(&self.main_task())
        {
            return None;
        }
        self.signals.interrupt.pending.set(false);
        Some(Cancelled::interrupt())
    }

    /// The Ctrl-C that was never raised, when the main task has ended.
    pub(crate) fn unraised_interrupt(&self) -> Option<Cancelled> {
        self.signals.interrupt.pending.replace(false).then(Cancelled::interrupt)
    }

    /// For a wait of the current task that has just begun: a Ctrl-C that came before aborts it.
    pub(crate) fn interrupt_at(&self, wait: crate::core::wait::WaitId) {
        if let Some(interrupt) = self.take_interrupt()
            && !self.deliver(wait, &interrupt)
        {
            self.signals.interrupt.pending.set(true);
        }
    }
}
