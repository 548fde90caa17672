//! The sleep of the loop when no task is runnable, and what happens if nothing ends that sleep early.
//!
//! The loop sleeps in the reactor. It wakes up for an event, for a message, or when the sleep has lasted long enough.
//! In the last case one of these happens:
//!
//! - A deadline has come, and the loop goes on.
//! - Tasks that wait for the run to be idle ([`wait_all_tasks_blocked`](crate::testing::wait_all_tasks_blocked)) are
//!   woken.
//! - A mock clock jumps to the next deadline, if no task waits for the run to be idle.
//! - The run looks for tasks that outlast their cancellation.

use crate::core::{cancel::deadline_table::Expiry, run::Run};

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
    /// Sleeps until the next deadline or event.
    // Apart, so that a tick without a sleep does not make room for it.
    #[inline(never)]
    pub(super) fn sleep(&self) {
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
}
