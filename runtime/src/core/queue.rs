//! The queue of a home: the strands that are to be polled there.
//!
//! What is woken in one tick is due in the next. A nursery need not have been polled yet when something in it is
//! woken, so what is due in this tick and what is due in the next may stand in its queue at once: in the order of
//! wakes, so that it is enough to know how many came before this tick. A batch is polled in that order, or in a
//! random one if the run was given a seed.

use super::strand::Strand;
use std::collections::VecDeque;

/// A queue with more room than this gives back what it does not need any more.
const LONG: usize = 4096;

/// Strands to poll. One that has ended stays in here until its turn.
#[derive(Default)]
pub(super) struct Queue {
    strands: VecDeque<Strand>,
    /// The tick in which the last of them was woken…
    tick: u64,
    /// …and how many were before.
    earlier: usize,
}

impl Queue {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.strands.len()
    }

    /// Puts a strand in that was woken in this tick.
    #[inline]
    pub(super) fn push(&mut self, strand: Strand, tick: u64) {
        if self.tick != tick {
            (self.tick, self.earlier) = (tick, self.strands.len());
        }
        self.strands.push_back(strand);
    }

    /// Takes out the next strand that is due in this tick.
    #[inline]
    pub(super) fn pop_due(&mut self, tick: u64) -> Option<Strand> {
        if self.tick == tick {
            self.earlier = self.earlier.checked_sub(1)?;
        }
        self.strands.pop_front()
    }

    /// Puts what is due in this tick into a random order.
    pub(super) fn shuffle(&mut self, tick: u64, order: &mut fastrand::Rng) {
        let due = if self.tick == tick { self.earlier } else { self.strands.len() };
        order.shuffle(&mut self.strands.make_contiguous()[..due]);
    }

    /// Gives back what it has needed no more than once.
    #[inline]
    pub(super) fn save_memory(&mut self) {
        if self.strands.capacity() > LONG {
            self.shrink();
        }
    }

    #[cold]
    fn shrink(&mut self) {
        let queued = self.strands.len();
        if queued < self.strands.capacity() / 8 {
            self.strands.shrink_to(2 * queued);
        }
    }

    /// Forgets all that is in it.
    pub(super) fn clear(&mut self) {
        self.strands.clear();
        self.earlier = 0;
    }
}
