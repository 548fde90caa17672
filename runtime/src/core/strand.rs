//! Strands, and the marks by which a poll finds its way down to them.
//!
//! A *strand* is a piece of a task that is polled on its own: the task's outermost future, or the
//! body of a nursery inside it. Strands and nurseries form a tree with the run's root strand at the
//! top: a nursery belongs to the strand whose future holds it (its *host*), a strand belongs to the
//! nursery that polls it. Futures can only be polled from the root downwards, so a wake has to leave
//! a trail: it queues the strand in its nursery, the nursery's host in the host's own nursery, and
//! so on up, stopping at the first that is queued already. A tick then descends only where something
//! is queued.
//!
//! Each entry of a queue says in which tick it is due. A strand that is woken during a tick is due
//! in the next one, wherever in the tree it sits: that is trio's batch.

use super::waker::{self, RunId, StrandId};
use slab::Slab;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    task::Waker,
};

/// The number of an open nursery within its run.
pub(crate) type NurseryId = u32;

/// What is known of a task: shared by its strands.
#[derive(Debug)]
pub(crate) struct TaskInfo {
    pub(crate) name: String,
}

/// Where a nursery keeps the future of a strand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Body,
    Child(usize),
}

#[derive(Debug)]
struct Strand {
    /// The nursery that polls it; none for the root.
    home: Option<(NurseryId, Slot)>,
    /// Whether it stands in its nursery's queue.
    queued: bool,
    task: Rc<TaskInfo>,
}

enum Host {
    Strand(StrandId),
    /// The nursery is polled through something foreign (a `join!`, a `FuturesUnordered`) that has
    /// wakers of its own.
    Foreign(Waker),
}

struct Nursery {
    host: Host,
    /// Strands to poll, and the tick from which each may be polled, in order of that tick.
    ready: VecDeque<(u64, Slot, StrandId)>,
    /// Whether the host has been told since the nursery was last polled.
    told: bool,
}

/// All strands and nurseries of a run.
pub(crate) struct Strands {
    run: RunId,
    strands: RefCell<Slab<Strand>>,
    nurseries: RefCell<Slab<Nursery>>,
    pub(crate) root_ready: Cell<bool>,
    pub(crate) tick: Cell<u64>,
    pub(crate) current: Cell<Option<StrandId>>,
}

impl Strands {
    pub(crate) fn new(run: RunId) -> Strands {
        Strands {
            run,
            strands: RefCell::default(),
            nurseries: RefCell::default(),
            root_ready: Cell::new(false),
            tick: Cell::new(0),
            current: Cell::new(None),
        }
    }

    pub(crate) fn add(&self, home: Option<(NurseryId, Slot)>, task: Rc<TaskInfo>) -> StrandId {
        self.strands.borrow_mut().insert(Strand { home, queued: false, task }) as StrandId
    }

    pub(crate) fn remove(&self, id: StrandId) {
        let strand = self.strands.borrow_mut().try_remove(id as usize);
        // Outside the borrow: the task's info may be the last of its kind.
        drop(strand);
    }

    pub(crate) fn task_of(&self, id: StrandId) -> Option<Rc<TaskInfo>> {
        self.strands.borrow().get(id as usize).map(|strand| strand.task.clone())
    }

    pub(crate) fn current_task(&self) -> Option<Rc<TaskInfo>> {
        self.task_of(self.current.get()?)
    }

    pub(crate) fn open_nursery(&self, host: &Waker) -> NurseryId {
        let nursery = Nursery { host: self.host_of(host), ready: VecDeque::new(), told: false };
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

    /// Queues a strand for the next tick, and every nursery and strand above it.
    pub(crate) fn wake(&self, id: StrandId) {
        let home = {
            let mut strands = self.strands.borrow_mut();
            let Some(strand) = strands.get_mut(id as usize) else { return };
            if std::mem::replace(&mut strand.queued, true) {
                return;
            }
            strand.home
        };
        match home {
            None => self.root_ready.set(true),
            Some((nursery, slot)) => {
                if let Some(nursery) = self.nurseries.borrow_mut().get_mut(nursery as usize) {
                    nursery.ready.push_back((self.tick.get() + 1, slot, id));
                }
                self.tell_host(nursery);
            }
        }
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
                Host::Strand(host) => *host,
                Host::Foreign(waker) => break waker.clone(),
            };
            let mut strands = self.strands.borrow_mut();
            let Some(strand) = strands.get_mut(host as usize) else { return };
            if std::mem::replace(&mut strand.queued, true) {
                return;
            }
            let Some((above, slot)) = strand.home else {
                self.root_ready.set(true);
                return;
            };
            if let Some(node) = nurseries.get_mut(above as usize) {
                node.ready.push_back((due, slot, host));
            }
            nursery = above;
        };
        // Foreign code: called with nothing borrowed.
        foreign.wake();
    }

    /// Notes that the root strand is about to be polled.
    pub(crate) fn begin_root(&self, id: StrandId) {
        self.root_ready.set(false);
        if let Some(strand) = self.strands.borrow_mut().get_mut(id as usize) {
            strand.queued = false;
        }
    }

    /// Notes that a nursery is being polled, by whom.
    pub(crate) fn begin_poll(&self, id: NurseryId, host: &Waker) {
        let old = {
            let mut nurseries = self.nurseries.borrow_mut();
            let Some(node) = nurseries.get_mut(id as usize) else { return };
            node.told = false;
            match (&node.host, waker::strand_of(host, self.run)) {
                (Host::Strand(old), Some(new)) if *old == new => return,
                (Host::Foreign(old), None) if old.will_wake(host) => return,
                _ => std::mem::replace(&mut node.host, self.host_of(host)),
            }
        };
        drop(old);
    }

    /// The next strand of a nursery that is due in this tick.
    pub(crate) fn next_due(&self, id: NurseryId) -> Option<(Slot, StrandId)> {
        let mut nurseries = self.nurseries.borrow_mut();
        let ready = &mut nurseries.get_mut(id as usize)?.ready;
        if ready.front()?.0 > self.tick.get() {
            return None;
        }
        let (_, slot, strand) = ready.pop_front()?;
        if let Some(node) = self.strands.borrow_mut().get_mut(strand as usize) {
            node.queued = false;
        }
        Some((slot, strand))
    }

    /// Ends the poll of a nursery: if strands are left for the next tick, the host is told.
    pub(crate) fn end_poll(&self, id: NurseryId) {
        let more = self.nurseries.borrow().get(id as usize).is_some_and(|n| !n.ready.is_empty());
        if more {
            self.tell_host(id);
        }
    }
}
