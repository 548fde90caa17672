//! Whom a wait wakes, in half a word.
//!
//! It is a strand of the wait's own run mostly, which is known by its number. What is polled through something
//! foreign, a `FuturesUnordered` say, comes with a waker of that: it is kept aside, in a table.

use super::{
    run::Run,
    table::{Key, Table},
    waker::{self, StrandId},
};
use std::{cell::RefCell, task::Waker};

/// The number of a strand or, with the spare bit set, of a foreign waker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiter(u32);

impl Waiter {
    fn strand(id: StrandId) -> Waiter {
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

/// The foreign wakers of a run's waits.
#[derive(Default)]
pub(super) struct Waiters {
    foreign: RefCell<Table<Waker>>,
}

impl Waiters {
    /// Who is woken by `waker`.
    #[inline]
    pub(super) fn of(&self, run: &Run, waker: &Waker) -> Waiter {
        match waker::strand_of(waker, run.id) {
            Some(strand) => Waiter::strand(strand),
            None => self.keep(waker),
        }
    }

    #[cold]
    fn keep(&self, waker: &Waker) -> Waiter {
        // Foreign code: called with nothing borrowed.
        let waker = waker.clone();
        Waiter::foreign(self.foreign.borrow_mut().insert(waker))
    }

    /// Whether `waker` wakes this one.
    #[inline]
    pub(super) fn is(&self, run: &Run, waiter: Waiter, waker: &Waker) -> bool {
        match (waiter.as_foreign(), waker::strand_of(waker, run.id)) {
            (None, Some(strand)) => waiter == Waiter::strand(strand),
            (Some(key), None) => self.foreign.borrow().get(key).is_some_and(|known| known.will_wake(waker)),
            _ => false,
        }
    }

    /// The strand, if it is one.
    #[inline]
    pub(super) fn strand(&self, waiter: Waiter) -> Option<StrandId> {
        match waiter.as_foreign() {
            None => Key::from_bits(waiter.0),
            Some(_) => None,
        }
    }

    #[inline]
    pub(super) fn wake(&self, run: &Run, waiter: Waiter) {
        match self.strand(waiter) {
            Some(strand) => run.wake(strand),
            None => self.wake_foreign(waiter),
        }
    }

    #[cold]
    fn wake_foreign(&self, waiter: Waiter) {
        let waker = waiter.as_foreign().and_then(|key| self.foreign.borrow().get(key).cloned());
        // Foreign code: called with nothing borrowed.
        waker.inspect(Waker::wake_by_ref);
    }

    /// The wait is over, or it wakes another from now on.
    #[inline]
    pub(super) fn forget(&self, waiter: Waiter) {
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
