//! Works that are called once for each item.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use crate::graph::{
    BoxError, Hand, Item, ItemError, Key, Queue, Watch, Work,
    queue_set::{Ends, OutputSet},
};

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

    fn hand(self: Arc<Self>) -> Box<dyn Hand> {
        Box::new(EachHand { work: self, taken: VecDeque::new(), made: Vec::new(), promised: 0 })
    }
}

struct EachHand<I, S: OutputSet, F> {
    work: Arc<Each<I, S, F>>,
    taken: VecDeque<Item<I>>,
    made: Vec<Item<S::Value>>,
    promised: usize,
}

impl<I, S, F> Hand for EachHand<I, S, F>
where
    I: Send + 'static,
    S: OutputSet,
    F: Fn(&Key, I) -> Result<S::Value, BoxError> + Send + Sync + 'static,
{
    fn take(&mut self, most: usize) {
        self.work.input.pop_into(&mut self.taken, most);
        self.promised = self.taken.len();
        self.work.outputs.promise(self.promised);
    }

    fn work(&mut self, watch: &dyn Watch) -> usize {
        let mut calls = 0;
        while watch.goes_on()
            && let Some((key, value)) = self.taken.pop_front()
        {
            let result = match value {
                // An error passes on untouched.
                Err(error) => Err(error),
                Ok(value) => {
                    calls += 1;
                    self.call(&key, value, watch)
                }
            };
            self.made.push((key, result));
        }
        calls
    }

    fn deliver(&mut self, ends: &mut Ends) {
        let Each { input, outputs, .. } = &*self.work;
        outputs.send(&mut self.made, ends);
        outputs.release(self.promised);
        if !self.taken.is_empty() {
            input.put_back(&mut self.taken);
        }
    }
}

impl<I, S, F> EachHand<I, S, F>
where
    S: OutputSet,
    F: Fn(&Key, I) -> Result<S::Value, BoxError>,
{
    fn call(&self, key: &Key, value: I, watch: &dyn Watch) -> Result<S::Value, ItemError> {
        let Each { name, function, .. } = &*self.work;
        let start = watch.is_curious().then(|| {
            watch.started(key);
            Instant::now()
        });
        let result = guarded(name, key, || function(key, value));
        if let Err(error) = &result {
            watch.failed(error);
        }
        if let Some(start) = start {
            watch.finished(key, start.elapsed(), result.as_ref().err());
        }
        result
    }
}

/// Calls a work's function; whatever goes wrong is the item's error.
pub(super) fn guarded<T>(
    name: &Arc<str>,
    key: &Key,
    call: impl FnOnce() -> Result<T, BoxError>,
) -> Result<T, ItemError> {
    // Unwind safety: the value is lost with the panic, and what the function shares between items
    // it shares between threads already, where a lock that saw a panic is poisoned.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(ItemError::new(name.clone(), key, error)),
        Err(payload) => Err(ItemError::from_panic(name, key, &*payload)),
    }
}
