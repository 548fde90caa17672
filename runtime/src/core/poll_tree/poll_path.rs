//! The way of a poll down the tree: from the run loop to a nursery, to one of its nodes, to a nursery in that.
//!
//! What runs asks who it is (`current_task`) and which scope it is in, and a nursery asks whether anybody above
//! it has something to do (see [`in_place`](crate::core::poll_tree::fast_path)). All three change where a poll comes to another
//! nursery, and are put back where it goes up again.

use crate::core::{
    cancel::tree::{ScopeId, Within},
    poll_tree::{
        node::{Node, Queued},
        waker::NodeId,
    },
    run::Run,
    task::handle::Task,
};

/// A poll that has come down to a nursery.
pub(crate) struct PollPath<'a> {
    run: &'a Run,
    /// The node above, whose future the nursery is part of.
    above: Option<NodeId>,
    /// Whether all nodes above are polled only for one nursery below each.
    passes_through: bool,
    _within: Within<'a>,
}

impl Run {
    /// Comes to a nursery whose nodes are polled in `scope`.
    #[inline]
    pub(crate) fn poll_path(&self, scope: ScopeId) -> PollPath<'_> {
        let (above, passes_through) = (self.tree.current.get(), self.tree.passes_through.get());
        PollPath { run: self, above, passes_through, _within: self.scopes.within(scope) }
    }
}

impl PollPath<'_> {
    /// Polls one of the nodes by `poll`, and tells instruments if that is a step of its task. Until the
    /// descent [is back](PollPath::back) the node is the current one.
    #[inline]
    pub(crate) fn step<R>(&self, node: &Node, queued: Queued, poll: impl FnOnce() -> R) -> R {
        let Run { tree, instruments, .. } = self.run;
        tree.current.set(node.id());
        tree.passes_through.set(self.passes_through && queued == Queued::ForOneBelow);
        let is_step = queued == Queued::ForItself;
        if is_step {
            instruments.tell(|instrument| instrument.before_task_step(&Task::of(node)));
        }
        let polled = poll();
        if is_step && instruments.are_there() {
            tell_of_step(self.run, node);
        }
        polled
    }

    /// Comes back from a node to the nursery.
    #[inline]
    pub(crate) fn back(&self) {
        self.run.tree.current.set(self.above);
        self.run.tree.passes_through.set(self.passes_through);
    }
}

/// Tells instruments that a task has made a step.
#[cold]
fn tell_of_step(run: &Run, node: &Node) {
    let task = Task::of(node);
    let tell = || run.instruments.tell(|instrument| instrument.after_task_step(&task));
    match task.is_alive() {
        true => tell(),
        false => run.tree.with_ended(&task, tell),
    }
}

impl Drop for PollPath<'_> {
    #[inline]
    fn drop(&mut self) {
        self.back();
    }
}
