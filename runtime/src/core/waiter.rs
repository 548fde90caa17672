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

/// A waker of something foreign, and the strand that was being polled when it came.
struct Foreign {
    waker: Waker,
    polled_by: Option<StrandId>,
}

/// The foreign wakers of a run's waits.
#[derive(Default)]
pub(super) struct Waiters {
    foreign: RefCell<Table<Foreign>>,
}

impl Waiters {
    /// Who is woken by `waker`.
    #[inline]
    pub(super) fn of(&self, run: &Run, waker: &Waker) -> Waiter {
        match waker::strand_of(waker, run.id) {
            Some(strand) => Waiter::strand(strand),
            None => self.keep(run, waker),
        }
    }

    #[cold]
    fn keep(&self, run: &Run, waker: &Waker) -> Waiter {
        // Foreign code: called with nothing borrowed.
        let foreign = Foreign { waker: waker.clone(), polled_by: run.strands.current.get() };
        Waiter::foreign(self.foreign.borrow_mut().insert(foreign))
    }

    /// Whether `waker` wakes this one.
    #[inline]
    pub(super) fn is(&self, run: &Run, waiter: Waiter, waker: &Waker) -> bool {
        match (waiter.as_foreign(), waker::strand_of(waker, run.id)) {
            (None, Some(strand)) => waiter == Waiter::strand(strand),
            (Some(key), None) => {
                self.foreign.borrow().get(key).is_some_and(|known| known.waker.will_wake(waker))
            }
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

    /// The strand whose poll has begun the wait, or went on with it last: as far as is known, for people who look.
    pub(super) fn polled_by(&self, waiter: Waiter) -> Option<StrandId> {
        match waiter.as_foreign() {
            None => self.strand(waiter),
            Some(key) => self.foreign.borrow().get(key)?.polled_by,
        }
    }

    #[inline]
    pub(super) fn wake(&self, run: &Run, waiter: Waiter) {
        match self.strand(waiter) {
            Some(strand) => run.wake(strand),
            None => self.wake_foreign(run, waiter),
        }
    }

    #[cold]
    fn wake_foreign(&self, run: &Run, waiter: Waiter) {
        let waker = waiter.as_foreign().and_then(|key| Some(self.foreign.borrow().get(key)?.waker.clone()));
        waker.inspect(|waker| run.wake_foreign(waker));
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
