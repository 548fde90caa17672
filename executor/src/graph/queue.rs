//! Typed queues of keyed items, in order of arrival.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use super::{Item, ItemError, Key, queue_set::Ends};

/// A queue of keyed items of type `T`, in order of arrival.
///
/// The value is a handle: clones are the same queue. Made by
/// [`Topology::queue`](super::Topology::queue) or [`Topology::results`](super::Topology::results).
///
/// Most works never see their queues: the executor takes items out and puts values in. One-shot and
/// global works are given whole queues, and use the methods below.
pub struct Queue<T>(Arc<Shared<T>>);

struct Shared<T> {
    name: String,
    id: QueueId,
    keeps_results: bool,
    items: Mutex<VecDeque<Item<T>>>,
    /// How many items ever came and ever left. Their difference is the length, so that looking at
    /// it takes no lock; each alone says whether anything has changed since one looked last.
    came: AtomicUsize,
    left: AtomicUsize,
    /// Places promised to items that are being worked on: without them, as many items as there are
    /// workers could start while one place is free, and overfill the queue together.
    promised: AtomicUsize,
    /// The limit in force, for works that want to know how much room there is.
    limit: AtomicUsize,
}

/// Which topology a queue belongs to, and which of its queues it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct QueueId {
    pub topology: u64,
    pub index: usize,
}

impl<T> Queue<T> {
    pub(crate) fn new(name: String, id: QueueId, keeps_results: bool) -> Self {
        Queue(Arc::new(Shared {
            name,
            id,
            keeps_results,
            items: Mutex::default(),
            came: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            promised: AtomicUsize::new(0),
            limit: AtomicUsize::new(usize::MAX),
        }))
    }

    /// A queue outside of any topology, which may hold so many items: to test the function of a global work.
    pub fn standalone(name: impl Into<String>, limit: usize) -> Self {
        let queue = Queue::new(name.into(), QueueId { topology: u64::MAX, index: 0 }, false);
        queue.0.limit.store(limit, SeqCst);
        queue
    }

    /// The queue's name, as the topology was told.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How many items wait in the queue now.
    pub fn len(&self) -> usize {
        self.0.count()
    }

    /// Is nothing waiting in the queue?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many more items the queue may hold now. A global work that looks before it pushes keeps
    /// the queue within its limit. Queues of results, and all queues before the loops start, have
    /// room without end.
    pub fn room(&self) -> usize {
        self.0.room()
    }

    /// The keys of the items that wait, in order of arrival.
    pub fn keys(&self) -> Vec<Key> {
        self.0.lock().iter().map(|(key, _)| key.clone()).collect()
    }

    /// Puts a value at the queue's end. This is how a one-shot or global work fills a queue.
    pub fn push(&self, key: impl Into<Key>, value: T) {
        self.push_item((key.into(), Ok(value)));
    }

    /// Puts an item at the queue's end: a value, or the error in its place.
    pub fn push_item(&self, item: Item<T>) {
        self.extend([item]);
    }

    /// Takes the first item.
    pub fn pop(&self) -> Option<Item<T>> {
        let item = self.0.lock().pop_front()?;
        self.0.left.fetch_add(1, SeqCst);
        Some(item)
    }

    /// Takes the first item of this key, wherever it stands.
    pub fn take(&self, key: &Key) -> Option<Result<T, ItemError>> {
        let mut items = self.0.lock();
        let at = items.iter().position(|(other, _)| other == key)?;
        let (_, value) = items.remove(at)?;
        self.0.left.fetch_add(1, SeqCst);
        Some(value)
    }

    /// Takes everything out of the queue: values, and errors in place of values, in order of
    /// arrival. This is how results are read once a topology has run, and how a one-shot work reads
    /// what an earlier one left.
    pub fn drain(&self) -> Vec<Item<T>> {
        let items = std::mem::take(&mut *self.0.lock());
        self.0.left.fetch_add(items.len(), SeqCst);
        items.into()
    }

    /// Looks at the first item without taking it.
    pub(crate) fn with_front<R>(&self, look: impl FnOnce(&Item<T>) -> R) -> Option<R> {
        self.0.lock().front().map(look)
    }

    /// Visits every item.
    pub(crate) fn for_each(&self, visit: impl FnMut(&Item<T>)) {
        self.0.lock().iter().for_each(visit);
    }

    /// Puts several items at the end.
    pub(crate) fn extend(&self, new: impl IntoIterator<Item = Item<T>>) {
        let mut items = self.0.lock();
        let before = items.len();
        items.extend(new);
        self.0.came.fetch_add(items.len() - before, SeqCst);
    }

    /// Moves the first `count` items, or all if there are fewer, to the end of `taken`.
    pub(crate) fn pop_into(&self, taken: &mut VecDeque<Item<T>>, count: usize) {
        let mut items = self.0.lock();
        let count = count.min(items.len());
        taken.extend(items.drain(..count));
        self.0.left.fetch_add(count, SeqCst);
    }

    /// Puts items that were taken and not touched back to the front.
    pub(crate) fn put_back(&self, taken: &mut VecDeque<Item<T>>) {
        let mut items = self.0.lock();
        while let Some(item) = taken.pop_back() {
            items.push_front(item);
            self.0.left.fetch_sub(1, SeqCst);
        }
    }

    /// Takes out the items whose key does not please.
    pub(crate) fn reject(&self, unwanted: impl Fn(&Key) -> bool) -> Vec<Item<T>> {
        let mut items = self.0.lock();
        if !items.iter().any(|(key, _)| unwanted(key)) {
            return Vec::new();
        }
        let (mut rejected, mut kept) = (Vec::new(), VecDeque::with_capacity(items.len()));
        for item in items.drain(..) {
            if unwanted(&item.0) { rejected.push(item) } else { kept.push_back(item) }
        }
        *items = kept;
        self.0.left.fetch_add(rejected.len(), SeqCst);
        rejected
    }

    /// How many items have ever come.
    pub(crate) fn came(&self) -> usize {
        self.0.came()
    }

    /// How many items the queue may hold.
    pub fn limit(&self) -> usize {
        self.0.limit.load(SeqCst)
    }

    pub(crate) fn id(&self) -> QueueId {
        self.0.id
    }

    pub(crate) fn keeps_results(&self) -> bool {
        self.0.keeps_results
    }

    pub(crate) fn promise(&self, count: usize) {
        self.0.promised.fetch_add(count, SeqCst);
    }

    pub(crate) fn release(&self, count: usize) {
        self.0.promised.fetch_sub(count, SeqCst);
    }
}

impl<T: Send + 'static> Queue<T> {
    pub(crate) fn erased(&self) -> Arc<dyn AnyQueue> {
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
        f.debug_struct("Queue").field("name", &self.name()).field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Item<T>>> {
        // Nothing that can panic half-way runs under the lock: a poisoned queue is whole, too.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn came(&self) -> usize {
        self.came.load(SeqCst)
    }

    fn count(&self) -> usize {
        // In this order, since what left must have come before.
        let left = self.left.load(SeqCst);
        self.came().saturating_sub(left)
    }

    fn room(&self) -> usize {
        match self.keeps_results {
            true => usize::MAX,
            false => {
                let load = self.count() + self.promised.load(SeqCst);
                self.limit.load(SeqCst).saturating_sub(load)
            }
        }
    }
}

/// A queue whose item type is forgotten: what the checks and the executor need to know.
pub(crate) trait AnyQueue: Send + Sync {
    fn id(&self) -> QueueId;
    fn name(&self) -> &str;
    /// Is it a place where results are kept, and hence without a limit and without a consumer?
    fn keeps_results(&self) -> bool;
    fn len(&self) -> usize;
    fn keys(&self) -> Vec<Key>;
    /// From now on the queue shall hold no more than so many items.
    fn set_limit(&self, limit: usize);
    /// Changes whenever an item comes.
    fn came(&self) -> usize;
    /// Changes whenever an item leaves.
    fn left(&self) -> usize;
    /// How many more items may come.
    fn room(&self) -> usize;
    /// Tells the newest items to whoever counts ends.
    fn tell_newest(&self, count: usize, ends: &mut Ends);
}

impl<T: Send> AnyQueue for Shared<T> {
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
        self.count()
    }

    fn keys(&self) -> Vec<Key> {
        self.lock().iter().map(|(key, _)| key.clone()).collect()
    }

    fn set_limit(&self, limit: usize) {
        self.limit.store(limit, SeqCst);
    }

    fn came(&self) -> usize {
        self.came()
    }

    fn left(&self) -> usize {
        self.left.load(SeqCst)
    }

    fn room(&self) -> usize {
        self.room()
    }

    fn tell_newest(&self, count: usize, ends: &mut Ends) {
        let items = self.lock();
        for (key, value) in items.iter().skip(items.len().saturating_sub(count)) {
            ends.add(key, value.as_ref().err());
        }
    }
}
