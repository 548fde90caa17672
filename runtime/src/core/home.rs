//! Homes: what the tree of polls knows of a nursery.
//!
//! Strands and nurseries form a tree, with a nursery at the top that the run loop itself polls: a nursery
//! belongs to the strand whose future holds it (its *host*), a strand belongs to the nursery that polls
//! it (its *home*). Futures can only be polled from the root downwards, so a wake has to leave a trail: it queues
//! the strand in its home, the home's host in the host's own home, and so on up, stopping at the
//! first that is queued already. A tick then descends only where something is queued.
//!
//! What is woken during a tick is due in the next one, wherever in the tree it sits: that is trio's batch, and the
//! [queue](super::queue) of each home keeps it apart from what came before.

use super::{
    queue::Queue,
    scope::{ROOT, ScopeId},
    strand::Strand,
    task::Task,
    waker::StrandId,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::Waker,
};

/// A list with more room than this is not kept for the next nursery.
const LONG: usize = 4096;

/// Whose poll polls a nursery.
pub(super) enum Host {
    /// The run loop.
    Loop,
    Strand(StrandId),
    /// The nursery is polled through something foreign (a `join!`, a `FuturesUnordered`) that has
    /// wakers of its own.
    Foreign(Waker),
}

/// A nursery as its strands know it.
pub(crate) struct Home {
    pub(super) host: RefCell<Host>,
    /// The task that opened it; none once it is closed, so that no task keeps those above it.
    pub(super) owner: RefCell<Option<Task>>,
    /// The scope around its body and children.
    pub(super) scope: Cell<ScopeId>,
    /// How many nurseries the run had opened before.
    pub(super) serial: Cell<u64>,
    /// The strands of its children, in no order.
    children: RefCell<Vec<Strand>>,
    /// Strands to poll.
    queue: RefCell<Queue>,
    /// Whether it is being polled now.
    polled: Cell<bool>,
    /// Whether the host has been told since the nursery was last polled. One that is being polled sees
    /// for itself, at the end of its poll, whether it must.
    pub(super) told: Cell<bool>,
}

impl Home {
    /// A home for the root nursery, or for none yet.
    pub(super) fn new() -> Rc<Home> {
        Rc::new(Home {
            host: RefCell::new(Host::Loop),
            owner: RefCell::default(),
            scope: Cell::new(ROOT),
            serial: Cell::new(0),
            children: RefCell::default(),
            queue: RefCell::default(),
            polled: Cell::new(false),
            told: Cell::new(false),
        })
    }

    /// Becomes that of the root nursery.
    pub(super) fn belongs_to(&self, root: Task) {
        self.owner.replace(Some(root));
    }

    /// Becomes the home of a nursery, of which a first poll begins.
    pub(super) fn open(&self, host: Host, owner: Task, scope: ScopeId, serial: u64) {
        let old = (self.host.replace(host), self.owner.replace(Some(owner)));
        drop(old);
        self.scope.set(scope);
        self.serial.set(serial);
        self.polled.set(true);
        self.told.set(true);
    }

    /// Takes a strand in as a child.
    pub(super) fn adopt(&self, strand: Strand) {
        let mut children = self.children.borrow_mut();
        strand.place.set(children.len() as u32);
        children.push(strand);
    }

    /// Strikes a child off the list; the last of the list moves into the gap.
    pub(super) fn strike(&self, strand: &Strand) {
        let mut children = self.children.borrow_mut();
        let place = strand.place.get() as usize;
        if children.get(place).is_some_and(|child| child == strand) {
            let _struck = children.swap_remove(place);
            if let Some(moved) = children.get(place) {
                moved.place.set(place as u32);
            }
        }
    }

    pub(super) fn child_count(&self) -> usize {
        self.children.borrow().len()
    }

    /// Strikes all children off the list; it is to be [given back](Home::give_back) when it is empty.
    pub(super) fn take_children(&self) -> Vec<Strand> {
        self.children.take()
    }

    /// Takes back the room of a list that is empty by now.
    pub(super) fn give_back(&self, room: Vec<Strand>) {
        self.children.replace(room);
    }

    /// How many strands are queued.
    #[inline]
    pub(super) fn queued(&self) -> usize {
        self.queue.borrow().len()
    }

    #[inline]
    pub(super) fn is_polled(&self) -> bool {
        self.polled.get()
    }

    /// Queues a strand that was woken in this tick.
    #[inline]
    pub(super) fn push(&self, strand: Strand, tick: u64) {
        self.queue.borrow_mut().push(strand, tick);
    }

    /// Takes out the next strand that is due in this tick.
    #[inline]
    pub(super) fn pop_due(&self, tick: u64) -> Option<Strand> {
        self.queue.borrow_mut().pop_due(tick)
    }

    /// Puts what is due in this tick into a random order.
    pub(super) fn shuffle(&self, tick: u64, order: &mut fastrand::Rng) {
        self.queue.borrow_mut().shuffle(tick, order);
    }

    /// A poll begins. Returns whether none was under way.
    #[inline]
    pub(super) fn begin(&self) -> bool {
        self.told.set(true);
        !self.polled.replace(true)
    }

    /// A poll ends. Returns whether one was under way.
    #[inline]
    pub(super) fn end(&self) -> bool {
        self.told.set(false);
        self.polled.replace(false)
    }

    /// Gives back what a long queue has left behind. Returns how many strands are queued.
    #[inline]
    pub(super) fn save_memory(&self) -> usize {
        let mut queue = self.queue.borrow_mut();
        queue.save_memory();
        queue.len()
    }

    /// Lets go of all that it knows. It may be another nursery's then.
    pub(super) fn clear(&self) {
        let known = (self.owner.take(), self.host.replace(Host::Loop));
        drop(known);
        if self.queued() > 0 {
            self.clear_queue();
        }
        if self.children.borrow().capacity() > LONG {
            self.children.take();
        }
    }

    #[cold]
    fn clear_queue(&self) {
        // Not in its place: what goes with the last reference to a strand may call back.
        let mut queue = self.queue.take();
        queue.clear();
        self.queue.replace(queue);
    }
}
