//! The tree of cancel scopes of a run.
//!
//! Every blocked operation belongs to one scope, every entered scope has a parent. A scope is
//! *effectively cancelled* if it was cancelled itself, or if it is not shielded and its parent is
//! effectively cancelled. That answer is kept in each node, so that a checkpoint asks in constant
//! time, and is carried down the tree when something above changes: by a loop with a stack of its
//! own, since scopes may nest deeper than a thread's stack.

use super::{
    list::{Linked, Links, List},
    run::{self, Run},
    table::{Key, Table},
    wait::polled_in_another_run,
    waker::StrandId,
};
use crate::{CancelReason, Cancelled, scope::ScopeCell};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

/// The number of an entered scope within its run.
pub(crate) type ScopeId = Key;

struct Node {
    cell: Rc<ScopeCell>,
    parent: Option<ScopeId>,
    /// The strand that entered it.
    entered_by: Option<StrandId>,
    /// Where this node stands among its parent's children.
    links: Links,
    children: List,
    /// What is blocked in it: entries of the run's [`Waits`](super::wait::Waits).
    waits: List,
    cancelled: bool,
}

impl Linked for Node {
    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// The scope of the whole run.
pub(crate) const ROOT: ScopeId = Key::FIRST;

/// So many cells are kept for the next scopes.
const SPARE: usize = 128;

/// All entered scopes of a run, and which of them the code being polled is in.
pub(crate) struct Scopes {
    nodes: RefCell<Table<Node>>,
    current: Cell<ScopeId>,
    /// Cells of scopes that have been left, for the next ones: most have no other handle then.
    spare: RefCell<Vec<Rc<ScopeCell>>>,
    /// How many nodes are cancelled: mostly none, which saves every checkpoint a look.
    cancelled: Cell<usize>,
}

/// Puts the former scope back when a poll ends, also by a panic.
pub(crate) struct Within<'a>(&'a Scopes, ScopeId);

impl Drop for Within<'_> {
    fn drop(&mut self) {
        self.0.current.set(self.1);
    }
}

impl Scopes {
    /// A tree with its root entered: the scope of the whole run.
    pub(crate) fn new(root: Rc<ScopeCell>) -> Scopes {
        let scopes = Scopes {
            nodes: RefCell::default(),
            current: Cell::new(ROOT),
            spare: RefCell::default(),
            cancelled: Cell::new(0),
        };
        scopes.insert(root, None, None);
        scopes
    }

    fn insert(&self, cell: Rc<ScopeCell>, parent: Option<ScopeId>, entered_by: Option<StrandId>) -> ScopeId {
        let mut nodes = self.nodes.borrow_mut();
        let above = parent.and_then(|id| nodes.get(id)).is_some_and(|node| node.cancelled);
        let cancelled = cell.called() || (above && !cell.is_shielded());
        if cancelled && !cell.has_reason() {
            let inherited = parent.and_then(|id| nodes.get(id)).and_then(|node| node.cell.reason());
            cell.inherit_reason(inherited);
        }
        let (links, children, waits) = Default::default();
        let id = nodes.insert(Node { cell, parent, entered_by, links, children, waits, cancelled });
        self.cancelled.set(self.cancelled.get() + usize::from(cancelled));
        Self::link(&mut nodes, parent, id);
        id
    }

    /// Puts a node at the end of its parent's children.
    fn link(nodes: &mut Table<Node>, parent: Option<ScopeId>, id: ScopeId) {
        let Some((parent, above)) = parent.and_then(|id| Some((id, nodes.get(id)?))) else { return };
        let mut children = above.children;
        children.push(nodes, id);
        nodes[parent].children = children;
    }

    /// Takes who has these links out of its parent's children.
    fn unlink(nodes: &mut Table<Node>, parent: Option<ScopeId>, links: Links) {
        let Some((parent, above)) = parent.and_then(|id| Some((id, nodes.get(id)?))) else { return };
        let mut children = above.children;
        children.unlink(nodes, links);
        nodes[parent].children = children;
    }

    pub(crate) fn current(&self) -> ScopeId {
        self.current.get()
    }

    /// Makes `id` the current scope until the guard is dropped.
    pub(crate) fn within(&self, id: ScopeId) -> Within<'_> {
        Within(self, self.current.replace(id))
    }

    /// Enters a scope below the current one.
    pub(crate) fn enter(&self, cell: Rc<ScopeCell>, by: Option<StrandId>) -> ScopeId {
        self.insert(cell, Some(self.current.get()), by)
    }

    /// Takes a node out of the table and of its parent's children.
    fn remove(&self, id: ScopeId) -> Option<Node> {
        let mut nodes = self.nodes.borrow_mut();
        let node = nodes.remove(id)?;
        self.cancelled.set(self.cancelled.get() - usize::from(node.cancelled));
        Self::unlink(&mut nodes, node.parent, node.links);
        Some(node)
    }

    fn keep(&self, cell: Rc<ScopeCell>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE {
            spare.push(cell);
        }
    }

    /// The cell of an earlier scope, as good as new, if there is one.
    pub(crate) fn spare(&self) -> Option<Rc<ScopeCell>> {
        let used = self.spare.borrow_mut().pop()?;
        ScopeCell::renew(used)
    }

    /// Hangs what is below a node that was taken out under the node above. Returns it.
    fn hand_up(&self, node: &Node) -> Vec<ScopeId> {
        let mut nodes = self.nodes.borrow_mut();
        let children: Vec<ScopeId> = node.children.iter(&nodes).collect();
        for &child in &children {
            nodes[child].parent = node.parent;
            Self::link(&mut nodes, node.parent, child);
        }
        children
    }

    /// The cancellation that a checkpoint in this scope must return, if any.
    #[inline]
    pub(crate) fn cancelled(&self, id: ScopeId) -> Option<Cancelled> {
        match self.cancelled.get() {
            0 => None,
            _ => self.cancellation_of(id),
        }
    }

    /// Whether any scope of the run is cancelled.
    #[inline]
    pub(crate) fn is_any_cancelled(&self) -> bool {
        self.cancelled.get() > 0
    }

    fn cancellation_of(&self, id: ScopeId) -> Option<Cancelled> {
        let nodes = self.nodes.borrow();
        let node = nodes.get(id).filter(|node| node.cancelled)?;
        let reason = node.cell.reason();
        Some(Cancelled::new(
            reason.unwrap_or_else(|| Arc::new(CancelReason::new(crate::CancelSource::Explicit))),
        ))
    }

    pub(crate) fn is_cancelled(&self, id: ScopeId) -> bool {
        self.nodes.borrow().get(id).is_some_and(|node| node.cancelled)
    }

    #[inline]
    fn parent(&self, id: ScopeId) -> Option<ScopeId> {
        self.nodes.borrow().get(id)?.parent
    }

    /// Whether a scope is another one, or somewhere below it.
    fn is_within(&self, id: ScopeId, above: ScopeId) -> bool {
        let nodes = self.nodes.borrow();
        std::iter::successors(Some(id), |&id| nodes.get(id)?.parent).any(|id| id == above)
    }

    /// Hangs a scope under another one.
    fn reparent(&self, id: ScopeId, parent: ScopeId) {
        let mut nodes = self.nodes.borrow_mut();
        let Some((old, links)) = nodes.get(id).map(|node| (node.parent, node.links)) else { return };
        Self::unlink(&mut nodes, old, links);
        let parent = Some(parent).filter(|&parent| nodes.get(parent).is_some());
        nodes[id].parent = parent;
        Self::link(&mut nodes, parent, id);
    }

    /// Calls `change` with the list of what is blocked in a scope, if the scope is there.
    #[inline]
    pub(super) fn with_waits(&self, id: ScopeId, change: impl FnOnce(&mut List)) -> bool {
        let mut nodes = self.nodes.borrow_mut();
        nodes.get_mut(id).map(|node| change(&mut node.waits)).is_some()
    }

    /// The nearest deadline of a scope and those around it, which have not been cancelled.
    pub(crate) fn nearest_deadline(&self, id: ScopeId) -> f64 {
        let nodes = self.nodes.borrow();
        let around = std::iter::successors(nodes.get(id), |node| nodes.get(node.parent?));
        let open = around.filter(|node| !node.cell.called());
        open.fold(f64::INFINITY, |nearest, node| nearest.min(node.cell.absolute_deadline()))
    }

    /// The nearest deadline that is visible from a scope; minus infinity if it is cancelled.
    pub(crate) fn effective_deadline(&self, id: ScopeId) -> f64 {
        let nodes = self.nodes.borrow();
        let mut nearest = f64::INFINITY;
        let mut next = Some(id);
        while let Some(node) = next.and_then(|id| nodes.get(id)) {
            if node.cancelled {
                return f64::NEG_INFINITY;
            }
            nearest = nearest.min(node.cell.absolute_deadline());
            next = if node.cell.is_shielded() { None } else { node.parent };
        }
        nearest
    }
}

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
    fn outlive_scope(&self, node: &Node) {
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

    /// Looks at the scopes directly in this one. In trio they are what `started` moves, and whatever touches a scope
    /// notices that its deadline has passed.
    pub(crate) fn look_at_scopes_in(&self, id: ScopeId) {
        let children: Vec<ScopeId> = {
            let nodes = self.scopes.nodes.borrow();
            nodes.get(id).map(|node| node.children.iter(&nodes).collect()).unwrap_or_default()
        };
        children.into_iter().for_each(|child| self.recalculate(child));
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
                self.watchman.arm();
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

impl Scopes {
    /// Calls `f` with the list of what is blocked in a scope, and with those of all scopes below.
    fn waits_below(&self, id: ScopeId, mut f: impl FnMut(List)) {
        let nodes = self.nodes.borrow();
        let mut todo = vec![id];
        while let Some(node) = todo.pop().and_then(|id| nodes.get(id)) {
            f(node.waits);
            todo.extend(node.children.iter(&nodes));
        }
    }

    /// The scopes that were entered by strands which are `chosen`, outermost first.
    pub(crate) fn entered_by(&self, chosen: impl Fn(StrandId) -> bool) -> Vec<Rc<ScopeCell>> {
        let nodes = self.nodes.borrow();
        let own = nodes.iter().filter(|(_, node)| node.entered_by.is_some_and(&chosen));
        let mut own: Vec<_> = own.map(|(id, node)| (Self::depth(&nodes, id), node.cell.clone())).collect();
        own.sort_by_key(|(depth, _)| *depth);
        own.into_iter().map(|(_, cell)| cell).collect()
    }

    /// The innermost scope that was entered by strands which are `chosen`.
    pub(crate) fn innermost_of(&self, chosen: impl Fn(StrandId) -> bool) -> Option<ScopeId> {
        let nodes = self.nodes.borrow();
        let own = nodes.iter().filter(|(_, node)| node.entered_by.is_some_and(&chosen));
        own.max_by_key(|(id, _)| Self::depth(&nodes, *id)).map(|(id, _)| id)
    }

    /// How many scopes are around a scope.
    fn depth(nodes: &Table<Node>, id: ScopeId) -> usize {
        std::iter::successors(Some(id), |&id| nodes.get(id)?.parent).count()
    }

    /// The public half of a scope.
    pub(crate) fn cell(&self, id: ScopeId) -> Option<Rc<ScopeCell>> {
        self.nodes.borrow().get(id).map(|node| node.cell.clone())
    }
}
