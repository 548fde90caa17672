//! Waking: how a node comes to run in the next tick.

use crate::{
    core::{
        ids::NodeId,
        poll_tree::{
            node::{Node, Queued},
            nursery_node::NurseryNode,
            waker,
        },
        run::Run,
        task::handle::Task,
    },
    error::internal::InternalError,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
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
        if node.id().is_none() {
            return false;
        }
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
