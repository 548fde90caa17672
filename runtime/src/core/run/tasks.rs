//! How tasks begin and end, and how a run crashes.

use crate::{
    CancelReason, CancelSource, InternalError,
    core::{
        ids::NodeId,
        poll_tree::{node::Node, nursery_node::NurseryNode, tree::PollTree},
        run::Run,
        task::handle::Task,
    },
    error::failure::discard,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};
/// Removes a node from the table when this is dropped.
struct Removes<'a>(&'a PollTree, &'a Node);

impl Drop for Removes<'_> {
    fn drop(&mut self) {
        self.0.remove(self.1);
    }
}

impl Run {
    /// Notes that a task begins. Gives its node a place.
    #[inline]
    pub(crate) fn task_spawned(&self, node: Node, nursery: Rc<NurseryNode>) -> NodeId {
        self.tasks.set(self.tasks.get() + 1);
        let id = self.tree.add(node, nursery);
        self.instruments.tell(|instrument| {
            if let Some(task) = self.tree.task_of(id) {
                instrument.task_spawned(&task);
            }
        });
        self.wake(id);
        id
    }

    /// Notes that a task has ended and its future is dropped. Removes its node. Does nothing the second time.
    #[inline]
    pub(crate) fn task_exited(&self, node: &Node) {
        if node.has_ended() {
            return;
        }
        self.tasks.set(self.tasks.get() - 1);
        let task = Task::of(node);
        // The node leaves the table last, also if user code panics before.
        let _removes = Removes(&self.tree, node);
        task.ended();
        self.instruments.tell(|instrument| instrument.task_exited(&task));
    }

    pub(crate) fn main_task(&self) -> Task {
        Task::of(&self.main)
    }

    pub(crate) fn root_task(&self) -> Task {
        Task::of(&self.root)
    }

    pub(crate) fn calls_waiting(&self) -> usize {
        self.take_in(self.inbox.take());
        self.calls.borrow().len()
    }

    /// The tasks that no other task has started.
    pub(crate) fn root_tasks(&self) -> Vec<Task> {
        self.tree.tasks_in(self.tree.root())
    }

    /// Notes that the run is broken. The main task is cancelled, and the run will return the first such `error`.
    pub(crate) fn crashed(&self, error: InternalError) {
        // The display of a user's error may panic.
        let text = catch_unwind(AssertUnwindSafe(|| error.to_string())).unwrap_or_else(|payload| {
            discard(payload);
            "the run has failed".to_owned()
        });
        log::error!("{text}");
        let reason = CancelReason::with_text(CancelSource::Shutdown, text);
        self.crash.borrow_mut().get_or_insert(error);
        self.main_scope.cancel(reason);
    }
}
