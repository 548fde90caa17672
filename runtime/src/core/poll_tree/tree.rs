//! All nodes of a run, and the marks by which a poll finds its way down to them.
//!
//! Here is what happens to a node between two polls: a waker finds it by its number, it is queued in its
//! [nursery](crate::core::poll_tree::nursery_node) with everything above it, and a tick takes it out again.

use crate::core::{
    block::wait::polled_in_another_run,
    cancel::tree::ScopeId,
    lowlevel::watch::Watches,
    poll_tree::{
        node::{Node, Queued},
        nursery_node::{NurseryNode, Parent},
        waker,
        waker::{NodeId, RunId},
    },
    run,
    table::Table,
    task::handle::{Own, Task},
};
use std::{
    cell::{Cell, RefCell},
    num::NonZeroU64,
    rc::Rc,
    task::Waker,
};

/// So many nurseries are kept for the next nurseries.
const SPARE: usize = 128;

/// The nodes of a run.
pub(crate) struct PollTree {
    run: RunId,
    table: RefCell<Table<Node>>,
    /// The nursery of the main task and the system tasks, polled by the run loop.
    root: Rc<NurseryNode>,
    /// Nurseries of nurseries that have closed, for the next ones: with room for queue and children, a nursery is
    /// several allocations.
    spare: RefCell<Vec<Rc<NurseryNode>>>,
    /// Whether anything is to be polled in the next tick.
    pub(crate) root_ready: Cell<bool>,
    pub(crate) tick: Cell<u64>,
    pub(crate) current: Cell<Option<NodeId>>,
    /// The task that has ended in the step of which instruments are being notified: it has no number any more.
    ended: RefCell<Option<Task>>,
    /// Whether all nodes that are being polled, one inside the other, are so only for one nursery below
    /// them: they have nothing else to do when the poll comes back to them.
    pub(crate) passes_through: Cell<bool>,
    /// How many nodes are queued in nurseries that are being polled.
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
            ended: RefCell::default(),
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
        match self.current.get() {
            Some(current) => self.task_of(current),
            None => self.ended.borrow().clone(),
        }
    }

    /// Calls `f` with a task as the current one that has ended in the step that ends now.
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

    /// Queues a node for the next tick, and every nursery and node above it. Returns whether the
    /// node had not been woken since its last poll.
    #[inline]
    pub(crate) fn wake(&self, id: NodeId) -> bool {
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
                    foreign.inspect(|waker| self.wake_foreign(waker));
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

    /// Puts a node into its nursery's queue for a nursery below it. Returns the nursery, unless it stood there already.
    fn push_for_below<'a>(&self, node: &'a Node) -> Option<&'a NurseryNode> {
        let (queued, stands) = match node.queued.get() {
            Queued::No => (Queued::ForOneBelow, false),
            Queued::ForOneBelow | Queued::ForSeveralBelow => (Queued::ForSeveralBelow, true),
            Queued::ForItself => (Queued::ForItself, true),
        };
        node.queued.set(queued);
        if stands { None } else { self.push(node) }
    }

    /// Makes sure that a nursery is polled in the next tick, by queueing its parent, and all above it. Returns a
    /// waker of somebody else's, if that is where the trail ends, to be woken when nothing is borrowed.
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

    /// Makes sure that a nursery is polled in the next tick.
    pub(crate) fn notify_parent(&self, nursery: &NurseryNode) {
        let foreign = self.notify(&self.table.borrow(), nursery);
        foreign.inspect(|waker| self.wake_foreign(waker));
    }

    /// Calls a waker of something foreign, with nothing borrowed.
    #[cold]
    fn wake_foreign(&self, waker: &Waker) {
        run::with_run(self.run, |run| run.wake_foreign(waker));
    }

    /// Makes sure that every nursery that a task has open is polled in the next tick.
    pub(crate) fn notify_nurseries_of(&self, task: &Task) {
        for nursery in self.nurseries_of(task) {
            self.notify_parent(&nursery);
        }
    }

    /// The node that a nursery is polled by, if it is one of ours.
    pub(crate) fn parent(&self, nursery: &NurseryNode) -> Option<NodeId> {
        match *nursery.parent.borrow() {
            Parent::Node(parent) => Some(parent),
            _ => None,
        }
    }

    /// The run is over. Nurseries that something foreign polls are woken: carried into another run, they panic, and do
    /// not wait for ever.
    pub(crate) fn end_all(&self) {
        let foreign: Vec<Waker> = {
            let table = self.table.borrow();
            let nurseries =
                table.iter().filter(|(_, node)| node.info.is_body()).filter_map(|(_, body)| body.nursery());
            let parents = nurseries.filter_map(|nursery| match &*nursery.parent.borrow() {
                Parent::Foreign(waker) => Some(waker.clone()),
                _ => None,
            });
            parents.collect()
        };
        foreign.iter().for_each(|waker| self.wake_foreign(waker));
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
        if run::try_with(|run| run.id) != Some(self.run) {
            polled_in_another_run();
        }
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

    /// A poll of a nursery ends: if nodes are left for the next tick, the parent is notified.
    pub(crate) fn end_poll(&self, nursery: &NurseryNode) {
        let queued = nursery.save_memory();
        if nursery.end() {
            self.queued_on_path.set(self.queued_on_path.get() - queued);
        }
        if queued > 0 {
            self.notify_parent(nursery);
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
        self.note_poll();
        let queued = node.queued.replace(Queued::No);
        Some((node, queued))
    }

    /// Something of the program's was run.
    #[inline]
    pub(crate) fn note_poll(&self) {
        self.polls.set(self.polls.get().saturating_add(1));
    }

    pub(crate) fn polls_since_look(&self) -> u32 {
        self.polls.get()
    }

    pub(crate) fn looked(&self) {
        self.polls.set(0);
    }
}

/// The tree, read off the table. None of this is quick: it is for people who look.
impl PollTree {
    /// How many nodes were woken and wait for their turn.
    pub(crate) fn runnable(&self) -> usize {
        self.table.borrow().iter().filter(|(_, node)| node.queued.get() == Queued::ForItself).count()
    }

    /// The nurseries that a task has open, outermost first.
    pub(crate) fn nurseries_of(&self, task: &Task) -> Vec<Rc<NurseryNode>> {
        let table = self.table.borrow();
        let bodies = table.iter().filter(|(_, node)| node.info.body_of().as_ref() == Some(task));
        let mut nurseries: Vec<Rc<NurseryNode>> =
            bodies.filter_map(|(_, body)| body.nursery().cloned()).collect();
        nurseries.sort_unstable_by_key(|nursery| nursery.serial.get());
        nurseries
    }

    /// All tasks that have not ended, oldest first.
    pub(crate) fn all_tasks(&self) -> Vec<Task> {
        let table = self.table.borrow();
        let own = table.iter().filter(|(_, node)| !node.info.is_body() && !node.has_ended());
        let mut tasks: Vec<Task> = own.map(|(_, node)| Task::of(node)).collect();
        tasks.sort_unstable_by_key(Task::id);
        tasks
    }

    /// Whether nothing of a task is runnable or being polled, and what it awaits is not the end of a nursery.
    pub(crate) fn is_waiting(&self, task: &Task) -> bool {
        if self.current_task().as_ref() == Some(task) {
            return false;
        }
        let table = self.table.borrow();
        let own = || table.iter().map(|(_, node)| node).filter(|node| Task::of(node) == *task);
        if own().any(|node| node.queued.get() == Queued::ForItself || node.is_polled()) {
            return false;
        }
        let serial = |body: &&Node| body.nursery().map_or(0, |nursery| nursery.serial.get());
        let innermost = own().filter(|node| node.info.is_body()).max_by_key(serial);
        innermost.is_none_or(|body| body.is_idle())
    }

    /// The tasks started in a nursery, oldest first.
    pub(crate) fn tasks_in(&self, nursery: &Rc<NurseryNode>) -> Vec<Task> {
        let table = self.table.borrow();
        let inside = table.iter().filter(|(_, node)| {
            node.info.body_of().is_none()
                && !node.has_ended()
                && node.nursery().is_some_and(|other| Rc::ptr_eq(other, nursery))
        });
        let mut tasks: Vec<Task> = inside.map(|(_, node)| Task::of(node)).collect();
        tasks.sort_unstable_by_key(Task::id);
        tasks
    }
}
