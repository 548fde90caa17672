//! Carrying cancellation through the tree of scopes: to what is blocked, when a scope is cancelled, left or moved.

use crate::{
    CancelReason, Cancelled,
    core::{
        cancel::tree::ScopeNode,
        ids::{ROOT, ScopeId},
        misuse::polled_in_another_run,
        run,
        run::Run,
    },
};
use std::sync::Arc;
impl Run {
    /// Takes a scope out of the tree. Returns whether it may catch the cancellations that come out of it.
    pub(crate) fn exit_scope(&self, id: ScopeId) -> bool {
        let Some(node) = self.scopes.remove(id) else { return false };
        if node.children.first().is_some() || node.waits.first().is_some() {
            self.outlive_scope(&node);
        }
        // Its own cancellation, that is: its parent's is hidden from it or does not exist.
        let above = || node.parent.is_some_and(|parent| self.scopes.is_cancelled(parent));
        let catches = node.cancelled && (node.cell.is_shielded() || !above());
        self.scopes.keep(node.cell);
        catches
    }

    /// Futures that are moved can outlive the scope that they were polled in: scopes still below belong to the scope
    /// above then, and waits to none until they are polled again. That is soon, since all of them are woken: who
    /// holds such a future may have polled it for the last time inside, and block outside.
    #[cold]
    fn outlive_scope(&self, node: &ScopeNode) {
        // First of all: what is called below may end some of them.
        let mut left = self.waits.outlive_scope(node.waits);
        let children = self.scopes.hand_up(node);
        for &child in &children {
            self.scopes.waits_below(child, |waits| self.waits.each_in(waits, |wait| left.push(wait)));
        }
        for child in children {
            self.recalculate(child);
        }
        left.into_iter().for_each(|wait| self.wake_to_look(wait));
    }

    /// A scope whose future is polled in another scope than before hangs under that one from now on.
    #[inline]
    pub(crate) fn follow(&self, id: ScopeId) {
        let current = self.scopes.current();
        // Nothing of the program is polled in the root.
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

    /// Hangs a scope under another one, and delivers what becomes visible to it by that.
    pub(crate) fn move_scope(&self, id: ScopeId, parent: ScopeId) {
        // A task can poll the very call of `start` that waits for it. Its scope is below that of the call then,
        // which stays where it is.
        if !self.scopes.is_within(parent, id) {
            self.scopes.reparent(id, parent);
            self.recalculate(id);
        }
    }

    /// Carries a change of a scope (cancelled, shield moved) down the tree, and delivers to what is
    /// blocked in each scope that has become cancelled.
    pub(crate) fn recalculate(&self, id: ScopeId) {
        let mut todo = vec![id];
        // Waits, and of how many of them each cancellation is the reason.
        let (mut blocked, mut reasons) = (Vec::new(), Vec::new());
        // As in trio, whatever touches a scope notices that its deadline has passed.
        let now = self.clock.now();
        while let Some(id) = todo.pop() {
            let mut nodes = self.scopes.nodes.borrow_mut();
            let Some(node) = nodes.get(id) else { continue };
            let above = node.parent.and_then(|parent| nodes.get(parent)).filter(|parent| parent.cancelled);
            let visible = above.filter(|_| !node.cell.is_shielded());
            let cancelled = node.cell.called_by(now) || visible.is_some();
            if cancelled == node.cancelled {
                continue;
            }
            if let Some(parent) = visible {
                node.cell.inherit_reason(parent.cell.reason());
            }
            let reason = node.cell.reason();
            let node = &mut nodes[id];
            node.cancelled = cancelled;
            let count = self.scopes.cancelled.get();
            self.scopes.cancelled.set(if cancelled { count + 1 } else { count - 1 });
            let (children, waits) = (node.children, node.waits);
            todo.extend(children.iter(&nodes));
            if cancelled {
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
                // What an abort function or a waker does may change who is blocked where: it is asked again.
                let scope = self.waits.scope_of(wait);
                if scope.is_some_and(|scope| self.scopes.is_cancelled(scope)) {
                    self.deliver(wait, &cancelled);
                }
            }
        }
    }
}
