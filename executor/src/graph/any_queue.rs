//! A queue whose item type is erased.

use std::sync::atomic::Ordering::SeqCst;

use super::{
    Key, Progress,
    queue::{QueueInner, Room},
};

/// Which topology a queue belongs to, and its index among the queues of that topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct QueueId {
    pub topology: u64,
    pub index: usize,
}

/// A queue whose item type is erased: what checks, drawings and the scheduler need to know of it.
pub(crate) trait AnyQueue: Send + Sync {
    fn id(&self) -> QueueId;
    fn name(&self) -> &str;
    /// Does the queue keep results? Then it has no limit, and no work takes from it.
    fn keeps_results(&self) -> bool;
    fn len(&self) -> usize;
    fn keys(&self) -> Vec<Key>;
    /// May works that come after the one which takes from the queue put items into it?
    fn is_feedback(&self) -> bool;
    /// Sets how many items the queue may hold from now on, unless it has a limit of its own.
    fn set_limit(&self, limit: usize);
    /// How many items were ever pushed.
    fn pushed(&self) -> usize;
    /// How many items were ever taken out.
    fn popped(&self) -> usize;
    /// How many more items the queue may hold.
    fn room(&self) -> usize;
    /// Records the newest `count` items as arrived at the end of the graph.
    fn report_newest(&self, count: usize, progress: &mut Progress);
}

impl<T: Send> AnyQueue for QueueInner<T> {
    fn id(&self) -> QueueId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn keeps_results(&self) -> bool {
        self.kind == Room::Results
    }

    fn is_feedback(&self) -> bool {
        self.kind == Room::Feedback
    }

    fn len(&self) -> usize {
        self.count()
    }

    fn keys(&self) -> Vec<Key> {
        self.lock().iter().map(|(key, _)| key.clone()).collect()
    }

    fn set_limit(&self, limit: usize) {
        let limit = if let Room::Own(own) = self.kind { own } else { limit };
        self.limit.store(limit, SeqCst);
    }

    fn pushed(&self) -> usize {
        self.pushed()
    }

    fn popped(&self) -> usize {
        self.popped.load(SeqCst)
    }

    fn room(&self) -> usize {
        self.room()
    }

    fn report_newest(&self, count: usize, progress: &mut Progress) {
        let items = self.lock();
        for (key, value) in items.iter().skip(items.len().saturating_sub(count)) {
            progress.add(key, value.as_ref().err());
        }
    }
}
