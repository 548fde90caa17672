//! The ready queue of a nursery: the nodes that are to be polled there.
//!
//! A node that is woken in one tick is polled in the next. When it is woken, its nursery may not have been polled yet
//! in this tick. So the queue may hold nodes of two batches at once. They stand in the order of their wakes, so it is
//! enough to count how many came before this tick. A batch is polled in that order, or in a random order if the run
//! was given a seed.

use crate::core::poll_tree::{node::Node, order::BatchOrder};
use std::collections::VecDeque;

/// A queue with a larger capacity than this frees the memory that it no longer needs.
const LONG: usize = 4096;

/// Nodes to poll. If a node's task ends meanwhile, the node stays in the queue until its turn.
#[derive(Default)]
pub(crate) struct ReadyQueue {
    nodes: VecDeque<Node>,
    /// The tick in which the queue was last used.
    tick: u64,
    /// How many nodes are due in that tick, and have not been counted out as its batch.
    earlier: usize,
}

impl ReadyQueue {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Adds a node that was woken in this tick.
    #[inline]
    pub(crate) fn push(&mut self, node: Node, tick: u64) {
        if self.tick != tick {
            (self.tick, self.earlier) = (tick, self.nodes.len());
        }
        self.nodes.push_back(node);
    }

    /// Begins the batch of this tick. Returns how many nodes it has. The caller takes out that many.
    #[inline]
    pub(crate) fn begin_batch(&mut self, tick: u64) -> usize {
        let due = if self.tick == tick { self.earlier } else { self.nodes.len() };
        // What is pushed from now on belongs to the next batch.
        (self.tick, self.earlier) = (tick, 0);
        due
    }

    /// Takes out the next node.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Node> {
        self.nodes.pop_front()
    }

    /// Puts the first `due` nodes into order.
    pub(crate) fn arrange(&mut self, due: usize, order: &BatchOrder) {
        order.arrange(&mut self.nodes.make_contiguous()[..due]);
    }

    /// Frees memory that was needed only for a short time.
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

    /// Removes all nodes.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.earlier = 0;
    }
}
