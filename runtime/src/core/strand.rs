//! Strands: what is polled on its own.
//!
//! A *strand* is a piece of a task: the task's outermost future, or the body of a nursery inside it. It is
//! one allocation, which holds the future and all that the runtime knows of it: so starting a task
//! costs one allocation, and a poll finds everything in one place.
//!
//! # Who owns what
//!
//! A strand is shared: by the nursery that polls it, by the run's table, where wakers find it by its number,
//! by a queue if it is to be polled, and by every handle of its task. Its *future* is its nursery's alone,
//! since it may borrow what ends with that nursery's frame. So the two have different ends: the nursery drops
//! the future in its place, and the memory goes with the last who shares it, whatever that one may have
//! borrowed once. Of a nursery that is forgotten the futures are neither polled nor dropped again, and their
//! memory stays: a pinned future's must not go before it is dropped.

use super::{home::Home, scope::ScopeId, start::Pending, task::TaskInfo, waker::StrandId};
use crate::Error;
use std::{
    any::Any,
    cell::{Cell, OnceCell, UnsafeCell},
    mem::{self, ManuallyDrop},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// What is left of a future that has ended: its outcome, or the payload of its panic.
pub(crate) type End = Result<Result<(), Error>, Box<dyn Any + Send>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is a future, and nobody has it in hands.
    Resting,
    Polled,
    /// Being polled, and not wanted any more.
    Abandoned,
    Gone,
}

/// A strand; see the module's documentation.
pub(crate) struct Strand<F: ?Sized = dyn Future<Output = Result<(), Error>>> {
    pub(crate) info: TaskInfo,
    id: Cell<Option<StrandId>>,
    /// The nursery that polls it, as the tree of polls knows it.
    home: OnceCell<Rc<Home>>,
    /// The scope that its future is polled in.
    scope: Cell<Option<ScopeId>>,
    /// Where it stands among its nursery's children.
    pub(crate) place: Cell<u32>,
    /// The tick for which it stands in its nursery's queue; zero if it does not.
    pub(crate) due: Cell<u64>,
    /// Whether it was woken itself, and not only something below it.
    pub(crate) woken: Cell<bool>,
    state: Cell<State>,
    /// The call of `start` that waits for it, if it was started so.
    pub(crate) pending: Option<Rc<Pending>>,
    future: UnsafeCell<ManuallyDrop<F>>,
}

impl<F: Future<Output = Result<(), Error>>> Strand<F> {
    /// A strand that has yet to be [placed](Strand::place_in).
    #[inline]
    pub(crate) fn new(info: TaskInfo, pending: Option<Rc<Pending>>, future: F) -> Rc<Strand<F>> {
        Rc::new(Strand {
            info,
            id: Cell::new(None),
            home: OnceCell::new(),
            scope: Cell::new(None),
            place: Cell::new(0),
            due: Cell::new(0),
            woken: Cell::new(false),
            state: Cell::new(State::Resting),
            pending,
            future: UnsafeCell::new(ManuallyDrop::new(future)),
        })
    }
}

impl<'a> Strand<dyn Future<Output = Result<(), Error>> + 'a> {
    /// The strand under a type that does not tell what its future borrows.
    ///
    /// # Safety
    /// Whoever polls the future, or drops it, must do so while what it borrows is alive. Everything else
    /// about the strand has no such borrows.
    pub(crate) unsafe fn erase(self: Rc<Self>) -> Rc<Strand> {
        // SAFETY: only a lifetime changes, which has no part in the layout. The future is touched by `poll` and
        // `drop_future` only, whose callers answer for its borrows.
        unsafe { mem::transmute::<Rc<Self>, Rc<Strand>>(self) }
    }
}

impl Strand {
    /// Gives the strand its number, and the nursery and the scope that it will be polled in. Once.
    pub(crate) fn place_in(&self, home: Rc<Home>, scope: ScopeId, id: StrandId) {
        let placed = self.home.set(home);
        debug_assert!(placed.is_ok(), "a strand has one place");
        self.scope.set(Some(scope));
        self.id.set(Some(id));
    }

    /// Its number, once it has one.
    pub(crate) fn id(&self) -> Option<StrandId> {
        self.id.get()
    }

    pub(crate) fn home(&self) -> Option<&Rc<Home>> {
        self.home.get()
    }

    pub(crate) fn scope(&self) -> Option<ScopeId> {
        self.scope.get()
    }

    /// Whether it has a future that can be polled now.
    #[inline]
    pub(crate) fn is_resting(&self) -> bool {
        self.state.get() == State::Resting
    }

    /// Polls the future; tells how it ended, if it did. It is still to be dropped then.
    ///
    /// # Safety
    /// What the future borrows must be alive.
    #[inline]
    pub(crate) unsafe fn poll(&self, cx: &mut Context<'_>) -> Option<End> {
        if self.state.get() != State::Resting {
            return None;
        }
        self.state.set(State::Polled);
        // SAFETY: the state was `Resting` and is not now, so nobody else makes a reference to the future until
        // this call sets it back. It is pinned: it lies in the allocation of an `Rc`, is never moved out, and
        // that allocation stays until `drop_future`, see there.
        let future = unsafe { Pin::new_unchecked(&mut **self.future.get()) };
        let polled = catch_unwind(AssertUnwindSafe(|| future.poll(cx)));
        let abandoned = self.state.replace(State::Resting) == State::Abandoned;
        match polled {
            Ok(Poll::Pending) if abandoned => Some(Ok(Ok(()))),
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(outcome)) => Some(Ok(outcome)),
            Err(payload) => Some(Err(payload)),
        }
    }

    /// Drops the future, unless that has been done. One that is being polled is marked instead: its poll
    /// will say that it has ended. Returns whether there is none any more.
    ///
    /// # Safety
    /// What the future borrows must be alive.
    pub(crate) unsafe fn drop_future(&self) -> bool {
        match self.state.get() {
            State::Resting => {
                self.state.set(State::Gone);
                // SAFETY: the state was `Resting`, so nobody has a reference to it, and is `Gone` now, so nobody
                // gets one any more. It is dropped where it was pinned.
                unsafe { ManuallyDrop::drop(&mut *self.future.get()) };
                true
            }
            State::Polled | State::Abandoned => {
                self.state.set(State::Abandoned);
                false
            }
            State::Gone => true,
        }
    }
}
