//! Whom a wait wakes, in half a word.
//!
//! It is a node of the wait's own run mostly, which is known by its number. What is polled through something
//! foreign, a `FuturesUnordered` say, comes with a waker of that: it is kept aside, in a table.

use crate::core::{
    ids::{NodeId, RunId},
    poll_tree::waker,
    table::{Key, Table},
};
use std::{cell::RefCell, task::Waker};

/// The number of a node or, with the spare bit set, of a foreign waker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiter(u32);

impl Waiter {
    fn node(id: NodeId) -> Waiter {
        Waiter(id.to_bits())
    }

    fn foreign(key: Key) -> Waiter {
        Waiter(key.to_bits() | Key::SPARE_BIT)
    }

    /// The number in it, if it is a foreign waker's.
    #[inline]
    fn as_foreign(self) -> Option<Key> {
        match self.0 & Key::SPARE_BIT {
            0 => None,
            _ => Key::from_bits(self.0 & !Key::SPARE_BIT),
        }
    }
}

/// A waker of something foreign, and the node that was being polled when it came.
struct Foreign {
    waker: Waker,
    polled_by: Option<NodeId>,
}

/// The foreign wakers of a run's waits.
#[derive(Default)]
pub(crate) struct Waiters {
    foreign: RefCell<Table<Foreign>>,
}

impl Waiters {
    /// Who is woken by `waker`, which came in a poll of the node `current`.
    #[inline]
    pub(crate) fn of(&self, run: RunId, current: Option<NodeId>, waker: &Waker) -> Waiter {
        match waker::node_of(waker, run) {
            Some(node) => Waiter::node(node),
            None => self.keep(current, waker),
        }
    }

    #[cold]
    fn keep(&self, current: Option<NodeId>, waker: &Waker) -> Waiter {
        // Foreign code: called with nothing borrowed.
        let foreign = Foreign { waker: waker.clone(), polled_by: current };
        Waiter::foreign(self.foreign.borrow_mut().insert(foreign))
    }

    /// Whether `waker` wakes this one.
    #[inline]
    pub(crate) fn is(&self, run: RunId, waiter: Waiter, waker: &Waker) -> bool {
        match (waiter.as_foreign(), waker::node_of(waker, run)) {
            (None, Some(node)) => waiter == Waiter::node(node),
            (Some(key), None) => {
                self.foreign.borrow().get(key).is_some_and(|known| known.waker.will_wake(waker))
            }
            _ => false,
        }
    }

    /// The node, if it is one.
    #[inline]
    pub(crate) fn node(&self, waiter: Waiter) -> Option<NodeId> {
        match waiter.as_foreign() {
            None => Key::from_bits(waiter.0),
            Some(_) => None,
        }
    }

    /// The node whose poll has begun the wait, or went on with it last: as far as is known, for people who look.
    pub(crate) fn polled_by(&self, waiter: Waiter) -> Option<NodeId> {
        match waiter.as_foreign() {
            None => self.node(waiter),
            Some(key) => self.foreign.borrow().get(key)?.polled_by,
        }
    }

    /// The waker, if it is one of something foreign.
    pub(crate) fn foreign(&self, waiter: Waiter) -> Option<Waker> {
        Some(self.foreign.borrow().get(waiter.as_foreign()?)?.waker.clone())
    }

    /// The wait is over, or it wakes another from now on.
    #[inline]
    pub(crate) fn forget(&self, waiter: Waiter) {
        if let Some(key) = waiter.as_foreign() {
            self.drop_foreign(key);
        }
    }

    #[cold]
    fn drop_foreign(&self, key: Key) {
        let waker = self.foreign.borrow_mut().remove(key);
        // Foreign code: called with nothing borrowed.
        drop(waker);
    }
}
