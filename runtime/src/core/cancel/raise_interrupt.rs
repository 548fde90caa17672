//! Raising an [interrupt](super::interrupt) in the main task.

use crate::{Cancelled, core::run::Run};
impl Run {
    /// The run is about to sleep: if a Ctrl-C has come and cannot be raised, says why, once. The next one ends the
    /// process then.
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

    /// An interrupt has come: it is raised where the main task is blocked, if it is.
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
        // It may be waiting for the children of a nursery; that is no wait of its own, so the nursery
        // has to look for itself.
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

    /// The Ctrl-C that was never raised, when the main task has ended.
    pub(crate) fn unraised_interrupt(&self) -> Option<Cancelled> {
        self.interrupt.pending.replace(false).then(Cancelled::interrupt)
    }

    /// For a wait of the current task that has just begun: a Ctrl-C that came before aborts it.
    pub(crate) fn interrupt_at(&self, wait: crate::core::ids::WaitId) {
        if let Some(interrupt) = self.take_interrupt()
            && !self.deliver(wait, &interrupt)
        {
            self.interrupt.pending.set(true);
        }
    }
}
