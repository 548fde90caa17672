//! Nursery nodes: what the poll tree knows of a nursery.
//!
//! A nursery belongs to the node whose future holds it. That node is usually its *parent*. A node belongs to the
//! nursery that polls it. The root is a nursery that the run loop polls. Futures can only be polled from the top
//! downwards, so a wake leaves a trail. It queues the node in its nursery, then the nursery's parent in the nursery
//! above, and so on. The trail stops at the first node that is queued already, or nursery that was notified already,
//! since an earlier wake has made the rest of it. A tick then goes down only where something is queued.
//!
//! A node that is woken during a tick is polled in the next one, wherever in the tree it is. trio calls that a batch.
//! The [ready queue](crate::core::poll_tree::ready_queue) of each nursery keeps the new nodes apart from the earlier
//! ones.

use crate::core::{
    ids::{NodeId, ROOT, ScopeId},
    poll_tree::{node::Node, order::BatchOrder, ready_queue::ReadyQueue},
    task::handle::Task,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::Waker,
};

/// A list with more room than this is not kept for the next nursery.
const LONG: usize = 4096;

/// Who polls a nursery.
pub(crate) enum Parent {
    /// The run loop.
    RunLoop,
    Node(NodeId),
    /// Something foreign (a `join!`, a `FuturesUnordered`) that has wakers of its own.
    Foreign(Rc<Waker>),
}

/// The part of a nursery that the poll tree knows.
pub(crate) struct NurseryNode {
    pub(crate) parent: RefCell<Parent>,
    /// The task that opened the nursery. It is `None` once the nursery is closed, so that no task keeps those above
    /// it alive.
    pub(crate) owner: RefCell<Option<Task>>,
    /// The scope around the nursery's body and children.
    pub(crate) scope: Cell<ScopeId>,
    /// How many nurseries the run had opened before this one.
    pub(crate) serial: Cell<u64>,
    /// The children, in no order.
    children: RefCell<Vec<Node>>,
    queue: RefCell<ReadyQueue>,
    /// Whether the nursery is being polled now.
    polled: Cell<bool>,
    /// Whether the parent knows that it has to poll the nursery. Also true while the nursery is being polled: the end
    /// of that poll notifies the parent if nodes are left in the queue.
    pub(crate) notified: Cell<bool>,
}

impl NurseryNode {
    /// The node of the root nursery, or a spare one that no nursery uses yet.
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

    /// Makes this the node of the root nursery.
    pub(crate) fn belongs_to(&self, root: Task) {
        self.owner.replace(Some(root));
    }

    /// Makes this the node of a nursery whose first poll begins.
    pub(crate) fn open(&self, parent: Parent, owner: Task, scope: ScopeId, serial: u64) {
        let old = (self.parent.replace(parent), self.owner.replace(Some(owner)));
        drop(old);
        self.scope.set(scope);
        self.serial.set(serial);
        self.polled.set(true);
        self.notified.set(true);
    }

    /// Adds a child.
    pub(crate) fn add_child(&self, node: Node) {
        let mut children = self.children.borrow_mut();
        node.place.set(children.len() as u32);
        children.push(node);
    }

    /// Removes a child. The last child moves into the gap.
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

    /// Removes all children. The caller [gives the list back](NurseryNode::keep_room) when it is empty.
    pub(crate) fn take_children(&self) -> Vec<Node> {
        self.children.take()
    }

    /// Takes an emptied list of children back, to use its memory again.
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

    /// Begins the batch of this tick. Returns how many nodes it has. The caller takes out that many.
    #[inline]
    pub(crate) fn begin_batch(&self, tick: u64) -> usize {
        self.queue.borrow_mut().begin_batch(tick)
    }

    /// Takes out the next node.
    #[inline]
    pub(crate) fn pop(&self) -> Option<Node> {
        self.queue.borrow_mut().pop()
    }

    /// Puts the first `due` nodes of the queue into order.
    pub(crate) fn arrange(&self, due: usize, order: &BatchOrder) {
        self.queue.borrow_mut().arrange(due, order);
    }

    /// Notes that a poll begins. Returns true if it is the outermost poll of this nursery.
    #[inline]
    pub(crate) fn begin(&self) -> bool {
        self.notified.set(true);
        !self.polled.replace(true)
    }

    /// Notes that a poll ends. Returns whether one was under way.
    #[inline]
    pub(crate) fn end(&self) -> bool {
        self.notified.set(false);
        self.polled.replace(false)
    }

    /// Frees memory that a long queue no longer needs. Returns how many nodes are queued.
    #[inline]
    pub(crate) fn save_memory(&self) -> usize {
        let mut queue = self.queue.borrow_mut();
        queue.save_memory();
        queue.len()
    }

    /// Forgets everything, so that another nursery can use this node.
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
        // Dropping the last reference to a node may run user code that calls back, so nothing is borrowed meanwhile.
        let mut queue = self.queue.take();
        queue.clear();
        self.queue.replace(queue);
    }
}
