//! What the loop does between two ticks: it takes messages, looks for events, makes calls, and lets deadlines pass.
//! If nothing is runnable, it [sleeps](crate::core::run::sleep) first.

use crate::core::run::Run;
use std::time::Duration;

impl Run {
    /// Does all that is to be done between two ticks. Sleeps if there is nothing to do.
    #[inline]
    pub(crate) fn do_between_ticks(&self) {
        self.take_messages();
        if !self.has_work() {
            self.sleep();
        }
        self.do_without_sleep();
    }

    /// Does all that is to be done between two ticks, without a sleep.
    pub(crate) fn do_without_sleep(&self) {
        self.take_messages();
        if self.must_look_at_events() {
            self.look_at_events(0.0);
        }
        if !self.calls.borrow().is_empty() {
            self.make_calls();
        }
        self.expire_deadlines();
    }

    pub(crate) fn must_look_at_events(&self) -> bool {
        self.tree.polls_since_look() >= self.instruments.polls_per_look()
            && (self.reactor.anybody_waits() || self.instruments.are_there())
    }

    pub(crate) fn has_work(&self) -> bool {
        self.tree.root_ready.get() || !self.calls.borrow().is_empty()
    }

    /// Waits up to `timeout` seconds for the operating system's events, and wakes the tasks that waited for them.
    pub(crate) fn look_at_events(&self, timeout: f64) -> bool {
        self.instruments.tell(|instrument| instrument.before_io_wait(timeout));
        // What a hook has woken does not wait.
        let ends = timeout == f64::INFINITY && !self.has_work() && self.look_for_deadlock();
        let heard = self.wait_for_events(if ends || self.has_work() { 0.0 } else { timeout });
        self.instruments.tell(|instrument| instrument.after_io_wait(timeout));
        heard
    }

    /// As [`Run::look_at_events`], without telling instruments.
    pub(crate) fn wait_for_events(&self, timeout: f64) -> bool {
        let limit = (timeout < 1e6).then(|| Duration::from_secs_f64(timeout));
        let heard = self.reactor.wait(limit, |waits| self.reschedule_all(waits));
        self.tree.looked();
        heard
    }
}
