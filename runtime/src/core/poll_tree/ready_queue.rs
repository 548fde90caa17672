//! The ready queue of a nursery: the nodes that are to be polled there.
//!
//! What is woken in one tick is polled in the next. A nursery may not have been polled yet in this tick when something in it
//! is woken. So its queue may hold nodes of two batches at once. They stand in the order of their wakes, so it is enough to
//! count how many came before this tick. A batch is polled in that order, or in a random one if the run was given a
//! seed.

use crate::core::poll_tree::node::Node;
use std::collections::VecDeque;

/// A queue with more room than this gives back what it no longer needs.
const LONG: usize = 4096;

/// Nodes to poll. One whose task has ended meanwhile stays until its turn.
#[derive(Default)]
pub(crate) struct ReadyQueue {
    nodes: VecDeque<Node>,
    /// The tick in which the last of them was woken…
    tick: u64,
    /// …and how many were before.
    earlier: usize,
}

impl ReadyQueue {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Puts a node in that was woken in this tick.
    #[inline]
    pub(crate) fn push(&mut self, node: Node, tick: u64) {
        if self.tick != tick {
            (self.tick, self.earlier) = (tick, self.nodes.len());
        }
        self.nodes.push_back(node);
    }

    /// Takes out the next node that is due in this tick.
    #[inline]
    pub(crate) fn pop_due(&mut self, tick: u64) -> Option<Node> {
        if self.tick == tick {
            self.earlier = self.earlier.checked_sub(1)?;
        }
        self.nodes.pop_front()
    }

    /// Puts what is due in this tick into a random order.
    pub(crate) fn shuffle(&mut self, tick: u64, order: &mut fastrand::Rng) {
        let queued = if self.tick == tick { self.earlier } else { self.nodes.len() };
        order.shuffle(&mut self.nodes.make_contiguous()[..queued]);
    }

    /// Gives back what it has needed no more than once.
    #[inline]
    pub(crate) fn save_memory(&mut self) {
        if self.nodes.capacity() > LONG {
            self.shrink();
        }
    }

    #[cold]
    fn shrink(&mut self) {
        let queued = self.nodes.len();
        if queued < self.nodes.capacity() / 8 {
            self.nodes.shrink_to(2 * queued);
        }
    }

    /// Forgets all that is in it.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.earlier = 0;
    }
}
