//! Carries a cancellation through the scope tree to the waits, when a scope is cancelled, left or moved.

use crate::{
    CancelReason, Cancelled,
    core::{
        cancel::{tree::ScopeTree, visible::Visible},
        ids::{ROOT, ScopeId},
        misuse::polled_in_another_run,
        run,
        run::Run,
    },
};
use std::sync::Arc;
impl Run {
    /// Moves a scope below the current one, if its future is now polled in another scope than before.
    #[inline]
    pub(crate) fn follow(&self, id: ScopeId) {
        let current = self.scopes.current();
        // The program polls nothing in the root scope itself.
        if current == ROOT || self.scopes.parent(id) != Some(current) {
            self.follow_to(id, current);
        }
    }

    #[cold]
    fn follow_to(&self, id: ScopeId, current: ScopeId) {
        if run::try_with(|run| run.id) != Some(self.id) {
            polled_in_another_run();
        }
        if self.scopes.parent(id) != Some(current) {
            self.move_scope(id, current);
        }
    }

    /// Moves a scope to another parent, and delivers the cancellation that it sees there.
    pub(crate) fn move_scope(&self, id: ScopeId, parent: ScopeId) {
        // A task can poll the very call of `start` that waits for it. Then the new parent is below the scope that is
        // to move. The scope stays where it is, since a move would make a circle.
        if !self.scopes.is_within(parent, id) {
            self.scopes.reparent(id, parent);
            self.recalculate(id);
        }
    }

    /// Recalculates the scopes directly in this one. That cancels those whose deadline has passed. In trio these
    /// are the scopes that `started` moves, and trio recalculates each of them.
    pub(crate) fn look_at_scopes_in(&self, id: ScopeId) {
        let children: Vec<ScopeId> = {
            let nodes = self.scopes.nodes.borrow();
            nodes.get(id).map(|node| node.children.iter(&nodes).collect()).unwrap_or_default()
        };
        children.into_iter().for_each(|child| self.recalculate(child));
    }

    /// Carries a change of a scope (a cancellation, a changed shield) down the tree. Delivers the cancellation to the
    /// waits in each scope that has become cancelled.
    pub(crate) fn recalculate(&self, id: ScopeId) {
        let mut todo = vec![id];
        // The waits to deliver to. Each cancellation comes with the number of waits that it is for.
        let (mut blocked, mut reasons) = (Vec::new(), Vec::new());
        // As in trio, any change of a scope notices that its deadline has passed.
        let now = self.clock.now();
        while let Some(id) = todo.pop() {
            let mut nodes = self.scopes.nodes.borrow_mut();
            let Some(node) = nodes.get(id) else { continue };
            let parent = node.parent;
            let above = parent.and_then(|parent| nodes.get(parent)).map(|parent| parent.visible);
            node.cell.called_by(now);
            let visible = Visible::in_scope(&node.cell, above.unwrap_or_default());
            if visible == node.visible {
                continue;
            }
            let (was_cancelled, cancelled) = (node.visible.is_cancelled(), visible.is_cancelled());
            if cancelled && !node.cell.has_reason() {
                node.cell.inherit_reason(ScopeTree::reason_from(&nodes, parent));
            }
            let reason = node.cell.reason();
            let node = &mut nodes[id];
            node.visible = visible;
            let others = self.scopes.cancelled.get() - usize::from(was_cancelled);
            self.scopes.cancelled.set(others + usize::from(cancelled));
            let (children, waits) = (node.children, node.waits);
            todo.extend(children.iter(&nodes));
            if cancelled && !was_cancelled {
                self.stuck_check.arm();
                let reason =
                    reason.unwrap_or_else(|| Arc::new(CancelReason::new(crate::CancelSource::Explicit)));
                let before = blocked.len();
                self.waits.each_in(waits, |wait| blocked.push(wait));
                reasons.push((Cancelled::new(reason), blocked.len() - before));
            }
        }
        let mut blocked = blocked.into_iter();
        for (cancelled, count) in reasons {
            for wait in blocked.by_ref().take(count) {
                // An abort function or a waker may have moved or ended this wait. So its scope is asked again.
                let scope = self.waits.scope_of(wait);
                if scope.is_some_and(|scope| self.scopes.is_cancelled(scope)) {
                    self.deliver(wait, &cancelled);
                }
            }
        }
    }
}
