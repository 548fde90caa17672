//! Io and cpu works, which are called once for each item.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use crate::graph::{Batch, BoxError, CallContext, Item, ItemError, Key, OutputSet, Progress, Queue, Work};

/// An io or cpu work.
pub(in crate::graph) struct Each<I, S, F> {
    pub name: Arc<str>,
    pub input: Queue<I>,
    pub outputs: S,
    pub function: F,
}

impl<I, S, F> Work for Each<I, S, F>
where
    I: Send + 'static,
    S: OutputSet,
    F: Fn(&Key, I) -> Result<S::Value, BoxError> + Send + Sync + 'static,
{
    fn ready(&self) -> usize {
        match self.input.len() {
            0 => 0,
            waiting => waiting.min(self.outputs.room()),
        }
    }

    fn new_batch(self: Arc<Self>) -> Box<dyn Batch> {
        Box::new(EachBatch { work: self, taken: VecDeque::new(), made: Vec::new(), reserved: 0 })
    }
}

/// Items that a worker has taken, and the values that were made of them.
struct EachBatch<I, S: OutputSet, F> {
    work: Arc<Each<I, S, F>>,
    taken: VecDeque<Item<I>>,
    made: Vec<Item<S::Value>>,
    reserved: usize,
}

impl<I, S, F> Batch for EachBatch<I, S, F>
where
    I: Send + 'static,
    S: OutputSet,
    F: Fn(&Key, I) -> Result<S::Value, BoxError> + Send + Sync + 'static,
{
    fn take(&mut self, count: usize) {
        self.work.input.pop_into(&mut self.taken, count);
        self.reserved = self.taken.len();
        self.work.outputs.reserve(self.reserved);
    }

    fn run(&mut self, context: &dyn CallContext) -> usize {
        let mut calls = 0;
        while context.should_continue()
            && let Some((key, value)) = self.taken.pop_front()
        {
            let result = match value {
                // An error passes on unchanged.
                Err(error) => Err(error),
                Ok(value) => {
                    calls += 1;
                    self.call(&key, value, context)
                }
            };
            self.made.push((key, result));
        }
        calls
    }

    fn deliver(&mut self, progress: &mut Progress) {
        let Each { input, outputs, .. } = &*self.work;
        outputs.send(&mut self.made, progress);
        outputs.release(self.reserved);
        if !self.taken.is_empty() {
            input.put_back(&mut self.taken);
        }
    }
}

impl<I, S, F> EachBatch<I, S, F>
where
    S: OutputSet,
    F: Fn(&Key, I) -> Result<S::Value, BoxError>,
{
    fn call(&self, key: &Key, value: I, context: &dyn CallContext) -> Result<S::Value, ItemError> {
        let Each { name, function, .. } = &*self.work;
        let start = context.wants_calls().then(|| {
            context.started(key);
            Instant::now()
        });
        let result = catch_error(name, key, || function(key, value));
        if let Err(error) = &result {
            context.failed(error);
        }
        if let Some(start) = start {
            context.finished(key, start.elapsed(), result.as_ref().err());
        }
        result
    }
}

/// Calls a work's function. An error or a panic becomes the item's error.
pub(super) fn catch_error<T>(
    name: &Arc<str>,
    key: &Key,
    call: impl FnOnce() -> Result<T, BoxError>,
) -> Result<T, ItemError> {
    // Unwind safety: the panic drops the item's value. Whatever the function shares between items, it shares
    // between threads, too; so it is behind a lock, and the panic poisons that lock.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(ItemError::new(name.clone(), key, error)),
        Err(payload) => Err(ItemError::from_panic(name, key, &*payload)),
    }
}
