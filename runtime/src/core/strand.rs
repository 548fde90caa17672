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
    task::Task,
    waker::{self, RunId, StrandId},
};
use slab::Slab;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    task::Waker,
};

/// The number of an open nursery within its run.
pub(crate) type NurseryId = u32;

/// The nursery of the main task and the system tasks, polled by the run loop.
pub(crate) const ROOT: NurseryId = 0;

/// Where a nursery keeps the future of a strand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Body,
    Child(usize),
}

struct Strand {
    /// The nursery that polls it.
    home: (NurseryId, Slot),
    /// Whether it stands in its nursery's queue.
    queued: bool,
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
    /// Strands to poll, and the tick from which each may be polled, in order of that tick.
    ready: VecDeque<(u64, Slot, StrandId)>,
    /// Whether the host has been told since the nursery was last polled.
    told: bool,
}

/// A strand whose turn it is.
pub(crate) struct Turn {
    pub(crate) slot: Slot,
    pub(crate) strand: StrandId,
    /// Whether the strand itself was woken, and not only something below it.
    pub(crate) woken: bool,
}

/// All strands and nurseries of a run.
pub(crate) struct Strands {
    run: RunId,
    strands: RefCell<Slab<Strand>>,
    nurseries: RefCell<Slab<Nursery>>,
    /// Whether anything is to be polled in the next tick.
    pub(crate) root_ready: Cell<bool>,
    pub(crate) tick: Cell<u64>,
    pub(crate) current: Cell<Option<StrandId>>,
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
        let mut nurseries = Slab::new();
        nurseries.insert(Nursery { host: Host::Loop, owner: None, ready: VecDeque::new(), told: false });
        Strands {
            run,
            strands: RefCell::default(),
            nurseries: RefCell::new(nurseries),
            root_ready: Cell::new(false),
            tick: Cell::new(0),
            current: Cell::new(None),
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
        let strand = Strand { home, queued: false, woken: false, task };
        self.strands.borrow_mut().insert(strand) as StrandId
    }

    pub(crate) fn remove(&self, id: StrandId) -> Option<Task> {
        self.strands.borrow_mut().try_remove(id as usize).map(|strand| strand.task)
    }

    pub(crate) fn task_of(&self, id: StrandId) -> Option<Task> {
        self.strands.borrow().get(id as usize).map(|strand| strand.task.clone())
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

    pub(crate) fn open_nursery(&self, host: &Waker) -> NurseryId {
        let owner = self.current_task();
        let nursery = Nursery { host: self.host_of(host), owner, ready: VecDeque::new(), told: false };
        self.nurseries.borrow_mut().insert(nursery) as NurseryId
    }

    pub(crate) fn close_nursery(&self, id: NurseryId) {
        let nursery = self.nurseries.borrow_mut().try_remove(id as usize);
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
    pub(crate) fn wake(&self, id: StrandId) -> bool {
        let nursery = {
            let mut strands = self.strands.borrow_mut();
            let Some(strand) = strands.get_mut(id as usize) else { return false };
            let first = !std::mem::replace(&mut strand.woken, true);
            if std::mem::replace(&mut strand.queued, true) {
                return first;
            }
            let (nursery, slot) = strand.home;
            if let Some(node) = self.nurseries.borrow_mut().get_mut(nursery as usize) {
                node.ready.push_back((self.tick.get() + 1, slot, id));
                if node.told {
                    return true;
                }
            }
            nursery
        };
        self.tell_host(nursery);
        true
    }

    /// Makes sure that a nursery is polled in the next tick.
    pub(crate) fn tell_host(&self, mut nursery: NurseryId) {
        let due = self.tick.get() + 1;
        let foreign = loop {
            let mut nurseries = self.nurseries.borrow_mut();
            let Some(node) = nurseries.get_mut(nursery as usize) else { return };
            if std::mem::replace(&mut node.told, true) {
                return;
            }
            let host = match &node.host {
                Host::Loop => {
                    self.root_ready.set(true);
                    return;
                }
                Host::Strand(host) => *host,
                Host::Foreign(waker) => break waker.clone(),
            };
            let mut strands = self.strands.borrow_mut();
            let Some(strand) = strands.get_mut(host as usize) else { return };
            if std::mem::replace(&mut strand.queued, true) {
                return;
            }
            let (above, slot) = strand.home;
            if let Some(node) = nurseries.get_mut(above as usize) {
                node.ready.push_back((due, slot, host));
            }
            nursery = above;
        };
        // Foreign code: called with nothing borrowed.
        foreign.wake();
    }

    /// Makes sure that every nursery that a task has open is polled in the next tick.
    pub(crate) fn tell_nurseries_of(&self, task: &Task) {
        for (nursery, _) in self.nurseries_of(task) {
            self.tell_host(nursery);
        }
    }

    /// The strand that a nursery is polled by, if it is one of ours.
    pub(crate) fn host(&self, nursery: NurseryId) -> Option<StrandId> {
        match self.nurseries.borrow().get(nursery as usize)?.host {
            Host::Strand(host) => Some(host),
            _ => None,
        }
    }

    /// Notes that the run loop is polling the root nursery.
    pub(crate) fn begin_root(&self) {
        self.root_ready.set(false);
        if let Some(node) = self.nurseries.borrow_mut().get_mut(ROOT as usize) {
            node.told = false;
        }
        self.shuffle(ROOT);
    }

    /// Notes that a nursery is being polled, by whom.
    pub(crate) fn begin_poll(&self, id: NurseryId, host: &Waker) {
        let old = {
            let mut nurseries = self.nurseries.borrow_mut();
            let Some(node) = nurseries.get_mut(id as usize) else { return };
            node.told = false;
            match (&node.host, waker::strand_of(host, self.run)) {
                (Host::Strand(old), Some(new)) if *old == new => None,
                (Host::Foreign(old), None) if old.will_wake(host) => None,
                _ => Some(std::mem::replace(&mut node.host, self.host_of(host))),
            }
        };
        drop(old);
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
        let mut nurseries = self.nurseries.borrow_mut();
        let Some(node) = nurseries.get_mut(id as usize) else { return };
        let ready = node.ready.make_contiguous();
        let due = ready.partition_point(|entry| entry.0 <= self.tick.get());
        order.borrow_mut().shuffle(&mut ready[..due]);
    }

    /// The next strand of a nursery that is due in this tick.
    pub(crate) fn next_due(&self, id: NurseryId) -> Option<Turn> {
        let mut nurseries = self.nurseries.borrow_mut();
        let ready = &mut nurseries.get_mut(id as usize)?.ready;
        if ready.front()?.0 > self.tick.get() {
            return None;
        }
        let (_, slot, strand) = ready.pop_front()?;
        self.polls.set(self.polls.get().saturating_add(1));
        let mut woken = false;
        if let Some(node) = self.strands.borrow_mut().get_mut(strand as usize) {
            node.queued = false;
            woken = std::mem::replace(&mut node.woken, false);
        }
        Some(Turn { slot, strand, woken })
    }

    pub(crate) fn polls_since_look(&self) -> u32 {
        self.polls.get()
    }

    pub(crate) fn looked(&self) {
        self.polls.set(0);
    }

    /// Ends the poll of a nursery: if strands are left for the next tick, the host is told.
    pub(crate) fn end_poll(&self, id: NurseryId) {
        let more = self.nurseries.borrow().get(id as usize).is_some_and(|n| !n.ready.is_empty());
        if more {
            self.tell_host(id);
        }
    }
}

/// The tree, read off the tables. None of this is quick: it is for people who look.
impl Strands {
    /// How many strands were woken and wait for their turn.
    pub(crate) fn runnable(&self) -> usize {
        self.strands.borrow().iter().filter(|(_, strand)| strand.woken).count()
    }

    pub(crate) fn parent_of(&self, id: StrandId) -> Option<Task> {
        let (home, _) = self.strands.borrow().get(id as usize)?.home;
        self.nurseries.borrow().get(home as usize)?.owner.clone()
    }

    /// The nurseries that a task has open, oldest first, each with the tasks started in it.
    pub(crate) fn nurseries_of(&self, task: &Task) -> Vec<(NurseryId, Vec<Task>)> {
        let nurseries = self.nurseries.borrow();
        let own = nurseries.iter().filter(|(_, nursery)| nursery.owner.as_ref() == Some(task));
        own.map(|(id, _)| (id as NurseryId, self.tasks_in(id as NurseryId))).collect()
    }

    /// The tasks started in a nursery, oldest first.
    pub(crate) fn tasks_in(&self, id: NurseryId) -> Vec<Task> {
        let strands = self.strands.borrow();
        let inside = strands.iter().filter(|(_, strand)| match strand.home.1 {
            Slot::Body => id == ROOT && strand.home.0 == ROOT,
            Slot::Child(_) => strand.home.0 == id,
        });
        let mut tasks: Vec<Task> = inside.map(|(_, strand)| strand.task.clone()).collect();
        tasks.sort_by_key(Task::id);
        tasks
    }
}
