//! Deadlocks: a run that nothing can wake says so.
//!
//! When no task is runnable and there is no deadline, the run is about to sleep for ever, unless something outside wakes
//! it. At that moment, and only then, it counts what could:
//!
//! | what | how it is known |
//! |---|---|
//! | a descriptor | a task waits for one in the [reactor](crate::core::block::reactor) |
//! | a worker thread, a signal receiver | the [extension](crate::core::run::extensions) says so |
//! | a process | its end is a descriptor |
//! | a token | tokens are [counted](crate::core::run::inbox::Inbox::has_tokens) |
//! | a foreign future | clones of the run's wakers are [counted](crate::core::poll_tree::clones) |
//! | the host of a guest run | a guest is never called deadlocked |
//!
//! If there is nothing of this kind, no code will ever run again on this loop. So there is no false alarm. Ctrl-C does
//! not count, since it could end every program. The other way round, something of this kind may exist and never do
//! anything. Then the run is not called deadlocked, and
//! [`blocked_report`](crate::core::lowlevel::blocked_report::blocked_report) tells more.
//!
//! The counts are looked at first and the messages last. Whoever wakes a run first sends the message and then gives up
//! the token or the waker. So a message that was sent before the last of them was gone is seen.

use crate::{
    CancelReason, CancelSource, Deadlock,
    core::{
        lowlevel::{blocked_report, deadlock_state::OnDeadlock},
        poll_tree::clones,
        run::{Run, extensions::DumpReason},
    },
};
impl Run {
    /// What outside the tasks may wake the run, other than a deadline.
    pub(crate) fn outside(&self) -> Vec<&'static str> {
        let mut all = self.extensions.may_wake();
        let mut also = |is_there: bool, what| all.extend(is_there.then_some(what));
        also(self.reactor.anybody_waits(), "a task waits for a descriptor");
        also(self.inbox.has_tokens(), "a token of the run exists");
        also(clones::are_there(self.id), "a waker of the run is held by something foreign");
        also(self.guest.get(), "the run is a guest, and its host may do anything");
        all
    }

    /// Looks whether nothing can wake the run, which is about to sleep without a limit. If so, does what it is to do
    /// then. Returns whether the run is to end because of that, and not to sleep.
    #[cold]
    pub(crate) fn look_for_deadlock(&self) -> bool {
        let check = &self.deadlock;
        if check.then == OnDeadlock::Ignore || check.logged.get() {
            return false;
        }
        // Messages come last: see above.
        if !self.outside().is_empty() || self.inbox.has_messages() || self.has_work() {
            return false;
        }
        let waits_for_time = self.deadlines.borrow().next().is_some();
        if waits_for_time && !self.clock.is_for_tests() {
            return false;
        }
        if check.found.borrow().is_some() {
            check.hopeless.set(true);
            return true;
        }
        let report = blocked_report::of_deadlock(&self.survey(), waits_for_time);
        self.extensions.each(|extension| extension.dump(DumpReason::Deadlock));
        if check.then == OnDeadlock::Log {
            check.logged.set(true);
            log::warn!("{report}");
            return false;
        }
        log::error!("{report}");
        let text = "the run is deadlocked; its error has the report";
        check.found.replace(Some(Deadlock::new(report)));
        self.main_scope.cancel(CancelReason::with_text(CancelSource::Deadlock, text));
        // Tasks that outlast this cancellation are not waited for, so there is no need to look for them.
        self.stuck_check.disarm();
        true
    }
}
