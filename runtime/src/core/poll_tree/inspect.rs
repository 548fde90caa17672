//! Questions about the tree of tasks. The answers are computed from the table of nodes; no second tree is kept.
//!
//! All of this is slow. It serves debugging and rare events.

use crate::core::{
    poll_tree::{
        node::{Node, Queued},
        nursery_node::NurseryNode,
        tree::PollTree,
    },
    task::handle::Task,
};
use std::rc::Rc;

impl PollTree {
    /// How many nodes were woken and have not been polled yet.
    pub(crate) fn runnable(&self) -> usize {
        self.table.borrow().iter().filter(|(_, node)| node.queued.get() == Queued::ForItself).count()
    }

    /// The nurseries that a task has open, outermost first.
    pub(crate) fn nurseries_of(&self, task: &Task) -> Vec<Rc<NurseryNode>> {
        let table = self.table.borrow();
        let bodies = table.iter().filter(|(_, node)| node.info.body_of().as_ref() == Some(task));
        let mut nurseries: Vec<Rc<NurseryNode>> =
            bodies.filter_map(|(_, body)| body.nursery().cloned()).collect();
        nurseries.sort_unstable_by_key(|nursery| nursery.serial.get());
        nurseries
    }

    /// All tasks that have not ended, oldest first.
    pub(crate) fn all_tasks(&self) -> Vec<Task> {
        let table = self.table.borrow();
        let own = table.iter().filter(|(_, node)| !node.info.is_body() && !node.has_ended());
        let mut tasks: Vec<Task> = own.map(|(_, node)| Task::of(node)).collect();
        tasks.sort_unstable_by_key(Task::id);
        tasks
    }

    /// Whether a task waits for something other than the end of a nursery, and no part of it is runnable or being
    /// polled.
    pub(crate) fn is_waiting(&self, task: &Task) -> bool {
        if self.current_task().as_ref() == Some(task) {
            return false;
        }
        let table = self.table.borrow();
        let own = || table.iter().map(|(_, node)| node).filter(|node| Task::of(node) == *task);
        if own().any(|node| node.queued.get() == Queued::ForItself || node.is_polled()) {
            return false;
        }
        let serial = |body: &&Node| body.nursery().map_or(0, |nursery| nursery.serial.get());
        let innermost = own().filter(|node| node.info.is_body()).max_by_key(serial);
        innermost.is_none_or(|body| body.is_idle())
    }

    /// The tasks started in a nursery, oldest first.
    pub(crate) fn tasks_in(&self, nursery: &Rc<NurseryNode>) -> Vec<Task> {
        let table = self.table.borrow();
        let inside = table.iter().filter(|(_, node)| {
            node.info.body_of().is_none()
                && !node.has_ended()
                && node.nursery().is_some_and(|other| Rc::ptr_eq(other, nursery))
        });
        let mut tasks: Vec<Task> = inside.map(|(_, node)| Task::of(node)).collect();
        tasks.sort_unstable_by_key(Task::id);
        tasks
    }
}
