//! Works that list a series, item by item, as far as there is room.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use crate::graph::{Hand, Item, ItemError, Key, Queue, Watch, Work, queue_set::Ends, works::each::guarded};

type Items<T> = Box<dyn Iterator<Item = (Key, T)> + Send>;

/// An iterator that is asked for items while its output has room: a series of any length never
/// stands in memory as a whole.
pub(in crate::graph) struct Source<T> {
    pub name: Arc<str>,
    pub output: Queue<T>,
    items: Mutex<Items<T>>,
    /// A worker is asking, or nothing more will come.
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
        // Once no worker works any more, nothing else closes it.
        self.closed.load(SeqCst)
    }

    fn hand(self: Arc<Self>) -> Box<dyn Hand> {
        Box::new(SourceHand { work: self, made: Vec::new(), promised: 0, ended: false, error: None })
    }
}

struct SourceHand<T> {
    work: Arc<Source<T>>,
    made: Vec<Item<T>>,
    promised: usize,
    ended: bool,
    /// Why it has ended too early.
    error: Option<(Key, ItemError)>,
}

impl<T: Send + 'static> Hand for SourceHand<T> {
    fn take(&mut self, most: usize) {
        self.work.closed.store(true, SeqCst);
        self.promised = most;
        self.work.output.promise(most);
    }

    fn work(&mut self, watch: &dyn Watch) -> usize {
        let mut items = self.work.items.lock().unwrap_or_else(PoisonError::into_inner);
        let mut calls = 0;
        while calls < self.promised && watch.goes_on() {
            calls += 1;
            let key = Key::from(&*self.work.name);
            match guarded(&self.work.name, &key, || Ok(items.next())) {
                Ok(Some((key, value))) => self.made.push((key, Ok(value))),
                Ok(None) => self.ended = true,
                // An iterator that has panicked is not asked again. What it would have listed is not known, so that
                // this is no item's error.
                Err(error) => {
                    watch.failed(&error);
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

    fn deliver(&mut self, ends: &mut Ends) {
        if let Some((key, error)) = self.error.take() {
            ends.add_of_work(&key, &error);
        }
        self.work.output.extend(self.made.drain(..));
        self.work.output.release(self.promised);
        self.work.closed.store(self.ended, SeqCst);
    }
}
