//! Typed queues of keyed items, in order of arrival.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
};

use super::{Item, ItemError, Key};

/// A queue of keyed items of type `T`, in order of arrival.
///
/// The value is a handle: clones are the same queue. Queues belong to the thread that runs the
/// topology; only values travel to the worker threads.
///
/// Made by [`Topology::queue`](super::Topology::queue) or
/// [`Topology::results`](super::Topology::results).
pub struct Queue<T>(Rc<Shared<T>>);

struct Shared<T> {
    name: String,
    id: QueueId,
    keeps_results: bool,
    items: RefCell<VecDeque<Item<T>>>,
    /// Places promised to items that are being worked on, see [`Place`].
    promised: Cell<usize>,
}

/// Which topology a queue belongs to, and which of its queues it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct QueueId {
    pub topology: u64,
    pub index: usize,
}

impl<T> Queue<T> {
    pub(crate) fn new(name: String, id: QueueId, keeps_results: bool) -> Self {
        Queue(Rc::new(Shared { name, id, keeps_results, items: RefCell::default(), promised: Cell::new(0) }))
    }

    /// The queue's name, as the topology was told.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How many items wait in the queue now.
    pub fn len(&self) -> usize {
        self.0.items.borrow().len()
    }

    /// Is nothing waiting in the queue?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a value at the queue's end. This is how a one-shot work fills a queue.
    pub fn push(&self, key: impl Into<Key>, value: T) {
        self.push_item((key.into(), Ok(value)));
    }

    /// Takes everything out of the queue: values, and errors in place of values, in order of
    /// arrival. This is how results are read once a topology has run, and how a one-shot work reads
    /// what an earlier one left.
    pub fn drain(&self) -> Vec<Item<T>> {
        self.0.items.take().into()
    }

    pub(crate) fn push_item(&self, item: Item<T>) {
        self.0.items.borrow_mut().push_back(item);
    }

    pub(crate) fn pop(&self) -> Option<Item<T>> {
        self.0.items.borrow_mut().pop_front()
    }

    /// Takes the first item of this key, wherever it stands.
    pub(crate) fn take(&self, key: &Key) -> Option<Result<T, ItemError>> {
        let mut items = self.0.items.borrow_mut();
        let at = items.iter().position(|(other, _)| other == key)?;
        items.remove(at).map(|(_, value)| value)
    }

    /// Drops the items whose key does not please, and says which they were.
    pub(crate) fn reject(&self, unwanted: impl Fn(&Key) -> bool) -> Vec<Key> {
        let mut rejected = Vec::new();
        self.0.items.borrow_mut().retain(|(key, _)| {
            let keep = !unwanted(key);
            if !keep {
                rejected.push(key.clone());
            }
            keep
        });
        rejected
    }

    /// A copy of the first item's value, for joins, which look before they take.
    pub(crate) fn front(&self) -> Option<Item<T>>
    where
        T: Clone,
    {
        self.0.items.borrow().front().cloned()
    }

    /// Visits every item.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Item<T>)) {
        self.0.items.borrow().iter().for_each(&mut visit);
    }

    /// Promises a place to an item that is about to be worked on.
    pub(crate) fn promise(&self) -> Place<T> {
        self.0.promised.set(self.0.promised.get() + 1);
        Place(self.clone())
    }

    pub(crate) fn erased(&self) -> Rc<dyn AnyQueue>
    where
        T: 'static,
    {
        self.0.clone()
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Queue(self.0.clone())
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("name", &self.0.name).field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A place in a queue for an item that is on its way.
///
/// Without the promise, as many items as there are workers could start while one place is free and
/// overfill the queue together. Dropping it unused gives the place back.
pub(crate) struct Place<T>(Queue<T>);

impl<T> Place<T> {
    pub(crate) fn fill(self, item: Item<T>) {
        self.0.push_item(item);
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        let promised = &self.0.0.promised;
        promised.set(promised.get() - 1);
    }
}

/// A queue whose item type is forgotten: what the checks and the executor need to know.
pub(crate) trait AnyQueue {
    fn id(&self) -> QueueId;
    fn name(&self) -> &str;
    /// Is it a place where results are kept, and hence without a limit and without a consumer?
    fn keeps_results(&self) -> bool;
    fn len(&self) -> usize;
    /// Items that wait and items that have been promised a place.
    fn load(&self) -> usize;
    /// Is the first item an error? It then passes on without a worker.
    fn front_is_error(&self) -> bool;
}

impl<T> AnyQueue for Shared<T> {
    fn id(&self) -> QueueId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn keeps_results(&self) -> bool {
        self.keeps_results
    }

    fn len(&self) -> usize {
        self.items.borrow().len()
    }

    fn load(&self) -> usize {
        self.len() + self.promised.get()
    }

    fn front_is_error(&self) -> bool {
        matches!(self.items.borrow().front(), Some((_, Err(_))))
    }
}

/// The queues that a one-shot work reads or fills: `()`, one queue, or a tuple of up to four.
pub trait QueueSet: Clone + 'static {
    #[doc(hidden)]
    fn add_ids(&self, ids: &mut QueueIds);
}

/// The identities of the queues in a [`QueueSet`].
#[doc(hidden)]
#[derive(Default)]
pub struct QueueIds(pub(crate) Vec<QueueId>);

impl QueueSet for () {
    fn add_ids(&self, _: &mut QueueIds) {}
}

impl<T: 'static> QueueSet for Queue<T> {
    fn add_ids(&self, ids: &mut QueueIds) {
        ids.0.push(self.0.id);
    }
}

macro_rules! queue_set_of_tuple {
    ($($name:ident)+) => {
        impl<$($name: QueueSet),+> QueueSet for ($($name,)+) {
            fn add_ids(&self, ids: &mut QueueIds) {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)+) = self;
                $($name.add_ids(ids);)+
            }
        }
    };
}

queue_set_of_tuple!(A B);
queue_set_of_tuple!(A B C);
queue_set_of_tuple!(A B C D);
