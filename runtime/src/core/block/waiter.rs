//! Waiters: what a wait wakes, in half a word.
//!
//! A waiter is mostly a node of the wait's own run, named by its number. A future that is polled through something
//! foreign, such as a `FuturesUnordered`, has a foreign waker. That waker is kept in a table, and the waiter is its
//! key.

use crate::core::{
    ids::{NodeId, RunId},
    poll_tree::waker,
    table::{Key, Table},
};
use std::{cell::RefCell, rc::Rc, task::Waker};

/// The number of a node, or the key of a foreign waker with the spare bit set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiter(u32);

impl Waiter {
    fn node(id: NodeId) -> Waiter {
        Waiter(id.to_bits())
    }

    fn foreign(key: Key) -> Waiter {
        Waiter(key.to_bits() | Key::SPARE_BIT)
    }

    /// The key of the foreign waker, if it is one.
    #[inline]
    fn as_foreign(self) -> Option<Key> {
        match self.0 & Key::SPARE_BIT {
            0 => None,
            _ => Key::from_bits(self.0 & !Key::SPARE_BIT),
        }
    }
}

/// A foreign waker, and the node that was being polled when it was handed over.
struct Foreign {
    /// Counted, so that it can be copied out of the table. A waker's own `clone` is foreign code.
    waker: Rc<Waker>,
    polled_by: Option<NodeId>,
}

/// The foreign wakers that the waits of a run wake.
#[derive(Default)]
pub(crate) struct Waiters {
    foreign: RefCell<Table<Foreign>>,
}

impl Waiters {
    /// The waiter for `waker`, which was handed over in a poll of the node `current`.
    #[inline]
    pub(crate) fn of(&self, run: RunId, current: Option<NodeId>, waker: &Waker) -> Waiter {
        match waker::node_of(waker, run) {
            Some(node) => Waiter::node(node),
            None => self.keep(current, waker),
        }
    }

    #[cold]
    fn keep(&self, current: Option<NodeId>, waker: &Waker) -> Waiter {
        // The waker's `clone` is foreign code, so nothing is borrowed when it is called.
        let foreign = Foreign { waker: Rc::new(waker.clone()), polled_by: current };
        Waiter::foreign(self.foreign.borrow_mut().insert(foreign))
    }

    /// Whether `waiter` stands for `waker`.
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

    /// The node, if the waiter is one.
    #[inline]
    pub(crate) fn node(&self, waiter: Waiter) -> Option<NodeId> {
        match waiter.as_foreign() {
            None => Key::from_bits(waiter.0),
            Some(_) => None,
        }
    }

    /// The node that polled the wait when it began, or when its waker last changed. This is not always known; it
    /// serves debugging.
    pub(crate) fn polled_by(&self, waiter: Waiter) -> Option<NodeId> {
        match waiter.as_foreign() {
            None => self.node(waiter),
            Some(key) => self.foreign.borrow().get(key)?.polled_by,
        }
    }

    /// The foreign waker, if the waiter is one.
    pub(crate) fn foreign(&self, waiter: Waiter) -> Option<Rc<Waker>> {
        Some(self.foreign.borrow().get(waiter.as_foreign()?)?.waker.clone())
    }

    /// Lets a waiter go, since its wait is over or has another waiter now.
    #[inline]
    pub(crate) fn release(&self, waiter: Waiter) {
        if let Some(key) = waiter.as_foreign() {
            self.drop_foreign(key);
        }
    }

    #[cold]
    fn drop_foreign(&self, key: Key) {
        let waker = self.foreign.borrow_mut().remove(key);
        // The waker's `drop` is foreign code, so nothing is borrowed when it is called.
        drop(waker);
    }
}
