//! The fast path: a tick that begins where the last one ended. A reader may skip it.
//!
//! Futures are polled from the top downwards. So a tick costs as many polls as tasks are nested, though often all that is
//! runnable is a few tasks of one nursery that talk to each other. The way down to them and up again would be most of
//! the work. So when a nursery has polled what was due, it asks whether the run loop would only lead back to it. If so,
//! the next tick begins in place. Without it, a yield at depth 100 takes 80 times as long, and one at depth 1 twice as long
//! (`benches/run --only nest-yield`).
//!
//! Nobody must be able to tell. That is so if
//!
//! - nothing is queued anywhere else. All queued nodes stand in this nursery's queue, but for those below a nursery that has not
//!   been polled yet, whose trail leads up to a node that is queued here;
//! - no node on the poll path was woken itself, or has a second nursery to poll. It may have more to do when the poll
//!   comes back to it in this very tick: the other arm of a `join!`, which the children would starve;
//! - there is nothing to do between two ticks: no message, signal or call has come, no deadline has passed, and it is not
//!   time to look for the system's events;
//! - no host's loop drives the run. A host wants its thread back after each tick.

use crate::core::{poll_tree::nursery_node::NurseryNode, run::Run};

impl Run {
    /// Begins the next tick within the poll of a nursery, if that comes to the same as going up to the run
    /// loop and down again.
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
            && self.calls.borrow().is_empty()
            && !self.must_look_at_events()
            && !deadline()
    }
}
