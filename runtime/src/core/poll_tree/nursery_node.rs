//! Nurseries: what the tree of polls knows of a nursery.
//!
//! PollTree and nurseries form a tree, with a nursery at the top that the run loop itself polls: a nursery
//! belongs to the node whose future holds it (its *parent*), a node belongs to the nursery that polls
//! it (its *nursery*). Futures can only be polled from the root downwards, so a wake has to leave a trail: it queues
//! the node in its nursery, the nursery's parent in the parent's own nursery, and so on up, stopping at the
//! first that is queued already. A tick then descends only where something is queued.
//!
//! What is woken during a tick is due in the next one, wherever in the tree it sits: that is trio's batch, and the
//! [queue](crate::core::poll_tree::ready_queue) of each nursery keeps it apart from what came before.

use crate::core::{
    cancel::tree::{ROOT, ScopeId},
    poll_tree::{node::Node, ready_queue::Queue, waker::NodeId},
    task::handle::Task,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::Waker,
};

/// A list with more room than this is not kept for the next nursery.
const LONG: usize = 4096;

/// Whose poll polls a nursery.
pub(crate) enum Parent {
    /// The run loop.
    RunLoop,
    Node(NodeId),
    /// The nursery is polled through something foreign (a `join!`, a `FuturesUnordered`) that has
    /// wakers of its own.
    Foreign(Waker),
}

/// A nursery as its nodes know it.
pub(crate) struct NurseryNode {
    pub(crate) parent: RefCell<Parent>,
    /// The task that opened it; none once it is closed, so that no task keeps those above it.
    pub(crate) owner: RefCell<Option<Task>>,
    /// The scope around its body and children.
    pub(crate) scope: Cell<ScopeId>,
    /// How many nurseries the run had opened before.
    pub(crate) serial: Cell<u64>,
    /// The nodes of its children, in no order.
    children: RefCell<Vec<Node>>,
    /// PollTree to poll.
    queue: RefCell<Queue>,
    /// Whether it is being polled now.
    polled: Cell<bool>,
    /// Whether the parent has been notified since the nursery was last polled. One that is being polled sees
    /// for itself, at the end of its poll, whether it must.
    pub(crate) notified: Cell<bool>,
}

impl NurseryNode {
    /// A nursery for the root nursery, or for none yet.
    pub(crate) fn new() -> Rc<NurseryNode> {
        Rc::new(NurseryNode {
            parent: RefCell::new(Parent::RunLoop),
            owner: RefCell::default(),
            scope: Cell::new(ROOT),
            serial: Cell::new(0),
            children: RefCell::default(),
            queue: RefCell::default(),
            polled: Cell::new(false),
            notified: Cell::new(false),
        })
    }

    /// Becomes that of the root nursery.
    pub(crate) fn belongs_to(&self, root: Task) {
        self.owner.replace(Some(root));
    }

    /// Becomes the nursery of a nursery, of which a first poll begins.
    pub(crate) fn open(&self, parent: Parent, owner: Task, scope: ScopeId, serial: u64) {
        let old = (self.parent.replace(parent), self.owner.replace(Some(owner)));
        drop(old);
        self.scope.set(scope);
        self.serial.set(serial);
        self.polled.set(true);
        self.notified.set(true);
    }

    /// Takes a node in as a child.
    pub(crate) fn add_child(&self, node: Node) {
        let mut children = self.children.borrow_mut();
        node.place.set(children.len() as u32);
        children.push(node);
    }

    /// Strikes a child off the list; the last of the list moves into the gap.
    pub(crate) fn remove_child(&self, node: &Node) {
        let mut children = self.children.borrow_mut();
        let place = node.place.get() as usize;
        if children.get(place).is_some_and(|child| child == node) {
            let _struck = children.swap_remove(place);
            if let Some(moved) = children.get(place) {
                moved.place.set(place as u32);
            }
        }
    }

    pub(crate) fn child_count(&self) -> usize {
        self.children.borrow().len()
    }

    /// Strikes all children off the list; it is to be [given back](NurseryNode::keep_room) when it is empty.
    pub(crate) fn take_children(&self) -> Vec<Node> {
        self.children.take()
    }

    /// Takes back the room of a list that is empty by now.
    pub(crate) fn keep_room(&self, room: Vec<Node>) {
        self.children.replace(room);
    }

    /// How many nodes are queued.
    #[inline]
    pub(crate) fn queue_len(&self) -> usize {
        self.queue.borrow().len()
    }

    #[inline]
    pub(crate) fn is_polled(&self) -> bool {
        self.polled.get()
    }

    /// Queues a node that was woken in this tick.
    #[inline]
    pub(crate) fn push(&self, node: Node, tick: u64) {
        self.queue.borrow_mut().push(node, tick);
    }

    /// Takes out the next node that is due in this tick.
    #[inline]
    pub(crate) fn pop_due(&self, tick: u64) -> Option<Node> {
        self.queue.borrow_mut().pop_due(tick)
    }

    /// Puts what is due in this tick into a random order.
    pub(crate) fn shuffle(&self, tick: u64, order: &mut fastrand::Rng) {
        self.queue.borrow_mut().shuffle(tick, order);
    }

    /// A poll begins. Returns whether none was under way.
    #[inline]
    pub(crate) fn begin(&self) -> bool {
        self.notified.set(true);
        !self.polled.replace(true)
    }

    /// A poll ends. Returns whether one was under way.
    #[inline]
    pub(crate) fn end(&self) -> bool {
        self.notified.set(false);
        self.polled.replace(false)
    }

    /// Gives back what a long queue has left behind. Returns how many nodes are queued.
    #[inline]
    pub(crate) fn save_memory(&self) -> usize {
        let mut queue = self.queue.borrow_mut();
        queue.save_memory();
        queue.len()
    }

    /// Lets go of all that it knows. It may be another nursery's then.
    pub(crate) fn clear(&self) {
        let known = (self.owner.take(), self.parent.replace(Parent::RunLoop));
        drop(known);
        if self.queue_len() > 0 {
            self.clear_queue();
        }
        if self.children.borrow().capacity() > LONG {
            self.children.take();
        }
    }

    #[cold]
    fn clear_queue(&self) {
        // Not in its place: what goes with the last reference to a node may call back.
        let mut queue = self.queue.take();
        queue.clear();
        self.queue.replace(queue);
    }
}
