//! Sources, which list a series item by item.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use crate::graph::{
    Batch, CallContext, CalledWork, Item, ItemError, Key, Progress, Queue, Work, works::each::catch_error,
};

type Items<T> = Box<dyn Iterator<Item = (Key, T)> + Send>;

/// An iterator that is asked for items while its output has room. So a series of any length is never in
/// memory as a whole.
pub(in crate::graph) struct Source<T> {
    pub name: Arc<str>,
    pub output: Queue<T>,
    items: Mutex<Items<T>>,
    /// A worker asks the iterator now, or the iterator is at its end.
    closed: AtomicBool,
}

impl<T> Source<T> {
    pub fn new(name: Arc<str>, output: Queue<T>, items: Items<T>) -> Self {
        Source { name, output, items: Mutex::new(items), closed: AtomicBool::new(false) }
    }
}

impl<T: Send + 'static> Work for Source<T> {
    fn ready(&self) -> usize {
        if self.closed.load(SeqCst) { 0 } else { self.output.room() }
    }

    fn is_exhausted(&self) -> bool {
        // This is asked after all workers have left, so no worker has closed it for the moment.
        self.closed.load(SeqCst)
    }

    fn list(&self, most: usize) -> Option<Result<Vec<Key>, ItemError>> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = || Ok(items.by_ref().take(most).map(|(key, _)| key).collect());
        Some(catch_error(&self.name, &Key::from(&*self.name), keys))
    }
}

impl<T: Send + 'static> CalledWork for Source<T> {
    fn new_batch(self: Arc<Self>) -> Box<dyn Batch> {
        Box::new(SourceBatch { work: self, made: Vec::new(), reserved: 0, ended: false, error: None })
    }
}

/// Items that a worker has got from the iterator.
struct SourceBatch<T> {
    work: Arc<Source<T>>,
    made: Vec<Item<T>>,
    reserved: usize,
    ended: bool,
    /// The iterator's panic, which has ended it too early.
    error: Option<(Key, ItemError)>,
}

impl<T: Send + 'static> Batch for SourceBatch<T> {
    fn take(&mut self, count: usize) {
        self.work.closed.store(true, SeqCst);
        self.reserved = count;
        self.work.output.reserve(count);
    }

    fn run(&mut self, context: &dyn CallContext) -> usize {
        let mut items = self.work.items.lock().unwrap_or_else(PoisonError::into_inner);
        let mut calls = 0;
        while calls < self.reserved && context.should_continue() {
            calls += 1;
            let key = Key::from(&*self.work.name);
            match catch_error(&self.work.name, &key, || Ok(items.next())) {
                Ok(Some((key, value))) => self.made.push((key, Ok(value))),
                Ok(None) => self.ended = true,
                // An iterator that has panicked is not asked again. Nobody knows what it would have listed, so
                // this is the work's error and not an item's.
                Err(error) => {
                    context.failed(&error);
                    self.error = Some((key, error));
                    self.ended = true;
                }
            }
            if self.ended {
                break;
            }
        }
        calls
    }

    fn deliver(&mut self, progress: &mut Progress) {
        if let Some((key, error)) = self.error.take() {
            progress.add_work_error(&key, &error);
        }
        self.work.output.extend(self.made.drain(..));
        self.work.output.release(self.reserved);
        self.work.closed.store(self.ended, SeqCst);
    }
}
