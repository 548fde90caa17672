//! Tasks that begin and end, and a run that breaks.

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
/// Dropped, it takes a node out of the table.
struct Removes<'a>(&'a PollTree, &'a Node);

impl Drop for Removes<'_> {
    fn drop(&mut self) {
        self.0.remove(self.1);
    }
}

impl Run {
    /// A task begins: its node gets its place.
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

    /// A task has ended: its future is dropped, its node goes. Once.
    #[inline]
    pub(crate) fn task_exited(&self, node: &Node) {
        if node.has_ended() {
            return;
        }
        self.tasks.set(self.tasks.get() - 1);
        let task = Task::of(node);
        // It leaves the table last, and also if something of the user's panics meanwhile.
        let _removes = Removes(&self.tree, node);
        task.ended();
        self.instruments.tell(|instrument| instrument.task_exited(&task));
    }

    pub(crate) fn main_task(&self) -> Task {
        Task::of(&self.main)
    }

    pub(crate) fn calls_waiting(&self) -> usize {
        self.take_in(self.inbox.take());
        self.calls.borrow().len()
    }

    /// The tasks that no other has started.
    pub(crate) fn root_tasks(&self) -> Vec<Task> {
        self.tree.tasks_in(self.tree.root())
    }

    /// The run is broken: the main task is cancelled, and the run will return `error`.
    pub(crate) fn crashed(&self, error: InternalError) {
        // An error of the user's may panic on being displayed.
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
