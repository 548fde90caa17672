//! Ctrl-C without a receiver: an [interrupt](crate::core::cancel::interrupt) of the main task.
//!
//! The [module's documentation](super) says what Ctrl-C does. This module has how a run takes over Ctrl-C, and what a
//! signal does if no receiver is open for it.

use super::{Signal, Signals, handler, unheard};
use crate::core::run::{self, Run};

impl Signals {
    /// Takes over Ctrl-C, unless other code handles it already.
    pub(crate) fn claim_interrupt(&self) {
        if handler::is_default(Signal::INT) {
            match handler::claim(Signal::INT, &self.inbox) {
                Ok(()) => {
                    self.claims_interrupt.set(true);
                    self.watch_unheard_interrupts();
                }
                Err(error) => log::warn!("Ctrl-C will end the process at once: {error}"),
            }
        }
    }

    /// Gives Ctrl-C back. A Ctrl-C that came until this moment is pending, since the end of the run must not swallow
    /// it.
    pub(super) fn release_interrupt(&self) {
        if self.claims_interrupt.replace(false) {
            self.watch_unheard_interrupts();
            handler::release(Signal::INT, &self.inbox);
            let came = self.inbox.take_signals() & Signal::INT.bit() != 0;
            if came && !self.receivers.deliver(Signal::INT) {
                run::with(|run| run.interrupt.pending.set(true));
            }
        }
    }

    /// Notes whether Ctrl-C is an error of the main task from now on.
    pub(super) fn watch_unheard_interrupts(&self) {
        let watches = self.claims_interrupt.get() && !self.receivers.are_open_for(Signal::INT);
        unheard::watch(&self.inbox.interrupted, watches);
    }

    /// What a signal does in a run that has no receiver open for it.
    pub(super) fn without_receiver(&self, run: &Run, signal: Signal) {
        if signal == Signal::INT && self.claims_interrupt.get() {
            if run.interrupt.is_stuck() {
                log::warn!("a second Ctrl-C ends the process");
                handler::end_process(Signal::INT);
            }
            run.interrupt_main();
        } else if signal == Signal::USR1
            && let Some(dump) = self.dump.get()
        {
            dump();
        }
    }
}
