//! The scope tree: the cancel scopes of a run that are entered.
//!
//! Every blocked operation belongs to one scope while that scope is entered, and every entered scope but the root has a
//! parent. A scope is
//! *effectively cancelled* if it was cancelled itself, or if it is not shielded and its parent is effectively
//! cancelled. Each entry of the tree stores that answer, so a checkpoint asks in constant time. When something above
//! changes, a loop carries the change down the tree. The loop has a stack of its own, since scopes may nest deeper
//! than a thread's stack allows.

use crate::{
    CancelReason, Cancelled,
    core::{
        cancel::{state::ScopeState, visible::Visible},
        ids::{NodeId, ROOT, ScopeId},
        list::{Linked, Links, List},
        spare::Spare,
        table::Table,
    },
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

pub(crate) struct ScopeNode {
    pub(crate) cell: Rc<ScopeState>,
    pub(crate) parent: Option<ScopeId>,
    /// The node of the poll tree that entered the scope.
    pub(crate) entered_by: Option<NodeId>,
    /// The neighbours of this scope among its parent's children.
    links: Links,
    pub(crate) children: List,
    /// The waits in this scope: entries of the run's [`Waits`](crate::core::block::waits::Waits).
    pub(crate) waits: List,
    /// The cancellations that the scope sees.
    pub(crate) visible: Visible,
}

impl Linked for ScopeNode {
    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// All entered scopes of a run. It also knows the current scope: the one around the code that is being polled.
pub(crate) struct ScopeTree {
    pub(crate) nodes: RefCell<Table<ScopeNode>>,
    current: Cell<ScopeId>,
    /// States of scopes that have been left, kept for the next scopes. Most of them have no other handle then.
    spare: Spare<ScopeState>,
    /// How many scopes are cancelled. Mostly that is none, and then a checkpoint need not look into the table.
    pub(crate) cancelled: Cell<usize>,
}

/// Restores the former current scope when a poll ends, also if it panics.
pub(crate) struct Within<'a>(&'a ScopeTree, ScopeId);

impl Drop for Within<'_> {
    fn drop(&mut self) {
        self.0.current.set(self.1);
    }
}

impl ScopeTree {
    /// A tree in which only the root is entered: the scope of the whole run.
    pub(crate) fn new(root: Rc<ScopeState>) -> ScopeTree {
        let scopes = ScopeTree {
            nodes: RefCell::default(),
            current: Cell::new(ROOT),
            spare: Spare::default(),
            cancelled: Cell::new(0),
        };
        scopes.insert(root, None, None);
        scopes
    }

    fn insert(&self, cell: Rc<ScopeState>, parent: Option<ScopeId>, entered_by: Option<NodeId>) -> ScopeId {
        let mut nodes = self.nodes.borrow_mut();
        let above = parent.and_then(|id| nodes.get(id)).map(|node| node.visible).unwrap_or_default();
        let visible = Visible::in_scope(&cell, above);
        let cancelled = visible.is_cancelled();
        if cancelled && !cell.has_reason() {
            cell.inherit_reason(Self::reason_from(&nodes, parent));
        }
        let (links, children, waits) = Default::default();
        let id = nodes.insert(ScopeNode { cell, parent, entered_by, links, children, waits, visible });
        self.cancelled.set(self.cancelled.get() + usize::from(cancelled));
        Self::link(&mut nodes, parent, id);
        id
    }

    /// The reason that a scope takes over from the scopes around it. Between it and the scope that is shut down may
    /// be scopes that are not cancelled, and have none.
    pub(crate) fn reason_from(
        nodes: &Table<ScopeNode>,
        parent: Option<ScopeId>,
    ) -> Option<Arc<CancelReason>> {
        let around = std::iter::successors(nodes.get(parent?), |node| nodes.get(node.parent?));
        around.take_while(|node| node.visible.is_any()).find_map(|node| node.cell.reason())
    }

    /// Adds a scope at the end of its parent's children.
    fn link(nodes: &mut Table<ScopeNode>, parent: Option<ScopeId>, id: ScopeId) {
        let Some((parent, above)) = parent.and_then(|id| Some((id, nodes.get(id)?))) else { return };
        let mut children = above.children;
        children.push(nodes, id);
        nodes[parent].children = children;
    }

    /// Removes the scope with these links from its parent's children.
    fn unlink(nodes: &mut Table<ScopeNode>, parent: Option<ScopeId>, links: Links) {
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
    pub(crate) fn enter(&self, cell: Rc<ScopeState>, by: Option<NodeId>) -> ScopeId {
        self.insert(cell, Some(self.current.get()), by)
    }

    /// Removes a scope from the table and from its parent's children.
    pub(crate) fn remove(&self, id: ScopeId) -> Option<ScopeNode> {
        let mut nodes = self.nodes.borrow_mut();
        let node = nodes.remove(id)?;
        self.cancelled.set(self.cancelled.get() - usize::from(node.visible.is_cancelled()));
        Self::unlink(&mut nodes, node.parent, node.links);
        Some(node)
    }

    pub(crate) fn keep(&self, cell: Rc<ScopeState>) {
        self.spare.keep(cell);
    }

    /// The state of an earlier scope, made as good as new, if there is one to spare.
    pub(crate) fn spare(&self) -> Option<Rc<ScopeState>> {
        self.spare.take().and_then(ScopeState::renew)
    }

    /// Moves the children of a scope that was removed to its parent. Returns them.
    pub(crate) fn hand_up(&self, node: &ScopeNode) -> Vec<ScopeId> {
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
        let node = nodes.get(id).filter(|node| node.visible.is_cancelled())?;
        let reason = node.cell.reason();
        Some(Cancelled::new(
            reason.unwrap_or_else(|| Arc::new(CancelReason::new(crate::CancelSource::Explicit))),
        ))
    }

    pub(crate) fn is_cancelled(&self, id: ScopeId) -> bool {
        self.nodes.borrow().get(id).is_some_and(|node| node.visible.is_cancelled())
    }

    #[inline]
    pub(crate) fn parent(&self, id: ScopeId) -> Option<ScopeId> {
        self.nodes.borrow().get(id)?.parent
    }

    /// Whether a scope is `above`, or is somewhere below it.
    pub(crate) fn is_within(&self, id: ScopeId, above: ScopeId) -> bool {
        let nodes = self.nodes.borrow();
        std::iter::successors(Some(id), |&id| nodes.get(id)?.parent).any(|id| id == above)
    }

    /// Moves a scope to another parent.
    pub(crate) fn reparent(&self, id: ScopeId, parent: ScopeId) {
        let mut nodes = self.nodes.borrow_mut();
        let Some((old, links)) = nodes.get(id).map(|node| (node.parent, node.links)) else { return };
        Self::unlink(&mut nodes, old, links);
        let parent = Some(parent).filter(|&parent| nodes.get(parent).is_some());
        nodes[id].parent = parent;
        Self::link(&mut nodes, parent, id);
    }

    /// Calls `change` with the list of the waits in a scope. Returns whether the scope is there.
    #[inline]
    pub(crate) fn with_waits(&self, id: ScopeId, change: impl FnOnce(&mut List)) -> bool {
        let mut nodes = self.nodes.borrow_mut();
        nodes.get_mut(id).map(|node| change(&mut node.waits)).is_some()
    }

    /// The nearest deadline among a scope and all scopes around it that have not been cancelled.
    pub(crate) fn nearest_deadline(&self, id: ScopeId) -> f64 {
        let nodes = self.nodes.borrow();
        let around = std::iter::successors(nodes.get(id), |node| nodes.get(node.parent?));
        let open = around.filter(|node| !node.cell.called());
        open.fold(f64::INFINITY, |nearest, node| nearest.min(node.cell.absolute_deadline()))
    }

    /// The nearest deadline that is visible from a scope. It is minus infinity if the scope is cancelled.
    pub(crate) fn effective_deadline(&self, id: ScopeId) -> f64 {
        if self.is_cancelled(id) {
            return f64::NEG_INFINITY;
        }
        let nodes = self.nodes.borrow();
        let mut nearest = f64::INFINITY;
        let mut next = Some(id);
        while let Some(node) = next.and_then(|id| nodes.get(id)) {
            nearest = nearest.min(node.cell.absolute_deadline());
            next = if node.cell.is_shielded() { None } else { node.parent };
        }
        nearest
    }
}

impl ScopeTree {
    /// The reason of a cancellation outside, which a shield hides from this scope.
    pub(crate) fn hidden_cancellation(&self, id: ScopeId) -> Option<Arc<CancelReason>> {
        let nodes = self.nodes.borrow();
        let around = std::iter::successors(nodes.get(id), |node| nodes.get(node.parent?));
        let mut hidden =
            around.filter(|node| node.cell.is_shielded()).filter_map(|node| nodes.get(node.parent?));
        hidden.find(|outside| outside.visible.is_cancelled())?.cell.reason()
    }

    /// Calls `f` with the list of the waits in a scope, and with the list of each scope below it.
    pub(crate) fn waits_below(&self, id: ScopeId, mut f: impl FnMut(List)) {
        let nodes = self.nodes.borrow();
        let mut todo = vec![id];
        while let Some(node) = todo.pop().and_then(|id| nodes.get(id)) {
            f(node.waits);
            todo.extend(node.children.iter(&nodes));
        }
    }

    /// The scopes that the `chosen` nodes have entered, outermost first.
    pub(crate) fn entered_by(&self, chosen: impl Fn(NodeId) -> bool) -> Vec<Rc<ScopeState>> {
        let nodes = self.nodes.borrow();
        let own = nodes.iter().filter(|(_, node)| node.entered_by.is_some_and(&chosen));
        let mut own: Vec<_> = own.map(|(id, node)| (Self::depth(&nodes, id), node.cell.clone())).collect();
        own.sort_by_key(|(depth, _)| *depth);
        own.into_iter().map(|(_, cell)| cell).collect()
    }

    /// The innermost scope that the `chosen` nodes have entered.
    pub(crate) fn innermost_of(&self, chosen: impl Fn(NodeId) -> bool) -> Option<ScopeId> {
        let nodes = self.nodes.borrow();
        let own = nodes.iter().filter(|(_, node)| node.entered_by.is_some_and(&chosen));
        own.max_by_key(|(id, _)| Self::depth(&nodes, *id)).map(|(id, _)| id)
    }

    /// The number of scopes around a scope, with the scope itself.
    fn depth(nodes: &Table<ScopeNode>, id: ScopeId) -> usize {
        std::iter::successors(Some(id), |&id| nodes.get(id)?.parent).count()
    }

    /// The state that a scope shares with its handles.
    pub(crate) fn cell(&self, id: ScopeId) -> Option<Rc<ScopeState>> {
        self.nodes.borrow().get(id).map(|node| node.cell.clone())
    }
}
