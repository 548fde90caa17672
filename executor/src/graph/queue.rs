//! Typed queues of keyed items, in order of arrival.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use super::{AnyQueue, Item, ItemError, Key, QueueId};

/// A queue of keyed items of type `T`, in order of arrival.
///
/// The value is a handle: its clones are the same queue. [`Topology::queue`](super::Topology::queue) and
/// [`Topology::results`](super::Topology::results) make queues.
///
/// Most works never see their queues: the executor takes the items out and puts the values in. One-shot and
/// global works are given whole queues and use the methods below.
pub struct Queue<T>(Arc<QueueInner<T>>);

/// How many items a queue may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// As many as the options of the run say.
    OfRun,
    /// So many.
    Own(usize),
    /// It keeps results, and has no limit.
    Results,
    /// Works that come later may put items in again. It has no limit.
    Feedback,
}

pub(super) struct QueueInner<T> {
    pub(super) name: String,
    pub(super) id: QueueId,
    pub(super) kind: Room,
    items: Mutex<VecDeque<Item<T>>>,
    /// How many items were ever pushed and ever taken out. The difference is the length, so reading the
    /// length takes no lock. Each count alone shows whether anything has changed since the last look.
    pushed: AtomicUsize,
    pub(super) popped: AtomicUsize,
    /// Places for items that works are making now. Without them, every worker could start an item while
    /// one place is free, and together they would overfill the queue.
    reserved: AtomicUsize,
    /// The limit in force.
    pub(super) limit: AtomicUsize,
}

impl<T> Queue<T> {
    pub(crate) fn new(name: String, id: QueueId, kind: Room) -> Self {
        Queue(Arc::new(QueueInner {
            name,
            id,
            kind,
            items: Mutex::default(),
            pushed: AtomicUsize::new(0),
            popped: AtomicUsize::new(0),
            reserved: AtomicUsize::new(0),
            limit: AtomicUsize::new(usize::MAX),
        }))
    }

    /// A queue outside of any topology, which may hold `limit` items. It is for tests of a global work's
    /// function.
    pub fn standalone(name: impl Into<String>, limit: usize) -> Self {
        let queue = Queue::new(name.into(), QueueId { topology: u64::MAX, index: 0 }, Room::Own(limit));
        queue.0.limit.store(limit, SeqCst);
        queue
    }

    /// The queue's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How many items wait in the queue now.
    pub fn len(&self) -> usize {
        self.0.count()
    }

    /// Is the queue empty?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many more items the queue may hold now. A global work that looks before it pushes keeps
    /// the queue within its limit. A queue of results or of feedback has no limit, nor has any queue while
    /// one-shot works run.
    pub fn room(&self) -> usize {
        self.0.room()
    }

    /// The keys of the items that wait, in order of arrival.
    pub fn keys(&self) -> Vec<Key> {
        self.0.lock().iter().map(|(key, _)| key.clone()).collect()
    }

    /// Puts a value at the end of the queue. One-shot and global works fill queues this way.
    pub fn push(&self, key: impl Into<Key>, value: T) {
        self.push_item((key.into(), Ok(value)));
    }

    /// Puts an item at the end of the queue: a value, or the error in its place.
    pub fn push_item(&self, item: Item<T>) {
        self.extend([item]);
    }

    /// Takes the first item.
    pub fn pop(&self) -> Option<Item<T>> {
        let item = self.0.lock().pop_front()?;
        self.0.popped.fetch_add(1, SeqCst);
        Some(item)
    }

    /// Takes the first item of this key, at any position.
    pub fn take(&self, key: &Key) -> Option<Result<T, ItemError>> {
        let mut items = self.0.lock();
        let at = items.iter().position(|(other, _)| other == key)?;
        let (_, value) = items.remove(at)?;
        self.0.popped.fetch_add(1, SeqCst);
        Some(value)
    }

    /// Takes all items out of the queue, in order of arrival. Results are read this way after a run. A
    /// one-shot work reads this way what an earlier one has put.
    pub fn drain(&self) -> Vec<Item<T>> {
        let items = std::mem::take(&mut *self.0.lock());
        self.0.popped.fetch_add(items.len(), SeqCst);
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
        self.0.pushed.fetch_add(items.len() - before, SeqCst);
    }

    /// Moves the first `count` items, or all if there are fewer, to the end of `taken`.
    pub(crate) fn pop_into(&self, taken: &mut VecDeque<Item<T>>, count: usize) {
        let mut items = self.0.lock();
        let count = count.min(items.len());
        taken.extend(items.drain(..count));
        self.0.popped.fetch_add(count, SeqCst);
    }

    /// Puts items that were taken and not used back to the front.
    pub(crate) fn put_back(&self, taken: &mut VecDeque<Item<T>>) {
        let mut items = self.0.lock();
        while let Some(item) = taken.pop_back() {
            items.push_front(item);
            self.0.popped.fetch_sub(1, SeqCst);
        }
    }

    /// Takes out the items whose keys are `unwanted`.
    pub(crate) fn take_where(&self, unwanted: impl Fn(&Key) -> bool) -> Vec<Item<T>> {
        let mut items = self.0.lock();
        if !items.iter().any(|(key, _)| unwanted(key)) {
            return Vec::new();
        }
        let (mut taken, mut kept) = (Vec::new(), VecDeque::with_capacity(items.len()));
        for item in items.drain(..) {
            if unwanted(&item.0) { taken.push(item) } else { kept.push_back(item) }
        }
        *items = kept;
        self.0.popped.fetch_add(taken.len(), SeqCst);
        taken
    }

    /// How many items were ever pushed.
    pub(crate) fn pushed(&self) -> usize {
        self.0.pushed()
    }

    /// How many items the queue may hold. [`usize::MAX`] means that there is no limit.
    pub fn limit(&self) -> usize {
        self.0.limit.load(SeqCst)
    }

    pub(crate) fn id(&self) -> QueueId {
        self.0.id
    }

    pub(crate) fn keeps_results(&self) -> bool {
        self.0.kind == Room::Results
    }

    pub(crate) fn is_feedback(&self) -> bool {
        self.0.kind == Room::Feedback
    }

    /// Keeps places for items that will be pushed.
    pub(crate) fn reserve(&self, count: usize) {
        self.0.reserved.fetch_add(count, SeqCst);
    }

    /// Gives reserved places back.
    pub(crate) fn release(&self, count: usize) {
        self.0.reserved.fetch_sub(count, SeqCst);
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

impl<T> QueueInner<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, VecDeque<Item<T>>> {
        // Nothing under the lock can panic half-way, so a poisoned queue is whole, too.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pushed(&self) -> usize {
        self.pushed.load(SeqCst)
    }

    pub(super) fn count(&self) -> usize {
        // The order matters: an item that was popped had been pushed before.
        let popped = self.popped.load(SeqCst);
        self.pushed().saturating_sub(popped)
    }

    pub(super) fn room(&self) -> usize {
        match self.kind {
            Room::Results | Room::Feedback => usize::MAX,
            Room::OfRun | Room::Own(_) => {
                let load = self.count() + self.reserved.load(SeqCst);
                self.limit.load(SeqCst).saturating_sub(load)
            }
        }
    }
}
