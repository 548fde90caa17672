//! What the loop does between two ticks: it takes messages, looks for events, and expires deadlines.

use crate::{
    CancelReason, CancelSource, InternalError,
    core::{
        cancel::deadlines::Expiry,
        run::{Run, inbox::Message},
    },
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// A sleep that the loop is about to begin.
pub(crate) struct SleepPlan {
    /// Real seconds until the loop must wake up if nothing happens.
    pub(crate) timeout: f64,
    /// The next deadline, by the run's clock.
    next: Option<f64>,
    /// The time, in seconds, after which tasks that wait for the run to be idle are woken if nothing happens.
    cushion: Option<f64>,
    /// Whether the clock jumps to the next deadline if nothing happens.
    jumps: bool,
    /// Whether the run looks for tasks that outlast their cancellation if nothing happens.
    looks: bool,
}

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

    /// Sleeps until the next deadline or event.
    // Apart, so that a tick without a sleep does not make room for it.
    #[inline(never)]
    fn sleep(&self) {
        let plan = self.plan_sleep();
        let heard = if plan.timeout > 0.0 {
            if !self.inbox.try_sleep() {
                return;
            }
            let heard = self.look_at_events(plan.timeout);
            self.inbox.awake();
            heard
        } else {
            self.look_at_events(0.0)
        };
        self.wake_up(&plan, heard);
    }

    /// Plans how long to sleep, and what to do if nothing happens meanwhile.
    pub(crate) fn plan_sleep(&self) -> SleepPlan {
        self.tell_of_interrupt();
        let next = self.deadlines.borrow().next();
        let mut timeout = match next {
            Some(deadline) => self.clock.deadline_to_sleep_time(deadline).max(0.0),
            None => f64::INFINITY,
        };
        // As in trio, tasks that wait for the run to be idle come first, however long they wait. The clock jumps only
        // if there are none.
        let idler = self.idlers.borrow().next();
        let cushion = idler.filter(|&cushion| cushion < timeout);
        timeout = cushion.unwrap_or(timeout);
        let threshold = self.clock.autojump_threshold().filter(|_| idler.is_none() && next.is_some());
        let jump = threshold.filter(|&threshold| threshold < timeout);
        timeout = jump.unwrap_or(timeout);
        let mut plan = SleepPlan { timeout, next, cushion, jumps: jump.is_some(), looks: false };
        if let Some(patience) = self.patience_left().filter(|&patience| patience < timeout) {
            (plan.timeout, plan.looks) = (patience, true);
        }
        plan
    }

    /// Ends a sleep. If nothing happened for long enough, wakes tasks that wait for the run to be idle. If there are
    /// none, lets a mock clock jump.
    pub(crate) fn wake_up(&self, plan: &SleepPlan, heard: bool) {
        self.take_in(self.inbox.take());
        if plan.looks {
            self.look_for_stuck_tasks();
            return;
        }
        if heard || self.has_work() {
            return;
        }
        match (plan.jumps, plan.cushion, plan.next) {
            (true, _, Some(deadline)) => self.clock.autojump(deadline),
            (false, Some(cushion), _) => self.idle_for(cushion),
            _ => {}
        }
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

    /// Wakes all tasks that waited for the run to be idle for at most this long.
    fn idle_for(&self, cushion: f64) {
        loop {
            let due = self.idlers.borrow_mut().pop_due(cushion);
            match due {
                Some(Expiry::Wake(wait)) => drop(self.reschedule(wait)),
                _ => break,
            }
        }
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
        self.tree.note_poll();
        for call in calls {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.context.clone().enter(call))) {
                self.crashed(InternalError::of_panic("a callback of the token panicked", payload));
            }
        }
        any
    }

    fn expire_deadlines(&self) {
        if self.deadlines.borrow().next().is_none() {
            return;
        }
        let now = self.clock.now();
        loop {
            let due = self.deadlines.borrow_mut().pop_due(now);
            match due {
                None => break,
                Some(Expiry::Wake(wait)) => {
                    self.reschedule(wait);
                }
                Some(Expiry::Cancel(scope)) => {
                    if let Some(cell) = self.scopes.cell(scope) {
                        cell.cancel(CancelReason::new(CancelSource::Deadline));
                    }
                }
            }
        }
    }
}
