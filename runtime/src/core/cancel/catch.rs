//! Leaving a scope, and catching a cancellation there.
//!
//! A cancellation is an error on its way out. A cancelled scope catches it, unless the scope around it is cancelled,
//! too, and no shield hides that. Then the cancellation goes on outwards. This is decided when the future inside the
//! scope has ended. Until then the scope can still be cancelled, and its shield can change.

use crate::{
    Error,
    core::{
        cancel::{enter::Entered, state::ScopeStage, tree::ScopeNode},
        ids::ScopeId,
        run::Run,
    },
};

impl Entered {
    /// Leaves the scope with the outcome of the future inside. Takes out the cancellations that are this scope's to
    /// catch. Returns `Ok(None)` if nothing else was left.
    pub(crate) fn close<T>(self, outcome: Result<T, Error>) -> Result<Option<T>, Error> {
        let catches = self.exit();
        let error = match outcome {
            Ok(value) => return Ok(Some(value)),
            Err(error) if !catches => return Err(error),
            Err(error) => error,
        };
        let (caught, rest) = error.without_cancelled();
        self.cell.caught.set(caught);
        match rest {
            None => Ok(None),
            Some(error) => Err(error),
        }
    }

    pub(super) fn exit(&self) -> bool {
        if self.cell.stage.replace(ScopeStage::Exited) == ScopeStage::Exited {
            return false;
        }
        self.disarm();
        if let Some(timer) = self.cell.timer.take() {
            self.run.deadlines.borrow_mut().remove(timer);
        }
        self.run.exit_scope(self.id)
    }
}

impl Run {
    /// Removes a scope from the tree. Returns whether it may catch the cancellations that come out of it.
    pub(crate) fn exit_scope(&self, id: ScopeId) -> bool {
        let Some(node) = self.scopes.remove(id) else { return false };
        if node.children.first().is_some() || node.waits.first().is_some() {
            self.outlive_scope(&node);
        }
        // It catches only its own cancellation. That is one that does not come from its parent: the parent is not
        // cancelled, or a shield hides it.
        let above = || node.parent.is_some_and(|parent| self.scopes.is_cancelled(parent));
        let catches = node.visible.is_cancelled() && (node.cell.is_shielded() || !above());
        self.scopes.keep(node.cell);
        catches
    }

    /// Handles what is left in a scope that ends. A future that is moved can outlive the scope in which it was
    /// polled. Scopes that are left below get the scope above as their parent. Waits that are left belong to no scope
    /// until their futures are polled again. All of them are woken, so that this happens soon. Without the wake it
    /// might never happen: the task that holds such a future may have polled it for the last time inside the scope,
    /// and be blocked outside.
    #[cold]
    fn outlive_scope(&self, node: &ScopeNode) {
        // This comes first, since the calls below may end some of these waits.
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
}
