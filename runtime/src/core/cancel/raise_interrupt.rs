//! Raising an [interrupt](super::interrupt) in the main task.

use crate::{Cancelled, core::run::Run};
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
            if self.deliver(wait, &interrupt) {
                self.interrupt.raise();
                return;
            }
        }
        // The main task may be waiting for the children of a nursery. That is not a wait, so the nursery has to look
        // for the interrupt itself.
        self.notify_nurseries_of(&main);
    }

    /// The pending Ctrl-C, if the code that asks belongs to the main task.
    pub(crate) fn take_interrupt(&self) -> Option<Cancelled> {
        if !self.interrupt.is_pending() || self.tree.current_task().as_ref() != Some(&self.main_task()) {
            return None;
        }
        self.interrupt.raise();
        Some(Cancelled::interrupt())
    }

    /// Takes the Ctrl-C that is still pending when the main task has ended.
    pub(crate) fn unraised_interrupt(&self) -> Option<Cancelled> {
        self.interrupt.pending.replace(false).then(Cancelled::interrupt)
    }

    /// Aborts a wait of the current task that has just begun, if a Ctrl-C came before it.
    pub(crate) fn interrupt_at(&self, wait: crate::core::ids::WaitId) {
        if let Some(interrupt) = self.take_interrupt()
            && !self.deliver(wait, &interrupt)
        {
            self.interrupt.pending.set(true);
        }
    }
}
