//! Waking: how a node comes to run in the next tick.
//!
//! Futures can only be polled from the top downwards. So a wake leaves a trail. It puts the node into the ready queue of
//! its nursery. If that nursery was not notified before, the node that holds it is queued in the nursery above, with the
//! mark that it only leads further down. This repeats up to the run loop, or up to something foreign, whose waker is
//! called.

use crate::{
    core::{
        ids::NodeId,
        poll_tree::{
            node::{Node, Queued},
            nursery_node::{NurseryNode, Parent},
            tree::PollTree,
            waker,
        },
        run::Run,
        table::Table,
        task::handle::Task,
    },
    error::internal::InternalError,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    task::Waker,
};

impl Run {
    /// Does the same as `waker.wake_by_ref()`, more directly if the waker belongs to this run.
    #[inline]
    pub(crate) fn wake_by(&self, waker: &Waker) {
        match waker::node_of(waker, self.id) {
            Some(node) => self.wake(node),
            None => self.wake_foreign(waker),
        }
    }

    /// Calls a foreign waker. If it panics, the run crashes, but the caller can still wake the others after it.
    /// Nothing may be borrowed when this is called.
    #[cold]
    pub(crate) fn wake_foreign(&self, waker: &Waker) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake_by_ref())) {
            self.crashed(InternalError::of_panic("a foreign waker panicked", payload));
        }
    }

    /// Makes a node run in the next tick. A node that wakes itself is queued when its poll has ended.
    #[inline]
    pub(crate) fn wake(&self, node: NodeId) {
        match self.tree.current.get() == Some(node) {
            true => self.tree.woke_itself.set(true),
            false => self.wake_another(node),
        }
    }

    fn wake_another(&self, node: NodeId) {
        if self.tree.wake(node, |waker| self.wake_foreign(waker)) {
            self.instruments.tell(|instrument| {
                if let Some(task) = self.tree.task_of(node) {
                    instrument.task_scheduled(&task);
                }
            });
        }
    }

    /// Marks a node as runnable that has woken itself in the poll that has just ended. Returns whether its nursery must
    /// [queue it again](crate::core::poll_tree::tree::PollTree::queue_again).
    #[inline]
    pub(crate) fn wake_after_poll(&self, node: &Node) -> bool {
        let queued = node.queued.replace(Queued::ForItself);
        if queued != Queued::ForItself {
            self.instruments.tell(|instrument| instrument.task_scheduled(&Task::of(node)));
        }
        queued == Queued::No
    }

    /// Makes sure that a nursery is polled in the next tick.
    pub(crate) fn notify_parent_of(&self, nursery: &NurseryNode) {
        self.tree.notify_parent_of(nursery, |waker| self.wake_foreign(waker));
    }

    /// Makes sure that every nursery that a task has open is polled in the next tick.
    pub(crate) fn notify_nurseries_of(&self, task: &Task) {
        for nursery in self.tree.nurseries_of(task) {
            self.notify_parent_of(&nursery);
        }
    }
}

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
