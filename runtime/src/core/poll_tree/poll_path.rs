//! The poll path: the nodes that are being polled now, one inside the other, from the run loop downwards.
//!
//! Running code may ask for its task (`current_task`) and its scope. A nursery asks whether any node above it has
//! something to do (see [`fast_path`](crate::core::poll_tree::fast_path)). The answers are the current task, the
//! current scope, and whether every node above was entered only to reach a nursery below it. The scope
//! changes where a poll enters a nursery, and the other two at each node. Where a poll leaves the nursery, all three are
//! restored.

use crate::core::{
    cancel::tree::Within,
    ids::{NodeId, ScopeId},
    poll_tree::node::{Node, Queued},
    run::Run,
    task::handle::Task,
};

/// The end of the path: a nursery that is being polled.
pub(crate) struct PollPath<'a> {
    run: &'a Run,
    /// The node above: its future holds the nursery.
    above: Option<NodeId>,
    /// True while each node above was entered only to reach one nursery below it.
    passes_through: bool,
    _within: Within<'a>,
}

impl Run {
    /// Enters a nursery whose nodes are polled in `scope`.
    #[inline]
    pub(crate) fn poll_path(&self, scope: ScopeId) -> PollPath<'_> {
        let (above, passes_through) = (self.tree.current.get(), self.tree.passes_through.get());
        PollPath { run: self, above, passes_through, _within: self.scopes.within(scope) }
    }
}

impl PollPath<'_> {
    /// Polls one of the nodes by `poll`. If that is a step of the node's task, tells the instruments. The node is the
    /// current one until the path goes [back](PollPath::back). `poll` returns whether the node has ended. Returns
    /// whether the node is to be [queued again](crate::core::poll_tree::tree::PollTree::queue_again), since it has woken
    /// itself and has not ended.
    #[inline]
    pub(crate) fn step(&self, node: &Node, queued: Queued, poll: impl FnOnce() -> bool) -> bool {
        let Run { tree, instruments, .. } = self.run;
        // The node above may have woken itself.
        let above_woke = tree.woke_itself.replace(false);
        tree.current.set(node.id());
        tree.passes_through.set(self.passes_through && queued == Queued::ForOneBelow && !above_woke);
        let is_step = queued == Queued::ForItself;
        if is_step {
            instruments.tell(|instrument| instrument.before_task_step(&Task::of(node)));
        }
        let ended = poll();
        let again = tree.woke_itself.replace(above_woke) && !ended && self.run.wake_after_poll(node);
        if is_step && instruments.are_there() {
            tell_of_step(self.run, node);
        }
        again
    }

    /// Goes back from a node to the nursery.
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
