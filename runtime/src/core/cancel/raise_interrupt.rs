//! Raising an [interrupt](super::interrupt) in the main task.

use crate::{
    Cancelled,
    core::{ids::WaitId, run::Run},
};
impl Run {
    /// Logs why a Ctrl-C that has come cannot be raised, once. The run calls this before it sleeps. After that the
    /// next Ctrl-C ends the process.
    #[inline]
    pub(crate) fn tell_of_interrupt(&self) {
        let interrupt = &self.interrupt;
        if (interrupt.is_pending() || interrupt.is_held()) && !interrupt.told.get() {
            self.tell_what_interrupt_waits_for();
        }
    }

    #[cold]
    fn tell_what_interrupt_waits_for(&self) {
        let interrupt = &self.interrupt;
        let foreign = self.tasks_that_await_foreign();
        let why = match foreign.first() {
            Some(task) => format!(
                "task {task} awaits a future of another library, which cannot be cancelled (`terzetto::cancellable` \
                 around that future lets it be)"
            ),
            // A nursery of the main task holds the interrupt until its children have ended in their own way. A second
            // Ctrl-C would be pending.
            None if interrupt.is_held() && !interrupt.is_pending() => return,
            None => match self.blocked_in(&self.main_task()).first() {
                Some(what) => format!("the main task is {what}, which cannot be cancelled"),
                None => "the main task waits for the tasks of a nursery to end".to_owned(),
            },
        };
        interrupt.told.set(true);
        log::warn!("Ctrl-C has come and {why}; another Ctrl-C ends the process");
    }

    /// Notes that an interrupt has come. If the main task is blocked, raises it there.
    pub(crate) fn interrupt_main(&self) {
        self.interrupt.told.set(false);
        self.interrupt.pending.set(true);
        let main = self.main_task();
        let interrupt = Cancelled::interrupt();
        for wait in self.waits_of(&main) {
            let aborted = self.deliver(wait, &interrupt);
            if aborted {
                self.interrupt.raise();
            }
            // An abort function that refuses may keep the interrupt and return it later.
            if !self.interrupt.is_pending() {
                return;
            }
            // A call of `start` looks for the interrupt itself, so it must be polled.
            self.wake_to_look(wait);
        }
        // The main task may be waiting for the children of a nursery. That is not a wait, so the nursery has to look
        // for the interrupt itself.
        self.notify_nurseries_of(&main);
    }

    /// Whether an interrupt is pending, and the code that asks belongs to the main task.
    fn interrupt_is_here(&self) -> bool {
        self.interrupt.is_pending() && self.tree.current_task().as_ref() == Some(&self.main_task())
    }

    /// The pending interrupt, if the code that asks belongs to the main task.
    pub(crate) fn take_interrupt(&self) -> Option<Cancelled> {
        self.interrupt_is_here().then(|| {
            self.interrupt.raise();
            Cancelled::interrupt()
        })
    }

    /// Takes the Ctrl-C that is still pending when the main task has ended.
    pub(crate) fn unraised_interrupt(&self) -> Option<Cancelled> {
        self.interrupt.pending.replace(false).then(Cancelled::interrupt)
    }

    /// Raises a pending interrupt in a wait of the current task that has just begun. If the wait refuses, the interrupt
    /// stays pending, unless the abort function has taken it.
    pub(crate) fn interrupt_at(&self, wait: WaitId) {
        if self.interrupt_is_here() && self.deliver(wait, &Cancelled::interrupt()) {
            self.interrupt.raise();
        }
    }

    /// Whether an interrupt is pending, or a signal has come of which the run has not heard yet.
    #[inline]
    pub(crate) fn interrupt_may_be_here(&self) -> bool {
        self.interrupt.is_pending() || self.inbox.has_signals()
    }
}
