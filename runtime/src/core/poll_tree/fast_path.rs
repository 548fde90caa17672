//! Ticks that begin where the last one ended.
//!
//! Futures are polled from the root downwards, so a tick costs as many polls as tasks are nested, though
//! often all that is runnable is a few tasks of one nursery that talk to each other: the way from the run
//! loop down to them, and up again, would be most of the work. So when a nursery has polled what was due,
//! it asks whether a turn of the run loop would only lead back to it. Then the next tick begins in place.
//!
//! Nobody must be able to tell. That holds if
//!
//! - nothing is queued anywhere else: all queued nodes that are not below some unpolled nursery (which
//!   has left its trail above) stand in this nursery's queue;
//! - no node on the way down was woken itself, or has a second nursery to poll. It may have more to do when the
//!   poll comes back to it, in this very tick: the other arm of a `join!`, say, which the children would starve;
//! - nothing has happened outside: no message, signal or call has come, no deadline has passed, all of them
//!   being known, and it is not time to look for the system's events (with an instrument installed it always is);
//! - no Ctrl-C is pending: the main task may wait at the end of a nursery above, which looks for it when its poll
//!   ends;
//! - no parent's loop drives the run, which wants its thread back after each tick.

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
            && !self.signals.interrupt.is_pending()
            && self.calls.borrow().is_empty()
            && !self.must_look_at_events()
            && !deadline()
    }
}
