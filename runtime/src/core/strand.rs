//! Strands, and the marks by which a poll finds its way down to them.
//!
//! A *strand* is a piece of a task that is polled on its own: the task's outermost future, or the
//! body of a nursery inside it. Strands and nurseries form a tree, with a nursery at the top that the
//! run loop itself polls: a nursery belongs to the strand whose future holds it (its *host*), a strand belongs to the
//! nursery that polls it. Futures can only be polled from the root downwards, so a wake has to leave
//! a trail: it queues the strand in its nursery, the nursery's host in the host's own nursery, and
//! so on up, stopping at the first that is queued already. A tick then descends only where something
//! is queued.
//!
//! Each entry of a queue says in which tick it is due. A strand that is woken during a tick is due
//! in the next one, wherever in the tree it sits: that is trio's batch. Within a nursery a batch runs
//! in the order of wakes, or in a random order if the run was given a seed.

use super::{
    table::{Key, Table},
    task::Task,
    waker::{self, RunId, StrandId},
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    task::Waker,
};

/// The number of an open nursery within its run.
pub(crate) type NurseryId = Key;

/// The nursery of the main task and the system tasks, polled by the run loop.
pub(crate) const ROOT: NurseryId = Key::FIRST;

/// Where a nursery keeps the future of a strand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Body,
    Child(Key),
}

struct Strand {
    /// The nursery that polls it.
    home: (NurseryId, Slot),
    /// The tick for which it stands in its nursery's queue; zero if it does not.
    due: u64,
    /// Whether it was woken itself, and not only something below it.
    woken: bool,
    task: Task,
}

enum Host {
    /// The run loop.
    Loop,
    Strand(StrandId),
    /// The nursery is polled through something foreign (a `join!`, a `FuturesUnordered`) that has
    /// wakers of its own.
    Foreign(Waker),
}

struct Nursery {
    host: Host,
    /// The task that opened it.
    owner: Option<Task>,
    /// Strands to poll, and the tick from which each may be polled, in order of that tick. One that has
    /// ended stays in here until its turn.
    ready: VecDeque<(u64, StrandId)>,
    /// How many of these have not ended.
    queued: usize,
    /// Whether it is being polled now.
    polled: bool,
    /// Whether the host has been told since the nursery was last polled. One that is being polled sees
    /// for itself, at the end of its poll, whether it must.
    told: bool,
}

impl Nursery {
    fn new(host: Host, owner: Option<Task>, polled: bool) -> Nursery {
        Nursery { host, owner, ready: VecDeque::new(), queued: 0, polled, told: polled }
    }
}

/// A strand whose turn it is.
pub(crate) struct Turn {
    pub(crate) slot: Slot,
    pub(crate) strand: StrandId,
    /// Whether the strand itself was woken, and not only something below it.
    pub(crate) woken: bool,
}

/// Both tables: what is done to one mostly leads on to the other.
#[derive(Default)]
struct Tree {
    strands: Table<Strand>,
    nurseries: Table<Nursery>,
    /// How many strands are queued in nurseries that are being polled.
    on_the_way: usize,
}

/// Where a trail of wakes ends.
enum Trail {
    /// Where everything above is queued already.
    Joined,
    AtLoop,
    /// At a waker of somebody else's, who is to be woken when nothing is borrowed.
    Foreign(Waker),
}

impl Tree {
    /// Queues a strand in its nursery, due in `tick`, and all above it.
    #[inline]
    fn queue(&mut self, id: StrandId, tick: u64) -> Trail {
        match self.push(id, tick) {
            Some(nursery) => self.tell(nursery, tick),
            None => Trail::Joined,
        }
    }

    /// Puts a strand into its nursery's queue. Returns the nursery, unless the strand stood there already.
    #[inline]
    fn push(&mut self, id: StrandId, tick: u64) -> Option<NurseryId> {
        let strand = self.strands.get_mut(id).filter(|strand| strand.due == 0)?;
        let nursery = strand.home.0;
        let node = self.nurseries.get_mut(nursery)?;
        strand.due = tick;
        node.ready.push_back((tick, id));
        node.queued += 1;
        self.on_the_way += usize::from(node.polled);
        Some(nursery)
    }

    /// A strand leaves a queue.
    fn unqueue(&mut self, nursery: NurseryId) {
        if let Some(node) = self.nurseries.get_mut(nursery) {
            node.queued -= 1;
            self.on_the_way -= usize::from(node.polled);
        }
    }

    /// A poll of a nursery begins.
    #[inline]
    fn begin(&mut self, id: NurseryId) -> Option<&mut Nursery> {
        let node = self.nurseries.get_mut(id)?;
        if !std::mem::replace(&mut node.polled, true) {
            self.on_the_way += node.queued;
        }
        node.told = true;
        Some(node)
    }

    /// A poll of a nursery ends; returns whether something is left for the next.
    #[inline]
    fn end(&mut self, id: NurseryId) -> bool {
        let Some(node) = self.nurseries.get_mut(id) else { return false };
        if std::mem::replace(&mut node.polled, false) {
            self.on_the_way -= node.queued;
        }
        node.told = false;
        node.queued > 0
    }

    /// Makes sure that a nursery is polled in `tick`, by queueing its host, and all above it.
    #[inline]
    fn tell(&mut self, mut nursery: NurseryId, tick: u64) -> Trail {
        loop {
            let Some(node) = self.nurseries.get_mut(nursery) else { return Trail::Joined };
            if std::mem::replace(&mut node.told, true) {
                return Trail::Joined;
            }
            let host = match &node.host {
                Host::Loop => return Trail::AtLoop,
                Host::Strand(host) => *host,
                Host::Foreign(waker) => return Trail::Foreign(waker.clone()),
            };
            let Some(above) = self.push(host, tick) else { return Trail::Joined };
            nursery = above;
        }
    }
}

/// All strands and nurseries of a run.
pub(crate) struct Strands {
    run: RunId,
    tree: RefCell<Tree>,
    /// Whether anything is to be polled in the next tick.
    pub(crate) root_ready: Cell<bool>,
    pub(crate) tick: Cell<u64>,
    pub(crate) current: Cell<Option<StrandId>>,
    /// Whether all strands that are being polled, one inside the other, are so only for what is below
    /// them: they have nothing to do themselves when the poll comes back to them.
    pub(crate) straight: Cell<bool>,
    /// How many tests watch for cancel points.
    pub(crate) watchers: Cell<u32>,
    /// How many strands were polled since the loop last looked at the system's events.
    polls: Cell<u32>,
    next_task: Cell<u64>,
    order: Option<RefCell<fastrand::Rng>>,
}

impl Strands {
    /// The tables of a new run, with its root nursery; `seed` makes the order of batches random.
    pub(crate) fn new(run: RunId, seed: Option<u64>) -> Strands {
        let mut tree = Tree::default();
        tree.nurseries.insert(Nursery::new(Host::Loop, None, false));
        Strands {
            run,
            tree: RefCell::new(tree),
            root_ready: Cell::new(false),
            tick: Cell::new(0),
            current: Cell::new(None),
            straight: Cell::new(true),
            watchers: Cell::new(0),
            polls: Cell::new(0),
            next_task: Cell::new(0),
            order: seed.map(|seed| RefCell::new(fastrand::Rng::with_seed(seed))),
        }
    }

    /// A number for a new task.
    pub(crate) fn number(&self) -> u64 {
        let number = self.next_task.get();
        self.next_task.set(number + 1);
        number
    }

    pub(crate) fn add(&self, home: (NurseryId, Slot), task: Task) -> StrandId {
        let strand = Strand { home, due: 0, woken: false, task };
        self.tree.borrow_mut().strands.insert(strand)
    }

    pub(crate) fn remove(&self, id: StrandId) -> Option<Task> {
        let mut tree = self.tree.borrow_mut();
        let strand = tree.strands.remove(id)?;
        if strand.due > 0 {
            tree.unqueue(strand.home.0);
        }
        Some(strand.task)
    }

    pub(crate) fn task_of(&self, id: StrandId) -> Option<Task> {
        self.tree.borrow().strands.get(id).map(|strand| strand.task.clone())
    }

    pub(crate) fn current_task(&self) -> Option<Task> {
        self.task_of(self.current.get()?)
    }

    /// Notes that the current task is where a cancellation would be raised, if anybody wants to know.
    #[inline]
    pub(crate) fn note_cancel_point(&self) {
        if self.watchers.get() > 0
            && let Some(task) = self.current_task()
        {
            let points = &task.0.cancel_points;
            points.set(points.get().wrapping_add(1));
        }
    }

    /// Opens a nursery, of which a first poll begins at once.
    pub(crate) fn open_nursery(&self, host: &Waker) -> NurseryId {
        let nursery = Nursery::new(self.host_of(host), self.current_task(), true);
        self.tree.borrow_mut().nurseries.insert(nursery)
    }

    pub(crate) fn close_nursery(&self, id: NurseryId) {
        let mut tree = self.tree.borrow_mut();
        tree.end(id);
        let nursery = tree.nurseries.remove(id);
        drop(tree);
        // Outside the borrow: it may hold the last reference to a task, or a foreign waker.
        drop(nursery);
    }

    fn host_of(&self, waker: &Waker) -> Host {
        match waker::strand_of(waker, self.run) {
            Some(strand) => Host::Strand(strand),
            None => Host::Foreign(waker.clone()),
        }
    }

    /// Queues a strand for the next tick, and every nursery and strand above it. Returns whether the
    /// strand had not been woken since its last poll.
    #[inline]
    pub(crate) fn wake(&self, id: StrandId) -> bool {
        let mut tree = self.tree.borrow_mut();
        let Some(strand) = tree.strands.get_mut(id) else { return false };
        let first = !std::mem::replace(&mut strand.woken, true);
        let trail = tree.queue(id, self.tick.get() + 1);
        drop(tree);
        self.follow(trail);
        first
    }

    /// Makes sure that a nursery is polled in the next tick.
    pub(crate) fn tell_host(&self, nursery: NurseryId) {
        let trail = self.tree.borrow_mut().tell(nursery, self.tick.get() + 1);
        self.follow(trail);
    }

    #[inline]
    fn follow(&self, trail: Trail) {
        match trail {
            Trail::Joined => {}
            Trail::AtLoop => self.root_ready.set(true),
            // Foreign code: called with nothing borrowed.
            Trail::Foreign(waker) => waker.wake(),
        }
    }

    /// Makes sure that every nursery that a task has open is polled in the next tick.
    pub(crate) fn tell_nurseries_of(&self, task: &Task) {
        for (nursery, _) in self.nurseries_of(task) {
            self.tell_host(nursery);
        }
    }

    /// The strand that a nursery is polled by, if it is one of ours.
    pub(crate) fn host(&self, nursery: NurseryId) -> Option<StrandId> {
        match self.tree.borrow().nurseries.get(nursery)?.host {
            Host::Strand(host) => Some(host),
            _ => None,
        }
    }

    /// The run loop begins to poll the root nursery.
    pub(crate) fn begin_root(&self) {
        self.root_ready.set(false);
        self.tree.borrow_mut().begin(ROOT);
        self.shuffle(ROOT);
    }

    /// A poll of a nursery begins, by the owner of a waker.
    pub(crate) fn begin_poll(&self, id: NurseryId, host: &Waker) {
        let mut tree = self.tree.borrow_mut();
        let Some(node) = tree.begin(id) else { return };
        let old = match (&node.host, waker::strand_of(host, self.run)) {
            (Host::Strand(old), Some(new)) if *old == new => None,
            (Host::Foreign(old), None) if old.will_wake(host) => None,
            _ => Some(std::mem::replace(&mut node.host, self.host_of(host))),
        };
        drop(tree);
        drop(old);
        self.shuffle(id);
    }

    /// A poll of a nursery ends: if strands are left for the next tick, the host is told.
    pub(crate) fn end_poll(&self, id: NurseryId) {
        let trail = {
            let mut tree = self.tree.borrow_mut();
            match tree.end(id) {
                true => tree.tell(id, self.tick.get() + 1),
                false => Trail::Joined,
            }
        };
        self.follow(trail);
    }

    /// Whether all that is to be polled in the whole run is to be polled by this nursery, which is being
    /// polled now, and nobody above it has anything else to do: see [`in_place`](super::in_place).
    #[inline]
    pub(crate) fn all_is_in(&self, id: NurseryId) -> bool {
        if !self.straight.get() {
            return false;
        }
        let tree = self.tree.borrow();
        let queued = tree.nurseries.get(id).map_or(0, |node| node.queued);
        queued > 0 && queued == tree.on_the_way
    }

    /// Begins the next tick, within the poll of a nursery.
    pub(crate) fn next_tick_in(&self, id: NurseryId) {
        self.tick.set(self.tick.get() + 1);
        self.shuffle(id);
    }

    /// Puts what is due in this tick into a random order, if the run has a seed.
    #[inline]
    fn shuffle(&self, id: NurseryId) {
        if let Some(order) = &self.order {
            self.shuffle_by(order, id);
        }
    }

    #[cold]
    fn shuffle_by(&self, order: &RefCell<fastrand::Rng>, id: NurseryId) {
        let mut tree = self.tree.borrow_mut();
        let Some(node) = tree.nurseries.get_mut(id) else { return };
        let ready = node.ready.make_contiguous();
        let due = ready.partition_point(|entry| entry.0 <= self.tick.get());
        order.borrow_mut().shuffle(&mut ready[..due]);
    }

    /// The next strand of a nursery that is due in this tick.
    #[inline]
    pub(crate) fn next_due(&self, id: NurseryId) -> Option<Turn> {
        let tick = self.tick.get();
        let mut tree = self.tree.borrow_mut();
        let Tree { strands, nurseries, on_the_way } = &mut *tree;
        let node = nurseries.get_mut(id)?;
        while let Some(&(due, strand)) = node.ready.front().filter(|(due, _)| *due <= tick) {
            node.ready.pop_front();
            // Its number may be another's by now, perhaps in another nursery.
            if let Some(next) = strands.get_mut(strand)
                && (next.home.0, next.due) == (id, due)
            {
                self.polls.set(self.polls.get().saturating_add(1));
                node.queued -= 1;
                *on_the_way -= 1;
                next.due = 0;
                let woken = std::mem::replace(&mut next.woken, false);
                return Some(Turn { slot: next.home.1, strand, woken });
            }
        }
        None
    }

    pub(crate) fn polls_since_look(&self) -> u32 {
        self.polls.get()
    }

    pub(crate) fn looked(&self) {
        self.polls.set(0);
    }
}

/// The tree, read off the tables. None of this is quick: it is for people who look.
impl Strands {
    /// How many strands were woken and wait for their turn.
    pub(crate) fn runnable(&self) -> usize {
        self.tree.borrow().strands.iter().filter(|(_, strand)| strand.woken).count()
    }

    pub(crate) fn parent_of(&self, id: StrandId) -> Option<Task> {
        let tree = self.tree.borrow();
        let (home, _) = tree.strands.get(id)?.home;
        tree.nurseries.get(home)?.owner.clone()
    }

    /// The nurseries that a task has open, oldest first, each with the tasks started in it.
    pub(crate) fn nurseries_of(&self, task: &Task) -> Vec<(NurseryId, Vec<Task>)> {
        let tree = self.tree.borrow();
        let own = tree.nurseries.iter().filter(|(_, nursery)| nursery.owner.as_ref() == Some(task));
        own.map(|(id, _)| (id, self.tasks_in(id))).collect()
    }

    /// The tasks started in a nursery, oldest first.
    pub(crate) fn tasks_in(&self, id: NurseryId) -> Vec<Task> {
        let tree = self.tree.borrow();
        let inside = tree.strands.iter().filter(|(_, strand)| match strand.home.1 {
            Slot::Body => id == ROOT && strand.home.0 == ROOT,
            Slot::Child(_) => strand.home.0 == id,
        });
        let mut tasks: Vec<Task> = inside.map(|(_, strand)| strand.task.clone()).collect();
        tasks.sort_by_key(Task::id);
        tasks
    }
}
