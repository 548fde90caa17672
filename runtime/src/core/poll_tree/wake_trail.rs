//! How a wake leaves its trail: the woken node is queued, and every node above it.
//!
//! Futures can only be polled from the top downwards. So a wake puts the node into the ready queue of its nursery. If
//! that nursery was not notified before, the node that holds it is queued in the nursery above, with the mark that it
//! only leads further down. This repeats up to the run loop, or up to something foreign, whose waker is called.

use crate::core::{
    ids::NodeId,
    poll_tree::{
        node::{Node, Queued},
        nursery_node::{NurseryNode, Parent},
        tree::PollTree,
    },
    table::Table,
};
use std::{rc::Rc, task::Waker};

impl PollTree {
    /// Queues a node for the next tick, and with it every node above. If the trail ends at something foreign, calls
    /// `wake_foreign` with its waker. Returns false if the node had already been woken since its last poll, or is
    /// gone.
    #[inline]
    pub(crate) fn wake(&self, id: NodeId, wake_foreign: impl FnOnce(&Waker)) -> bool {
        let table = self.table.borrow();
        let Some(node) = table.get(id) else { return false };
        match node.queued.replace(Queued::ForItself) {
            Queued::ForItself => return false,
            Queued::ForOneBelow | Queued::ForSeveralBelow => {}
            Queued::No => {
                if let Some(nursery) = self.push(node)
                    && !nursery.notified.get()
                {
                    let foreign = self.notify(&table, nursery);
                    drop(table);
                    foreign.as_deref().inspect(|waker| wake_foreign(waker));
                }
            }
        }
        true
    }

    /// Puts a node into its nursery's queue. Returns the nursery.
    #[inline(always)]
    fn push<'a>(&self, node: &'a Node) -> Option<&'a NurseryNode> {
        let nursery = node.nursery()?;
        nursery.push(node.clone(), self.tick.get());
        if nursery.is_polled() {
            self.queued_on_path.set(self.queued_on_path.get() + 1);
        }
        Some(nursery)
    }

    /// Puts a node into its nursery's queue, so that a nursery below it is reached. Returns the nursery, unless the
    /// node was queued already.
    fn push_for_below<'a>(&self, node: &'a Node) -> Option<&'a NurseryNode> {
        let (queued, stands) = match node.queued.get() {
            Queued::No => (Queued::ForOneBelow, false),
            Queued::ForOneBelow | Queued::ForSeveralBelow => (Queued::ForSeveralBelow, true),
            Queued::ForItself => (Queued::ForItself, true),
        };
        node.queued.set(queued);
        if stands { None } else { self.push(node) }
    }

    /// Makes sure that a nursery is polled in the next tick, by queueing its parent and every node above. If the
    /// trail ends at something foreign, returns its waker. The caller must call that waker when nothing is borrowed.
    fn notify<'a>(&self, table: &'a Table<Node>, mut nursery: &'a NurseryNode) -> Option<Rc<Waker>> {
        while !nursery.notified.replace(true) {
            let parent = match &*nursery.parent.borrow() {
                Parent::RunLoop => {
                    self.root_ready.set(true);
                    return None;
                }
                Parent::Node(parent) => *parent,
                Parent::Foreign(waker) => return Some(waker.clone()),
            };
            nursery = self.push_for_below(table.get(parent)?)?;
        }
        None
    }

    /// Makes sure that a nursery is polled in the next tick. For `wake_foreign`, see [`PollTree::wake`].
    pub(crate) fn notify_parent_of(&self, nursery: &NurseryNode, wake_foreign: impl FnOnce(&Waker)) {
        let foreign = self.notify(&self.table.borrow(), nursery);
        foreign.as_deref().inspect(|waker| wake_foreign(waker));
    }

    /// Queues a node again that its nursery has just polled, since the node has woken itself. The nursery is still
    /// being polled, so nobody needs to be notified.
    #[inline]
    pub(crate) fn queue_again(&self, nursery: &NurseryNode, node: Node) {
        nursery.push(node, self.tick.get());
        self.queued_on_path.set(self.queued_on_path.get() + 1);
    }
}
