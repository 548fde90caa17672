//! Strands: what is polled on its own.
//!
//! A *strand* is a piece of a task: the task's outermost future, or the body of a nursery inside it. It is
//! one allocation, which holds the future and all that the runtime knows of it: so starting a task
//! costs one allocation, a reference is one word, and a poll finds everything in one place.
//!
//! # Who owns what
//!
//! A strand is shared: by the nursery that polls it, by the run's table, where wakers find it by its number,
//! by a queue if it is to be polled, and by every handle of its task. Its *future* is its nursery's alone,
//! since it may borrow what ends with that nursery's frame. So the two have different ends: the nursery drops
//! the future in its place, and the memory goes with the last who shares it, whatever that one may have
//! borrowed once. Of a nursery that is forgotten the futures are neither polled nor dropped again, and their
//! memory stays: a pinned future's must not go before it is dropped.
//!
//! # Why not `Rc`
//!
//! `Rc<Strand<dyn Future>>` would do, and was tried: a reference is two words then, and each look at a
//! strand has to ask the future's vtable first how the future is aligned, to find where the strand begins.
//! Here the future comes last, so that all else lies where it lies whatever the future is.

use super::{
    home::Home,
    scope::ScopeId,
    stack::{is_large, with_stack_for},
    task::TaskInfo,
    waker::StrandId,
};
use crate::Error;
use std::{
    any::{Any, type_name},
    cell::{Cell, OnceCell, UnsafeCell},
    hash::{Hash, Hasher},
    mem::{ManuallyDrop, MaybeUninit, needs_drop},
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    ptr::NonNull,
    rc::Rc,
    task::{Context, Poll},
};

/// What comes of a task.
type Outcome = Result<(), Error>;

/// What is left of a future that has ended: its outcome, or the payload of its panic.
pub(crate) type End = Result<Outcome, Box<dyn Any + Send>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is a future, and nobody has it in hands.
    Resting,
    Polled,
    /// Being polled, and not wanted any more.
    Abandoned,
    Gone,
}

/// Whether a strand stands in its nursery's queue, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    No,
    /// A nursery below it has something to poll.
    ForOneBelow,
    /// Several nurseries below it have: those of a `join!`.
    ForSeveralBelow,
    /// It was woken itself.
    ForItself,
}

/// All of a strand but its future. What a poll looks at comes last, beside the future.
#[repr(C)]
pub(crate) struct Head {
    pub(crate) info: TaskInfo,
    functions: &'static Functions,
    /// The nursery that polls it, as the tree of polls knows it.
    home: OnceCell<Rc<Home>>,
    /// How many references there are.
    count: Cell<u32>,
    id: Cell<Option<StrandId>>,
    /// Where it stands among its nursery's children.
    pub(crate) place: Cell<u32>,
    pub(crate) due: Cell<Due>,
    /// Whether the task brings a scope of its own; see [`Head::own_scope`].
    has_scope: bool,
    state: Cell<State>,
    /// Whether its task has ended.
    ended: Cell<bool>,
}

/// A strand as it lies in memory.
#[repr(C)]
struct Whole<F> {
    // First, so that a pointer to the whole is one to the head.
    head: Head,
    future: UnsafeCell<ManuallyDrop<F>>,
}

/// What can be done to a strand whose future's type is forgotten.
struct Functions {
    /// The name of the future's type.
    type_name: fn() -> &'static str,
    /// Polls the future, to which nobody else has a reference.
    poll: unsafe fn(NonNull<Head>, &mut Context<'_>) -> Poll<Outcome>,
    /// Drops the future, to which nobody has a reference, nor ever will.
    drop_future: unsafe fn(NonNull<Head>),
    /// Frees the memory, which nobody refers to any more. The future must have been dropped, unless it is of a
    /// type for which that does nothing.
    free: unsafe fn(NonNull<Head>),
    needs_drop: bool,
}

impl<F: Future<Output = Outcome>> Whole<F> {
    const FUNCTIONS: Functions = Functions {
        type_name: type_name::<F>,
        poll: Self::poll,
        drop_future: Self::drop_future,
        free: Self::free,
        needs_drop: needs_drop::<F>(),
    };

    /// # Safety
    /// `head` is that of a `Whole<F>`; besides, as [`Functions::poll`] says.
    unsafe fn poll(head: NonNull<Head>, cx: &mut Context<'_>) -> Poll<Outcome> {
        // SAFETY: the head lies at the start of its whole, and the pointer was made from one to the whole. The future
        // is nobody else's by the caller's word. It is pinned: it is never moved out, and its memory stays
        // until it is dropped, since who is to drop it has a reference.
        let future = unsafe {
            let whole = head.cast::<Whole<F>>().as_ref();
            Pin::new_unchecked(&mut **whole.future.get())
        };
        match is_large(size_of::<F>()) {
            true => with_stack_for(size_of::<F>(), || future.poll(cx)),
            false => future.poll(cx),
        }
    }

    /// # Safety
    /// `head` is that of a `Whole<F>`; besides, as [`Functions::drop_future`] says.
    unsafe fn drop_future(head: NonNull<Head>) {
        // SAFETY: as in `poll`. It is dropped where it was pinned.
        let drop_it = || unsafe {
            let whole = head.cast::<Whole<F>>().as_ref();
            ManuallyDrop::drop(&mut *whole.future.get());
        };
        match is_large(size_of::<F>()) {
            true => with_stack_for(size_of::<F>(), drop_it),
            false => drop_it(),
        }
    }

    /// # Safety
    /// `head` is that of a `Whole<F>`; besides, as [`Functions::free`] says.
    unsafe fn free(head: NonNull<Head>) {
        // SAFETY: the pointer was made by `Box::leak` in `Vacant::into_strand`, and is used no more.
        drop(unsafe { Box::from_raw(head.cast::<Whole<F>>().as_ptr()) });
    }
}

/// Room for a strand whose future has yet to be moved in.
///
/// A future is moved once on its way from the caller to where it stays. It would be more if it went through
/// functions: each of them may copy what it is given by value, and a future may be large.
pub(crate) struct Vacant<F>(Box<MaybeUninit<Whole<F>>>);

impl<F: Future<Output = Outcome>> Vacant<F> {
    /// Makes room for a future, with all else that a strand is.
    #[inline]
    pub(crate) fn new(info: TaskInfo) -> Vacant<F> {
        let mut whole = Box::<Whole<F>>::new_uninit();
        let head = Head {
            has_scope: info.pending().is_some(),
            info,
            functions: &Whole::<F>::FUNCTIONS,
            home: OnceCell::new(),
            count: Cell::new(1),
            id: Cell::new(None),
            place: Cell::new(0),
            due: Cell::new(Due::No),
            state: Cell::new(State::Resting),
            ended: Cell::new(false),
        };
        // SAFETY: the head's place is within the room, and nothing is there yet.
        unsafe { (&raw mut (*whole.as_mut_ptr()).head).write(head) };
        Vacant(whole)
    }

    /// Where the future is to be written.
    #[inline]
    pub(crate) fn future(&mut self) -> *mut F {
        // SAFETY: the future's place is within the room. The types around it are transparent.
        unsafe { (&raw mut (*self.0.as_mut_ptr()).future).cast() }
    }

    /// The strand, which has yet to be [placed](Head::place_in).
    ///
    /// # Safety
    /// The future has been written. Whoever polls it, or drops it, must do so while what it borrows is alive.
    /// Everything else about the strand has no such borrows.
    #[inline]
    pub(crate) unsafe fn into_strand(self) -> Strand {
        // SAFETY: `new` has written the head, and the caller the future.
        let whole = unsafe { self.0.assume_init() };
        Strand(NonNull::from(Box::leak(whole)).cast())
    }
}

/// A reference to a strand; see the module's documentation.
pub(crate) struct Strand(NonNull<Head>);

impl Strand {
    /// A strand that has yet to be [placed](Head::place_in).
    pub(crate) fn new<F: Future<Output = Outcome> + 'static>(info: TaskInfo, future: F) -> Strand {
        let mut vacant = Vacant::<F>::new(info);
        // SAFETY: the future is written where it belongs, and borrows nothing that ends.
        unsafe {
            vacant.future().write(future);
            vacant.into_strand()
        }
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
        // SAFETY: the functions are those of this strand. The state was `Resting` and is not now, so nobody else
        // makes a reference to the future until it is set back below.
        let poll = || unsafe { (self.functions.poll)(self.0, cx) };
        let polled = catch_unwind(AssertUnwindSafe(poll));
        let abandoned = self.state.replace(State::Resting) == State::Abandoned;
        match polled {
            Ok(Poll::Pending) if abandoned => Some(Ok(Ok(()))),
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(outcome)) => Some(Ok(outcome)),
            Err(payload) => Some(Err(payload)),
        }
    }

    /// Drops the future, unless that has been done. One that is being polled is marked instead: its poll
    /// will say that it has ended. Returns whether this call has dropped it.
    ///
    /// # Safety
    /// What the future borrows must be alive.
    pub(crate) unsafe fn drop_future(&self) -> bool {
        match self.state.get() {
            State::Resting => {
                self.state.set(State::Gone);
                // SAFETY: the functions are those of this strand. The state was `Resting`, so nobody has a
                // reference to the future, and is `Gone` now, so nobody gets one any more.
                unsafe { (self.functions.drop_future)(self.0) };
                true
            }
            State::Polled | State::Abandoned => {
                self.state.set(State::Abandoned);
                false
            }
            State::Gone => false,
        }
    }
}

impl Head {
    /// Gives the strand its number, and the nursery that will poll it. Once.
    pub(crate) fn place_in(&self, home: Rc<Home>, id: StrandId) {
        let placed = self.home.set(home);
        debug_assert!(placed.is_ok(), "a strand has one place");
        self.id.set(Some(id));
    }

    /// Its number, while it has one.
    #[inline]
    pub(crate) fn id(&self) -> Option<StrandId> {
        self.id.get()
    }

    /// It has its number no more, which may be another's from now on. Returns it, the first time.
    #[inline]
    pub(crate) fn take_id(&self) -> Option<StrandId> {
        self.id.take()
    }

    #[inline]
    pub(crate) fn home(&self) -> Option<&Rc<Home>> {
        self.home.get()
    }

    /// The scope that its future is polled in, if that is not its nursery's: a task that was started by
    /// [`start`](super::start) brings its own.
    #[inline]
    pub(crate) fn own_scope(&self) -> Option<ScopeId> {
        match self.has_scope {
            true => self.info.pending().map(|pending| pending.scope()),
            false => None,
        }
    }

    /// The name of the future's type.
    pub(crate) fn type_name(&self) -> &'static str {
        (self.functions.type_name)()
    }

    /// Whether its task has ended.
    #[inline]
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    pub(crate) fn note_end(&self) {
        self.ended.set(true);
    }

    /// Whether its future is being polled.
    pub(crate) fn is_polled(&self) -> bool {
        matches!(self.state.get(), State::Polled | State::Abandoned)
    }

    /// Whether it has a future that can be polled now.
    #[inline]
    pub(crate) fn is_resting(&self) -> bool {
        self.state.get() == State::Resting
    }
}

impl Deref for Strand {
    type Target = Head;

    #[inline]
    fn deref(&self) -> &Head {
        // SAFETY: a reference counts, so the memory is there. Of the head only shared references are ever made.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for Strand {
    #[inline]
    fn clone(&self) -> Strand {
        match self.count.get().checked_add(1) {
            Some(count) => self.count.set(count),
            None => too_many(),
        }
        Strand(self.0)
    }
}

/// Handles of a task were forgotten by the thousand million: if the count wrapped round, the memory would go
/// while it is referred to.
#[cold]
fn too_many() -> ! {
    log::error!("a task has four thousand million handles");
    std::process::abort();
}

impl Drop for Strand {
    #[inline]
    fn drop(&mut self) {
        let left = self.count.get() - 1;
        self.count.set(left);
        // A future that nobody has dropped is pinned for ever: its memory stays.
        if left == 0 && (self.state.get() == State::Gone || !self.functions.needs_drop) {
            // SAFETY: the functions are those of this strand, this was the last reference, and the future is dropped.
            unsafe { (self.functions.free)(self.0) };
        }
    }
}

/// Two references are equal if they are to the same strand.
impl PartialEq for Strand {
    #[inline]
    fn eq(&self, other: &Strand) -> bool {
        self.0 == other.0
    }
}

impl Eq for Strand {}

impl Hash for Strand {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
