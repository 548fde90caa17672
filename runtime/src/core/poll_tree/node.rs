//! Nodes: futures that are polled on their own.
//!
//! A node is a piece of a task: the task's outermost future, or the body of a nursery inside it. It is one
//! allocation, which holds the future and all that the runtime knows of it. So starting a task costs one allocation,
//! a reference to a node is one word, and a poll finds everything in one place.
//!
//! # Who owns what
//!
//! A node is shared. These have a reference to it: the nursery that polls it, the run's table (where wakers find it
//! by its number), a ready queue if the node is to be polled, and every handle of its task. The *future* in it
//! belongs to the nursery alone, since the future may borrow what ends with that nursery's frame. So the two end at
//! different times. The nursery drops the future in its place. The memory is freed with the last reference. The
//! [safety chapter](super) says why that is sound.
//!
//! # Why not `Rc`
//!
//! `Rc<Node<dyn Future>>` was tried. Such a reference is two words. Each access to a node then has to ask the
//! future's vtable for the future's alignment, to find where the node begins. Here the future comes last, so
//! everything else has a fixed offset.

use crate::{
    Error,
    core::{
        ids::{NodeId, ScopeId},
        poll_tree::{
            nursery_node::NurseryNode,
            stack::{is_large, with_stack_for},
        },
        task::handle::TaskInfo,
    },
};
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

/// What a task returns.
type Outcome = Result<(), Error>;

/// How a future has ended: with an outcome, or with a panic.
pub(crate) type End = Result<Outcome, Box<dyn Any + Send>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FutureState {
    /// Nobody has a reference to the future. It can be polled or dropped.
    Idle,
    Polled,
    /// The future is being polled. It is to be dropped when that poll has ended.
    Abandoned,
    Dropped,
}

/// Whether a node is in its nursery's ready queue, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queued {
    No,
    /// One nursery below the node has something to poll.
    ForOneBelow,
    /// Several nurseries below the node have something to poll: those of a `join!`.
    ForSeveralBelow,
    /// The node itself was woken.
    ForItself,
}

/// Everything in a node except its future. The fields that a poll reads come last, next to the future.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) info: TaskInfo,
    vtable: &'static Vtable,
    /// The nursery that polls the node, as the poll tree knows it.
    nursery: OnceCell<Rc<NurseryNode>>,
    /// The number of references to the node.
    count: Cell<u32>,
    id: Cell<Option<NodeId>>,
    /// The node's index among its nursery's children.
    pub(crate) place: Cell<u32>,
    pub(crate) queued: Cell<Queued>,
    /// Whether the task has a scope of its own; see [`Header::own_scope`].
    has_scope: bool,
    state: Cell<FutureState>,
    /// Whether the node's task has ended.
    ended: Cell<bool>,
}

/// The memory layout of a node.
#[repr(C)]
struct NodeCell<F> {
    // First, so that a pointer to the cell is one to the header.
    header: Header,
    future: UnsafeCell<ManuallyDrop<F>>,
}

/// The operations on a node whose future's type is erased.
struct Vtable {
    /// The name of the future's type.
    type_name: fn() -> &'static str,
    /// Polls the future. Nobody else may have a reference to it.
    poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<Outcome>,
    /// Drops the future. Nobody may have a reference to it, now or later.
    drop_future: unsafe fn(NonNull<Header>),
    /// Frees the memory. Nobody may refer to it any more. The future must have been dropped, unless dropping a future
    /// of its type does nothing.
    free: unsafe fn(NonNull<Header>),
    needs_drop: bool,
}

impl<F: Future<Output = Outcome>> NodeCell<F> {
    const VTABLE: Vtable = Vtable {
        type_name: type_name::<F>,
        poll: Self::poll,
        drop_future: Self::drop_future,
        free: Self::free,
        needs_drop: needs_drop::<F>(),
    };

    /// # Safety
    /// `header` is that of a `NodeCell<F>`. The contract of [`Vtable::poll`] holds too.
    unsafe fn poll(header: NonNull<Header>, cx: &mut Context<'_>) -> Poll<Outcome> {
        // SAFETY: the header is at the start of its cell, and the pointer was made from a pointer to the cell. The
        // caller promises that this reference to the future is the only one (EXCLUSIVE). The future never moves
        // (PINNED).
        let future = unsafe {
            let cell = header.cast::<NodeCell<F>>().as_ref();
            Pin::new_unchecked(&mut **cell.future.get())
        };
        match is_large(size_of::<F>()) {
            true => with_stack_for(size_of::<F>(), || future.poll(cx)),
            false => future.poll(cx),
        }
    }

    /// # Safety
    /// `header` is that of a `NodeCell<F>`. The contract of [`Vtable::drop_future`] holds too.
    unsafe fn drop_future(header: NonNull<Header>) {
        // SAFETY: as in `poll` (EXCLUSIVE). The future is dropped in its place (PINNED).
        let drop_it = || unsafe {
            let cell = header.cast::<NodeCell<F>>().as_ref();
            ManuallyDrop::drop(&mut *cell.future.get());
        };
        match is_large(size_of::<F>()) {
            true => with_stack_for(size_of::<F>(), drop_it),
            false => drop_it(),
        }
    }

    /// # Safety
    /// `header` is that of a `NodeCell<F>`. The contract of [`Vtable::free`] holds too.
    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: the pointer was made by `Box::leak` in `UninitNode::into_node`. Nothing uses it any more (COUNTED),
        // and the future in it is dropped (PINNED).
        drop(unsafe { Box::from_raw(header.cast::<NodeCell<F>>().as_ptr()) });
    }
}

/// The memory of a node whose future has yet to be moved in.
///
/// So a future is moved only once from the caller to its final place. If functions passed it on by value, each of
/// them might copy it, and a future may be large.
pub(crate) struct UninitNode<F>(Box<MaybeUninit<NodeCell<F>>>);

impl<F: Future<Output = Outcome>> UninitNode<F> {
    /// Allocates a node and writes everything except its future.
    #[inline]
    pub(crate) fn new(info: TaskInfo) -> UninitNode<F> {
        let mut cell = Box::<NodeCell<F>>::new_uninit();
        let header = Header {
            has_scope: info.starter().is_some(),
            info,
            vtable: &NodeCell::<F>::VTABLE,
            nursery: OnceCell::new(),
            count: Cell::new(1),
            id: Cell::new(None),
            place: Cell::new(0),
            queued: Cell::new(Queued::No),
            state: Cell::new(FutureState::Idle),
            ended: Cell::new(false),
        };
        // SAFETY: the header's place is within the allocation, and nothing has been written there yet.
        unsafe { (&raw mut (*cell.as_mut_ptr()).header).write(header) };
        UninitNode(cell)
    }

    /// The place to which the future must be written.
    #[inline]
    pub(crate) fn future(&mut self) -> *mut F {
        // SAFETY: the future's place is within the allocation. The types that wrap the future are transparent.
        unsafe { (&raw mut (*self.0.as_mut_ptr()).future).cast() }
    }

    /// The node, which has yet to be [placed](Header::place_in).
    ///
    /// # Safety
    /// The future has been written. Whoever polls or drops the future must do so while all that it borrows is alive.
    /// The rest of the node borrows nothing from there.
    #[inline]
    pub(crate) unsafe fn into_node(self) -> Node {
        // SAFETY: `new` has written the header, and the caller the future (PINNED).
        let cell = unsafe { self.0.assume_init() };
        Node(NonNull::from(Box::leak(cell)).cast())
    }
}

/// A reference to a node; see the module's documentation.
pub(crate) struct Node(NonNull<Header>);

impl Node {
    /// A node that has yet to be [placed](Header::place_in).
    pub(crate) fn new<F: Future<Output = Outcome> + 'static>(info: TaskInfo, future: F) -> Node {
        let mut uninit = UninitNode::<F>::new(info);
        // SAFETY: the future is written first. It is `'static`, so OWNED demands nothing.
        unsafe {
            uninit.future().write(future);
            uninit.into_node()
        }
    }

    /// Polls the future. If it has ended, returns how. The caller must still drop it then.
    ///
    /// # Safety
    /// What the future borrows must be alive.
    #[inline]
    pub(crate) unsafe fn poll(&self, cx: &mut Context<'_>) -> Option<End> {
        if self.state.get() != FutureState::Idle {
            return None;
        }
        self.state.set(FutureState::Polled);
        // SAFETY: the vtable is that of this node. The state was `Idle` and is `Polled` now, so nobody else makes a
        // reference to the future until the state is set back below (EXCLUSIVE).
        let poll = || unsafe { (self.vtable.poll)(self.0, cx) };
        let polled = catch_unwind(AssertUnwindSafe(poll));
        let abandoned = self.state.replace(FutureState::Idle) == FutureState::Abandoned;
        match polled {
            Ok(Poll::Pending) if abandoned => Some(Ok(Ok(()))),
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(outcome)) => Some(Ok(outcome)),
            Err(payload) => Some(Err(payload)),
        }
    }

    /// Drops the future, unless it was dropped before. A future that is being polled is only marked: its poll will
    /// then report that it has ended. Returns whether this call has dropped it.
    ///
    /// # Safety
    /// What the future borrows must be alive.
    pub(crate) unsafe fn drop_future(&self) -> bool {
        match self.state.get() {
            FutureState::Idle => {
                self.state.set(FutureState::Dropped);
                // SAFETY: the vtable is that of this node. The state was `Idle`, so nobody has a reference to the
                // future. The state is `Dropped` now, so nobody gets one any more (EXCLUSIVE).
                unsafe { (self.vtable.drop_future)(self.0) };
                true
            }
            FutureState::Polled | FutureState::Abandoned => {
                self.state.set(FutureState::Abandoned);
                false
            }
            FutureState::Dropped => false,
        }
    }
}

impl Header {
    /// Gives the node its number and the nursery that will poll it. This happens once.
    pub(crate) fn place_in(&self, nursery: Rc<NurseryNode>, id: NodeId) {
        let placed = self.nursery.set(nursery);
        debug_assert!(placed.is_ok(), "a node has one place");
        self.id.set(Some(id));
    }

    /// The node's number, while it has one.
    #[inline]
    pub(crate) fn id(&self) -> Option<NodeId> {
        self.id.get()
    }

    /// Releases the node's number, which may then be given to another node. Returns the number at the first call, and
    /// `None` after it.
    #[inline]
    pub(crate) fn take_id(&self) -> Option<NodeId> {
        self.id.take()
    }

    #[inline]
    pub(crate) fn nursery(&self) -> Option<&Rc<NurseryNode>> {
        self.nursery.get()
    }

    /// The scope in which the future is polled, if that is not the nursery's scope. A task that was started by
    /// [`start`](crate::core::task::start) has a scope of its own.
    #[inline]
    pub(crate) fn own_scope(&self) -> Option<ScopeId> {
        match self.has_scope {
            true => self.info.starter().map(|starter| starter.scope()),
            false => None,
        }
    }

    /// The name of the future's type.
    pub(crate) fn type_name(&self) -> &'static str {
        (self.vtable.type_name)()
    }

    /// Whether the node's task has ended.
    #[inline]
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    pub(crate) fn note_end(&self) {
        self.ended.set(true);
    }

    /// Whether the future is being polled.
    pub(crate) fn is_polled(&self) -> bool {
        matches!(self.state.get(), FutureState::Polled | FutureState::Abandoned)
    }

    /// Whether the future can be polled now.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.state.get() == FutureState::Idle
    }
}

impl Deref for Node {
    type Target = Header;

    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: a reference is counted, so the memory is there. All references to the header are shared ones
        // (COUNTED).
        unsafe { self.0.as_ref() }
    }
}

impl Clone for Node {
    #[inline]
    fn clone(&self) -> Node {
        match self.count.get().checked_add(1) {
            Some(count) => self.count.set(count),
            None => too_many(),
        }
        Node(self.0)
    }
}

/// Ends the process. A program has forgotten thousands of millions of handles of one task. If the count wrapped
/// round, the memory would be freed while references to it exist.
#[cold]
fn too_many() -> ! {
    log::error!("a task has four thousand million handles");
    std::process::abort();
}

impl Drop for Node {
    #[inline]
    fn drop(&mut self) {
        let left = self.count.get() - 1;
        self.count.set(left);
        // A future that nobody has dropped is pinned for ever, so its memory stays.
        if left == 0 && (self.state.get() == FutureState::Dropped || !self.vtable.needs_drop) {
            // SAFETY: the vtable is that of this node, and this was the last reference (COUNTED). The future is
            // dropped (PINNED).
            unsafe { (self.vtable.free)(self.0) };
        }
    }
}

/// Two references are equal if they are to the same node.
impl PartialEq for Node {
    #[inline]
    fn eq(&self, other: &Node) -> bool {
        self.0 == other.0
    }
}

impl Eq for Node {}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
