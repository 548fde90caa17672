//! The poll tree: all nodes of a run, and the marks that lead a poll down to the woken ones.
//!
//! This is what happens to a node between two polls. A waker finds it by its number. The wake puts the node into the
//! queue of its [nursery](crate::core::poll_tree::nursery_node), and makes sure that everything above is polled, too
//! ([`wake`](crate::core::poll_tree::wake)). A tick takes the node out again.

use crate::core::{
    ids::{NodeId, RunId, ScopeId},
    lowlevel::watch::Watches,
    poll_tree::{
        node::{Node, Queued},
        nursery_node::{NurseryNode, Parent},
        order::BatchOrder,
        waker,
    },
    spare::Spare,
    table::Table,
    task::handle::{Own, Task},
};
use std::{
    cell::{Cell, RefCell},
    num::NonZeroU64,
    rc::Rc,
    task::Waker,
};

/// The nodes of a run.
pub(crate) struct PollTree {
    run: RunId,
    pub(crate) table: RefCell<Table<Node>>,
    /// The nursery of the main task and the system tasks, polled by the run loop.
    root: Rc<NurseryNode>,
    /// Nursery nodes of nurseries that have closed, kept for the next ones. A nursery node is several allocations,
    /// with its queue and its list of children.
    spare: Spare<NurseryNode>,
    /// Whether anything is to be polled in the next tick.
    pub(crate) root_ready: Cell<bool>,
    pub(crate) tick: Cell<u64>,
    pub(crate) current: Cell<Option<NodeId>>,
    /// Whether the current node has woken itself. It is queued when its poll has ended. Then it need not be looked up,
    /// which saves a seventh of the instructions of a yield.
    pub(crate) woke_itself: Cell<bool>,
    /// The task that has just ended, while instruments are told of its last step. It has left the table already.
    ended: RefCell<Option<Task>>,
    /// True while each node on the poll path was entered only to reach a single nursery below it. Such a node has
    /// nothing else to do when the poll comes back to it.
    pub(crate) passes_through: Cell<bool>,
    /// How many nodes are queued in the nurseries on the poll path.
    pub(super) queued_on_path: Cell<usize>,
    pub(crate) watches: Watches,
    /// How many nodes were polled since the loop last looked at the system's events.
    polls: Cell<usize>,
    next_task: Cell<NonZeroU64>,
    next_nursery: Cell<u64>,
    order: BatchOrder,
}

impl PollTree {
    /// The tree of a new run, with its root nursery.
    pub(crate) fn new(run: RunId, order: BatchOrder) -> PollTree {
        PollTree {
            run,
            table: RefCell::default(),
            root: NurseryNode::new(),
            spare: Spare::default(),
            root_ready: Cell::new(false),
            tick: Cell::new(0),
            current: Cell::new(None),
            woke_itself: Cell::new(false),
            ended: RefCell::default(),
            passes_through: Cell::new(true),
            queued_on_path: Cell::new(0),
            watches: Watches::default(),
            polls: Cell::new(0),
            next_task: Cell::new(NonZeroU64::MIN),
            next_nursery: Cell::new(0),
            order,
        }
    }

    pub(crate) fn root(&self) -> &Rc<NurseryNode> {
        &self.root
    }

    /// A number for a new task.
    pub(crate) fn number(&self) -> NonZeroU64 {
        let number = self.next_task.get();
        self.next_task.set(number.saturating_add(1));
        number
    }

    /// Adds a node, which the nursery will poll.
    #[inline]
    pub(crate) fn add(&self, node: Node, nursery: Rc<NurseryNode>) -> NodeId {
        let mut table = self.table.borrow_mut();
        let id = table.next_key();
        node.place_in(nursery, id);
        table.insert(node)
    }

    /// Removes a node, unless that was done before.
    #[inline]
    pub(crate) fn remove(&self, node: &Node) {
        let removed = node.take_id().and_then(|id| self.table.borrow_mut().remove(id));
        drop(removed);
    }

    pub(crate) fn task_of(&self, id: NodeId) -> Option<Task> {
        self.table.borrow().get(id).map(Task::of)
    }

    pub(crate) fn current_task(&self) -> Option<Task> {
        match self.current.get() {
            Some(current) => self.task_of(current),
            None => self.ended.borrow().clone(),
        }
    }

    /// Calls `f` while `task`, which has just ended, still counts as the current task.
    pub(crate) fn with_ended(&self, task: &Task, f: impl FnOnce()) {
        let current = self.current.take();
        let before = self.ended.replace(Some(task.clone()));
        f();
        let own = self.ended.replace(before);
        drop(own);
        self.current.set(current);
    }

    /// Calls `f` with what is known of the current task.
    #[inline]
    pub(crate) fn with_current<R>(&self, f: impl FnOnce(&Own) -> R) -> Option<R> {
        let table = self.table.borrow();
        Some(table.get(self.current.get()?)?.info.with_own(f))
    }

    /// Tells the watches that the current task has reached a point where a cancellation would be raised.
    #[inline]
    pub(crate) fn note_cancel_point(&self) {
        self.watches.tell(|| self.current_task());
    }

    /// Opens a nursery. Its first poll begins at once.
    pub(crate) fn open_nursery(&self, parent: Parent, owner: Task, scope: ScopeId) -> Rc<NurseryNode> {
        let serial = self.next_nursery.get();
        self.next_nursery.set(serial + 1);
        let nursery = self.spare.take().unwrap_or_else(NurseryNode::new);
        nursery.open(parent, owner, scope, serial);
        nursery
    }

    pub(crate) fn close_nursery(&self, nursery: &Rc<NurseryNode>) {
        if nursery.end() {
            self.queued_on_path.set(self.queued_on_path.get() - nursery.queue_len());
        }
        nursery.clear();
        nursery.save_memory();
        self.spare.keep(nursery.clone());
    }

    /// Who polls a nursery that is polled with this waker.
    pub(crate) fn parent_of(&self, waker: &Waker) -> Parent {
        match waker::node_of(waker, self.run) {
            Some(node) => Parent::Node(node),
            // The waker's `clone` is foreign code, so nothing is borrowed when it is called.
            None => Parent::Foreign(Rc::new(waker.clone())),
        }
    }

    /// The node that is the parent of a nursery, if the parent is a node.
    pub(crate) fn parent(&self, nursery: &NurseryNode) -> Option<NodeId> {
        match *nursery.parent.borrow() {
            Parent::Node(parent) => Some(parent),
            _ => None,
        }
    }

    /// The wakers of all foreign parents of nurseries.
    pub(crate) fn foreign_parents(&self) -> Vec<Rc<Waker>> {
        let table = self.table.borrow();
        let nurseries =
            table.iter().filter(|(_, node)| node.info.is_body()).filter_map(|(_, body)| body.nursery());
        let parents = nurseries.filter_map(|nursery| match &*nursery.parent.borrow() {
            Parent::Foreign(waker) => Some(waker.clone()),
            _ => None,
        });
        parents.collect()
    }

    fn begin(&self, nursery: &NurseryNode) {
        if nursery.begin() {
            self.queued_on_path.set(self.queued_on_path.get() + nursery.queue_len());
        }
    }

    /// Notes that the run loop begins to poll the root nursery.
    pub(crate) fn begin_root(&self) {
        self.root_ready.set(false);
        self.begin(&self.root);
    }

    /// Notes that a poll of a nursery begins, with the waker `parent`.
    #[inline(always)]
    pub(crate) fn begin_poll(&self, nursery: &NurseryNode, body: &Node, parent: &Waker) {
        let same = match (&*nursery.parent.borrow(), waker::node_of(parent, self.run)) {
            (Parent::Node(old), Some(new)) => *old == new,
            (Parent::Foreign(old), None) => old.will_wake(parent),
            _ => false,
        };
        // A body whose task has ended is moved too. The number of the old parent may now belong to another node.
        if !same || body.info.is_orphaned() {
            self.move_to_parent(nursery, body, parent);
        }
        self.begin(nursery);
    }

    /// Gives a nursery a new parent, perhaps in another task. Its body is a part of that task from now on.
    #[cold]
    fn move_to_parent(&self, nursery: &NurseryNode, body: &Node, parent: &Waker) {
        let old = nursery.parent.replace(self.parent_of(parent));
        drop(old);
        if let Some(task) = self.current_task().filter(|task| body.info.body_of().as_ref() != Some(task)) {
            self.move_bodies(body, &task);
        }
    }

    /// Makes a nursery's body a part of another task, and also the bodies of the nurseries that are open inside it.
    fn move_bodies(&self, body: &Node, task: &Task) {
        let mut todo = vec![body.clone()];
        while let Some(body) = todo.pop() {
            body.info.move_body_to(task.clone());
            let former = body.nursery().and_then(|nursery| nursery.owner.replace(Some(task.clone())));
            // Dropping the former owner may run user code that calls back, so nothing is borrowed here.
            drop(former);
            let is_inside =
                |nursery: &Rc<NurseryNode>| body.id().is_some() && self.parent(nursery) == body.id();
            let table = self.table.borrow();
            let bodies = table.iter().map(|(_, node)| node).filter(|node| node.info.is_body());
            todo.extend(bodies.filter(|body| body.nursery().is_some_and(is_inside)).cloned());
        }
    }

    /// Notes that a poll of a nursery ends. If nodes are left for the next tick, notifies the parent. For
    /// `wake_foreign`, see [`PollTree::wake`].
    pub(crate) fn end_poll(&self, nursery: &NurseryNode, wake_foreign: impl FnOnce(&Waker)) {
        let queued = nursery.save_memory();
        if nursery.end() {
            self.queued_on_path.set(self.queued_on_path.get() - queued);
        }
        if queued > 0 {
            self.notify_parent_of(nursery, wake_foreign);
        }
    }

    /// Whether this nursery holds all that is to be polled in the whole run, and no node above it has anything else
    /// to do. The nursery is being polled now. See [`fast_path`](crate::core::poll_tree::fast_path).
    #[inline]
    pub(crate) fn all_is_in(&self, nursery: &NurseryNode) -> bool {
        let queued = nursery.queue_len();
        let goes_on = self.passes_through.get() && !self.woke_itself.get();
        goes_on && queued > 0 && queued == self.queued_on_path.get()
    }

    /// Begins the next tick, within the poll of a nursery.
    pub(crate) fn next_tick_in(&self, nursery: &NurseryNode) {
        self.tick.set(self.tick.get() + 1);
        nursery.save_memory();
    }

    /// Begins the batch of this tick in a nursery, and puts it into order. Returns how many nodes it has.
    #[inline]
    pub(crate) fn begin_batch(&self, nursery: &NurseryNode) -> usize {
        let due = nursery.begin_batch(self.tick.get());
        self.note_polls(due);
        if !self.order.is_as_woken() {
            nursery.arrange(due, &self.order);
        }
        due
    }

    /// Takes the next node of a batch, and says why it was queued.
    #[inline]
    pub(crate) fn next_queued(&self, nursery: &NurseryNode) -> Option<(Node, Queued)> {
        let node = nursery.pop()?;
        self.queued_on_path.set(self.queued_on_path.get() - 1);
        let queued = node.queued.replace(Queued::No);
        Some((node, queued))
    }

    /// Counts polls that are about to happen.
    #[inline]
    pub(crate) fn note_polls(&self, polls: usize) {
        self.polls.set(self.polls.get().saturating_add(polls));
    }

    pub(crate) fn polls_since_look(&self) -> usize {
        self.polls.get()
    }

    pub(crate) fn looked(&self) {
        self.polls.set(0);
    }
}
