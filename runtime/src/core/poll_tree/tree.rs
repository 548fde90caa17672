//! The poll tree: all nodes of a run, and the marks by which a poll finds its way down to them.
//!
//! Here is what happens to a node between two polls. A waker finds it by its number. It is queued in its
//! [nursery](crate::core::poll_tree::nursery_node), with everything above it. A tick takes it out again.

use crate::core::{
    ids::{NodeId, RunId, ScopeId},
    lowlevel::watch::Watches,
    poll_tree::{
        node::{Node, Queued},
        nursery_node::{NurseryNode, Parent},
        waker,
    },
    table::Table,
    task::handle::{Own, Task},
};
use std::{
    cell::{Cell, RefCell},
    num::NonZeroU64,
    rc::Rc,
    task::Waker,
};

/// So many nursery nodes are kept for the next nurseries.
const SPARE: usize = 128;

/// The nodes of a run.
pub(crate) struct PollTree {
    run: RunId,
    pub(crate) table: RefCell<Table<Node>>,
    /// The nursery of the main task and the system tasks, polled by the run loop.
    root: Rc<NurseryNode>,
    /// Nodes of nurseries that have closed, kept for the next ones: one is several allocations, with its queue and its
    /// list of children.
    spare: RefCell<Vec<Rc<NurseryNode>>>,
    /// Whether anything is to be polled in the next tick.
    pub(crate) root_ready: Cell<bool>,
    pub(crate) tick: Cell<u64>,
    pub(crate) current: Cell<Option<NodeId>>,
    /// True while each node on the poll path was entered only to reach one nursery below it. Such a node has nothing else
    /// to do when the poll comes back to it.
    pub(crate) passes_through: Cell<bool>,
    /// How many nodes are queued in the nurseries on the poll path.
    queued_on_path: Cell<usize>,
    pub(crate) watches: Watches,
    /// How many nodes were polled since the loop last looked at the system's events.
    polls: Cell<u32>,
    next_task: Cell<NonZeroU64>,
    next_nursery: Cell<u64>,
    order: Option<RefCell<fastrand::Rng>>,
}

impl PollTree {
    /// The table of a new run, with its root nursery; `seed` makes the order of batches random.
    pub(crate) fn new(run: RunId, seed: Option<u64>) -> PollTree {
        PollTree {
            run,
            table: RefCell::default(),
            root: NurseryNode::new(),
            spare: RefCell::default(),
            root_ready: Cell::new(false),
            tick: Cell::new(0),
            current: Cell::new(None),
            passes_through: Cell::new(true),
            queued_on_path: Cell::new(0),
            watches: Watches::default(),
            polls: Cell::new(0),
            next_task: Cell::new(NonZeroU64::MIN),
            next_nursery: Cell::new(0),
            order: seed.map(|seed| RefCell::new(fastrand::Rng::with_seed(seed))),
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

    /// Takes a node in, to be polled by a nursery.
    #[inline]
    pub(crate) fn add(&self, node: Node, nursery: Rc<NurseryNode>) -> NodeId {
        let mut table = self.table.borrow_mut();
        let id = table.next_key();
        node.place_in(nursery, id);
        table.insert(node)
    }

    /// Takes a node out, unless that was done before.
    #[inline]
    pub(crate) fn remove(&self, node: &Node) {
        let removed = node.take_id().and_then(|id| self.table.borrow_mut().remove(id));
        drop(removed);
    }

    pub(crate) fn task_of(&self, id: NodeId) -> Option<Task> {
        self.table.borrow().get(id).map(Task::of)
    }

    pub(crate) fn current_task(&self) -> Option<Task> {
        self.task_of(self.current.get()?)
    }

    /// Calls `f` with what is known of the current task.
    #[inline]
    pub(crate) fn with_current<R>(&self, f: impl FnOnce(&Own) -> R) -> Option<R> {
        let table = self.table.borrow();
        Some(table.get(self.current.get()?)?.info.with_own(f))
    }

    /// Notes that the current task is where a cancellation would be raised, if anybody wants to know.
    #[inline]
    pub(crate) fn note_cancel_point(&self) {
        self.watches.tell(|| self.current_task());
    }

    /// Opens a nursery, of which a first poll begins at once.
    pub(crate) fn open_nursery(&self, parent: &Waker, owner: Task, scope: ScopeId) -> Rc<NurseryNode> {
        let serial = self.next_nursery.get();
        self.next_nursery.set(serial + 1);
        let spare = self.spare.borrow_mut().pop();
        // Tasks that have ended may still have a handle, and know where they were.
        let nursery = spare.filter(|nursery| Rc::strong_count(nursery) == 1).unwrap_or_else(NurseryNode::new);
        nursery.open(self.parent_of(parent), owner, scope, serial);
        nursery
    }

    pub(crate) fn close_nursery(&self, nursery: &Rc<NurseryNode>) {
        if nursery.end() {
            self.queued_on_path.set(self.queued_on_path.get() - nursery.queue_len());
        }
        nursery.clear();
        nursery.save_memory();
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE {
            spare.push(nursery.clone());
        }
    }

    fn parent_of(&self, waker: &Waker) -> Parent {
        match waker::node_of(waker, self.run) {
            Some(node) => Parent::Node(node),
            None => Parent::Foreign(waker.clone()),
        }
    }

    /// Queues a node for the next tick, and every nursery and node above it. If the trail ends at something foreign,
    /// `wake_foreign` is called with its waker. Returns whether the node had not been woken since its last poll.
    #[inline]
    pub(crate) fn wake(&self, id: NodeId, wake_foreign: impl FnOnce(&Waker)) -> bool {
        let table = self.table.borrow();
        let Some(node) = table.get(id) else { return false };
        match node.queued.replace(Queued::ForItself) {
            Queued::ForItself => return false,
            Queued::ForOneBelow | Queued::ForSeveralBelow => {}
            Queued::No => {
                if let Some(nursery) = self.push(node)
                    && !nursery.notified.get()
                {
                    let foreign = self.notify(&table, nursery);
                    drop(table);
                    foreign.inspect(wake_foreign);
                }
            }
        }
        true
    }

    /// Puts a node into its nursery's queue. Returns the nursery.
    #[inline(always)]
    fn push<'a>(&self, node: &'a Node) -> Option<&'a NurseryNode> {
        let nursery = node.nursery()?;
        nursery.push(node.clone(), self.tick.get());
        if nursery.is_polled() {
            self.queued_on_path.set(self.queued_on_path.get() + 1);
        }
        Some(nursery)
    }

    /// Puts a node into its nursery's queue, to reach a nursery below it. Returns the nursery, unless the node stood there
    /// already.
    fn push_for_below<'a>(&self, node: &'a Node) -> Option<&'a NurseryNode> {
        let (queued, stands) = match node.queued.get() {
            Queued::No => (Queued::ForOneBelow, false),
            Queued::ForOneBelow | Queued::ForSeveralBelow => (Queued::ForSeveralBelow, true),
            Queued::ForItself => (Queued::ForItself, true),
        };
        node.queued.set(queued);
        if stands { None } else { self.push(node) }
    }

    /// Makes sure that a nursery is polled in the next tick, by queueing its parent, and all above it. If the trail ends at
    /// something foreign, returns its waker, which is to be called when nothing is borrowed.
    fn notify<'a>(&self, table: &'a Table<Node>, mut nursery: &'a NurseryNode) -> Option<Waker> {
        while !nursery.notified.replace(true) {
            let parent = match &*nursery.parent.borrow() {
                Parent::RunLoop => {
                    self.root_ready.set(true);
                    return None;
                }
                Parent::Node(parent) => *parent,
                Parent::Foreign(waker) => return Some(waker.clone()),
            };
            nursery = self.push_for_below(table.get(parent)?)?;
        }
        None
    }

    /// Makes sure that a nursery is polled in the next tick, as [`PollTree::wake`] does.
    pub(crate) fn notify_parent(&self, nursery: &NurseryNode, wake_foreign: impl FnOnce(&Waker)) {
        let foreign = self.notify(&self.table.borrow(), nursery);
        foreign.inspect(wake_foreign);
    }

    /// The node that a nursery is polled by, if it is one of ours.
    pub(crate) fn parent(&self, nursery: &NurseryNode) -> Option<NodeId> {
        match *nursery.parent.borrow() {
            Parent::Node(parent) => Some(parent),
            _ => None,
        }
    }

    /// The wakers of all that is foreign and polls a nursery.
    pub(crate) fn foreign_parents(&self) -> Vec<Waker> {
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
        self.shuffle(nursery);
    }

    /// The run loop begins to poll the root nursery.
    pub(crate) fn begin_root(&self) {
        self.root_ready.set(false);
        self.begin(&self.root);
    }

    /// A poll of a nursery begins, by the owner of a waker.
    #[inline(always)]
    pub(crate) fn begin_poll(&self, nursery: &NurseryNode, body: &Node, parent: &Waker) {
        let same = match (&*nursery.parent.borrow(), waker::node_of(parent, self.run)) {
            (Parent::Node(old), Some(new)) => *old == new,
            (Parent::Foreign(old), None) => old.will_wake(parent),
            _ => false,
        };
        // The number of a task that has ended may be another's.
        if !same || body.info.is_orphaned() {
            self.move_to_parent(nursery, body, parent);
        }
        self.begin(nursery);
    }

    /// The nursery's future has come to be polled by another, perhaps in another task: its body is a part of that
    /// one from now on.
    #[cold]
    fn move_to_parent(&self, nursery: &NurseryNode, body: &Node, parent: &Waker) {
        let old = nursery.parent.replace(self.parent_of(parent));
        drop(old);
        if let Some(task) = self.current_task().filter(|task| body.info.body_of().as_ref() != Some(task)) {
            self.move_bodies(body, &task);
        }
    }

    /// Makes a nursery's body, and those of the nurseries that are open inside it, a part of another task.
    fn move_bodies(&self, body: &Node, task: &Task) {
        let mut todo = vec![body.clone()];
        while let Some(body) = todo.pop() {
            body.info.move_body_to(task.clone());
            let former = body.nursery().and_then(|nursery| nursery.owner.replace(Some(task.clone())));
            // What goes with it may call back: nothing is borrowed.
            drop(former);
            let is_inside =
                |nursery: &Rc<NurseryNode>| body.id().is_some() && self.parent(nursery) == body.id();
            let table = self.table.borrow();
            let bodies = table.iter().map(|(_, node)| node).filter(|node| node.info.is_body());
            todo.extend(bodies.filter(|body| body.nursery().is_some_and(is_inside)).cloned());
        }
    }

    /// A poll of a nursery ends: if nodes are left for the next tick, the parent is notified, as [`PollTree::wake`] does.
    pub(crate) fn end_poll(&self, nursery: &NurseryNode, wake_foreign: impl FnOnce(&Waker)) {
        let queued = nursery.save_memory();
        if nursery.end() {
            self.queued_on_path.set(self.queued_on_path.get() - queued);
        }
        if queued > 0 {
            self.notify_parent(nursery, wake_foreign);
        }
    }

    /// Whether all that is to be polled in the whole run is to be polled by this nursery, which is being
    /// polled now, and nobody above it has anything else to do: see [`in_place`](crate::core::poll_tree::fast_path).
    #[inline]
    pub(crate) fn all_is_in(&self, nursery: &NurseryNode) -> bool {
        let queued = nursery.queue_len();
        self.passes_through.get() && queued > 0 && queued == self.queued_on_path.get()
    }

    /// Begins the next tick, within the poll of a nursery.
    pub(crate) fn next_tick_in(&self, nursery: &NurseryNode) {
        self.tick.set(self.tick.get() + 1);
        nursery.save_memory();
        self.shuffle(nursery);
    }

    /// Puts what is due in this tick into a random order, if the run has a seed.
    #[inline]
    fn shuffle(&self, nursery: &NurseryNode) {
        if let Some(order) = &self.order {
            self.shuffle_by(order, nursery);
        }
    }

    #[cold]
    fn shuffle_by(&self, order: &RefCell<fastrand::Rng>, nursery: &NurseryNode) {
        nursery.shuffle(self.tick.get(), &mut order.borrow_mut());
    }

    /// The next node of a nursery that is due in this tick, and what for.
    #[inline]
    pub(crate) fn next_queued(&self, nursery: &NurseryNode) -> Option<(Node, Queued)> {
        let node = nursery.pop_due(self.tick.get())?;
        self.queued_on_path.set(self.queued_on_path.get() - 1);
        self.polls.set(self.polls.get().saturating_add(1));
        let queued = node.queued.replace(Queued::No);
        Some((node, queued))
    }

    pub(crate) fn polls_since_look(&self) -> u32 {
        self.polls.get()
    }

    pub(crate) fn looked(&self) {
        self.polls.set(0);
    }
}
