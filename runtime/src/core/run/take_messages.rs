//! How the loop takes what other threads and signal handlers have sent through the [inbox](crate::core::run::inbox).
//!
//! A wake makes a node runnable. A notice is delivered at once. A call waits in a queue until its turn between two ticks.

use crate::{
    InternalError,
    core::run::{Run, inbox::Message},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Run {
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
    pub(super) fn take_messages(&self) {
        if self.inbox.has_messages() {
            self.take_messages_now();
        }
    }

    #[cold]
    fn take_messages_now(&self) {
        self.take_in(self.inbox.take());
        self.take_signals();
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
