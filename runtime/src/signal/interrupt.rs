//! Ctrl-C without a receiver: an error in the main task.
//!
//! What it does is told in the [module's documentation](super). A Ctrl-C that has come is *pending*
//! until it is raised: by aborting a wait of the main task, at the end of a nursery or in a call of `start` that the
//! main task waits at, or at the main task's next checkpoint. One that is still pending when the run has ended is what
//! the run returns.
//!
//! A wait may refuse to be aborted. Then the Ctrl-C stays pending, unless whoever was handed it makes an error of it
//! later: that is how it is raised then, and it is not raised a second time.

use crate::{
    Cancelled,
    core::{block::wait::WaitId, run::Run},
    signal::{Signal, disposition},
};
use std::cell::Cell;

/// The state of Ctrl-C in a run.
#[derive(Default)]
pub(crate) struct Interrupt {
    /// Whether this run is the one that Ctrl-C goes to.
    claimed: Cell<bool>,
    /// It has come and was not raised yet.
    pending: Cell<bool>,
    /// Whether one was raised in this run.
    raised: Cell<bool>,
    /// It is an error of a nursery, which hands it on when its tasks have ended.
    held: Cell<bool>,
    /// The log says what it waits for: the next one ends the process.
    told: Cell<bool>,
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

    fn raise(&self) {
        self.pending.set(false);
        self.raised.set(true);
    }

    /// Somebody has made an error of a Ctrl-C that could not abort a wait and so has stayed pending: it is raised now.
    pub(crate) fn was_taken(&self) {
        if self.pending.get() {
            self.raise();
        }
    }

    /// Whether a nursery has one among its errors, and has yet to hand it on.
    pub(crate) fn is_held(&self) -> bool {
        self.held.get()
    }

    pub(crate) fn hold(&self, held: bool) {
        self.held.set(held);
    }
}

impl Run {
    /// Takes Ctrl-C over, if nobody else has.
    pub(crate) fn claim_interrupt(&self) {
        if disposition::is_default(Signal::INT) {
            match disposition::claim(Signal::INT, &self.inbox) {
                Ok(()) => {
                    self.signals.interrupt.claimed.set(true);
                    self.watch_unheard_interrupts();
                }
                Err(error) => log::warn!("Ctrl-C will end the process at once: {error}"),
            }
        }
    }

    /// Gives Ctrl-C back. One that came up to this moment is pending: the run's end is not to swallow it.
    pub(crate) fn release_interrupt(&self) {
        if self.signals.interrupt.claimed.replace(false) {
            self.watch_unheard_interrupts();
            disposition::release(Signal::INT, &self.inbox);
            let came = self.inbox.take_signals() & Signal::INT.bit() != 0;
            if came && !self.signals.receivers.deliver(Signal::INT) {
                self.signals.interrupt.pending.set(true);
            }
        }
    }

    /// Ctrl-C has become an error of the main task, or is that no more.
    pub(super) fn watch_unheard_interrupts(&self) {
        let signals = &self.signals;
        self.inbox
            .unheard
            .watch(signals.interrupt.claimed.get() && !signals.receivers.are_open_for(Signal::INT));
    }

    /// What a signal does in a run that has no receiver open for it.
    pub(super) fn signal_without_receiver(&self, signal: Signal) {
        let interrupt = &self.signals.interrupt;
        if signal == Signal::INT && interrupt.claimed.get() {
            if interrupt.told.get() && (interrupt.is_pending() || interrupt.is_held()) {
                log::warn!("a second Ctrl-C ends the process");
                disposition::end_process(Signal::INT);
            }
            interrupt.told.set(false);
            interrupt.pending.set(true);
            self.interrupt_blocked_main();
        } else if signal == Signal::USR1
            && let Some(dump) = self.signals.dump.get()
        {
            dump();
        }
    }

    /// The run is about to sleep: if a Ctrl-C has come and cannot be raised, says why, once. The next one ends the
    /// process then.
    #[inline]
    pub(crate) fn tell_of_interrupt(&self) {
        let interrupt = &self.signals.interrupt;
        if (interrupt.is_pending() || interrupt.is_held()) && !interrupt.told.get() {
            self.tell_what_interrupt_waits_for();
        }
    }

    #[cold]
    fn tell_what_interrupt_waits_for(&self) {
        let interrupt = &self.signals.interrupt;
        let foreign = self.tasks_that_await_foreign();
        let why = match foreign.first() {
            Some(task) => format!(
                "task {task} awaits a future of another library, which cannot be cancelled (`terzetto::cancellable` \
                 around that future lets it be)"
            ),
            // Its nursery waits for children that are ending in their own way. If a second one comes, that is pending.
            None if interrupt.is_held() && !interrupt.is_pending() => return,
            None => match self.blocked_in(&self.main_task()).first() {
                Some(what) => format!("the main task is {what}, which cannot be cancelled"),
                None => "the main task waits for the tasks of a nursery to end".to_owned(),
            },
        };
        interrupt.told.set(true);
        log::warn!("Ctrl-C has come and {why}; another Ctrl-C ends the process");
    }

    /// Raises a pending Ctrl-C where the main task is blocked, if it is.
    fn interrupt_blocked_main(&self) {
        let main = self.main_task();
        let interrupt = Cancelled::interrupt();
        for wait in self.waits_of(&main) {
            let aborted = self.deliver(wait, &interrupt);
            if aborted {
                self.signals.interrupt.raise();
            }
            // An abort function that refuses may have taken it all the same, for later.
            if !self.signals.interrupt.is_pending() {
                return;
            }
            // What looks for itself, as a call of `start` does, must be polled.
            self.wake_to_look(wait);
        }
        // It may be waiting for the children of a nursery; that is no wait of its own, so the nursery
        // has to look for itself.
        self.tree.notify_nurseries_of(&main);
    }

    /// Whether a Ctrl-C is pending, and the code that asks belongs to the main task.
    fn interrupt_is_here(&self) -> bool {
        self.signals.interrupt.is_pending() && self.tree.current_task().as_ref() == Some(&self.main_task())
    }

    /// The pending Ctrl-C, if the code that asks belongs to the main task.
    pub(crate) fn take_interrupt(&self) -> Option<Cancelled> {
        self.interrupt_is_here().then(|| {
            self.signals.interrupt.raise();
            Cancelled::interrupt()
        })
    }

    /// The Ctrl-C that was never raised, when the main task has ended.
    pub(crate) fn unraised_interrupt(&self) -> Option<Cancelled> {
        self.signals.interrupt.pending.replace(false).then(Cancelled::interrupt)
    }

    /// For a wait of the current task that has just begun: a Ctrl-C that came before aborts it. If it does not, it stays
    /// pending, unless the abort function has taken it.
    pub(crate) fn interrupt_at(&self, wait: WaitId) {
        if self.interrupt_is_here() && self.deliver(wait, &Cancelled::interrupt()) {
            self.signals.interrupt.raise();
        }
    }

    /// Whether a Ctrl-C is pending, or a signal has come of which the run has not heard yet.
    #[inline]
    pub(crate) fn interrupt_may_be_here(&self) -> bool {
        self.signals.interrupt.is_pending() || self.inbox.has_signals()
    }
}
