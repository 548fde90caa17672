//! The fast path: a tick that begins where the last one ended. A reader may skip it.
//!
//! Futures are polled from the top downwards. So to poll a task that is nested N deep takes N polls. Often only a few
//! tasks of one nursery are runnable, because they talk to each other. Then the way down to them and up again would
//! be most of the work. So when a nursery has polled what was due, it asks whether the next tick would poll only
//! this nursery. If so, the next tick begins inside the nursery. Without this, a yield at depth 100 takes 80 times as
//! long, and one at depth 1 twice as long (`benches/run --only nest-yield`).
//!
//! The [run loop](crate::core::run::run_loop) does the same with the nursery that it polls itself. That takes a fifth
//! off the instructions of a yield of the main task (`benches/instructions`).
//!
//! No program must be able to see the difference. That holds under these conditions:
//!
//! - Nothing is queued anywhere else. Every queued node stands in this nursery's queue, or is below a node that does.
//! - No node on the poll path was woken itself, or has a second nursery to poll. Such a node may have more to do when
//!   the poll comes back to it in this very tick. It may be polling the other arm of a `join!`, and ticks that begin
//!   down here would starve that arm.
//! - There is nothing to do between two ticks: no message, signal or call has come, no deadline has passed, and it is
//!   not time to look for the system's events. With an instrument installed it is always time, so every tick goes
//!   through the run loop.
//! - Every scope on the poll path that has a deadline has it in the table of deadlines. A scope enters its deadline
//!   there only when its first poll is over. Until then the table cannot tell whether that deadline has passed.
//! - No Ctrl-C is pending. The main task may wait at the end of a nursery above, which looks for a Ctrl-C when its poll
//!   ends.
//! - The run is not a guest of another loop. Its host wants the thread back after each tick.

use crate::core::{poll_tree::nursery_node::NurseryNode, run::Run};

impl Run {
    /// Begins the next tick inside the poll of a nursery, if going up to the run loop and down again would do the
    /// same.
    #[inline]
    pub(crate) fn tick_in_place(&self, nursery: &NurseryNode) -> bool {
        let goes_on = self.tree.all_is_in(nursery) && !self.guest.get() && self.is_quiet();
        if goes_on {
            self.tree.next_tick_in(nursery);
        }
        goes_on
    }

    /// Whether there is nothing to do between two ticks.
    fn is_quiet(&self) -> bool {
        let deadline = || {
            let next = self.deadlines.borrow().next();
            next.is_some_and(|next| next <= self.clock.now())
        };
        self.unarmed.get() == 0
            && !self.inbox.has_messages()
            && !self.interrupt.is_pending()
            && self.calls.borrow().is_empty()
            && !self.must_look_at_events()
            && !deadline()
    }
}
