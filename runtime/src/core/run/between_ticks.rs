//! What the loop does between two ticks: it takes messages, looks for events, makes calls, and lets deadlines pass.
//! If nothing is runnable, it [sleeps](crate::core::run::sleep) first.

use crate::{
    InternalError,
    core::run::{Run, inbox::Message},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

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

    /// Gives the signals that have come to their handler.
    pub(crate) fn take_signals(&self) {
        match self.inbox.take_signals() {
            0 => {}
            set => {
                if let Some(handle) = self.on_signals.get() {
                    handle(self, set);
                }
            }
        }
    }

    /// Takes what other threads and signal handlers have sent.
    #[inline]
    fn take_messages(&self) {
        if self.inbox.has_messages() {
            self.take_mail_now();
        }
    }

    #[cold]
    fn take_mail_now(&self) {
        self.take_in(self.inbox.take());
        self.take_signals();
    }

    pub(crate) fn has_work(&self) -> bool {
        self.tree.root_ready.get() || !self.calls.borrow().is_empty()
    }

    /// Waits up to `timeout` seconds for the operating system's events, and wakes the tasks that waited for them.
    pub(crate) fn look_at_events(&self, timeout: f64) -> bool {
        self.instruments.tell(|instrument| instrument.before_io_wait(timeout));
        // What a hook has woken does not wait.
        let heard = self.wait_for_events(if self.has_work() { 0.0 } else { timeout });
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

    /// Takes messages that came through the inbox. A message may panic, such as the token of a limiter when it is
    /// dropped. The messages after it are still taken.
    pub(crate) fn take_in(&self, mut messages: impl Iterator<Item = Message>) {
        let mut take_all = || {
            for message in &mut messages {
                match message {
                    Message::Wake(node) => {
                        self.inbox.hear_wake(node);
                        self.wake(node);
                    }
                    Message::Call(call) => self.calls.borrow_mut().push_back(call),
                    Message::Notice(notice) => notice.heard(),
                }
            }
        };
        while let Err(payload) = catch_unwind(AssertUnwindSafe(&mut take_all)) {
            self.crashed(InternalError::of_panic("the token of a limiter panicked", payload));
        }
    }

    /// Makes the calls that are queued now, each in a copy of the context in which the run was started. Calls that
    /// they queue are made the next time.
    pub(crate) fn make_calls(&self) -> bool {
        let calls = self.calls.take();
        let any = !calls.is_empty();
        // Calls count as a poll, so that events are looked at even if no task is polled.
        self.tree.note_polls(1);
        for call in calls {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.context.clone().enter(call))) {
                self.crashed(InternalError::of_panic("a callback of the token panicked", payload));
            }
        }
        any
    }
}
