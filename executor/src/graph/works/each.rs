//! Io and cpu works, which are called once for each item, in a thread.

use std::{
    collections::VecDeque,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use super::Spread;
use crate::graph::{
    Batch, BoxError, CallContext, CalledWork, Item, ItemError, Key, OutputSet, Progress, Queue, Work,
    settings::RetryOf,
};

/// An io or cpu work.
pub(in crate::graph) struct Each<I, S, F, R, P> {
    pub name: Arc<str>,
    pub input: Queue<I>,
    pub outputs: S,
    pub function: F,
    pub spread: P,
    pub retry: Option<RetryOf<I>>,
    pub returns: PhantomData<fn() -> R>,
}

impl<I, S, F, R, P> Work for Each<I, S, F, R, P>
where
    I: Send + 'static,
    S: OutputSet,
    F: Fn(&Key, I) -> Result<R, BoxError> + Send + Sync + 'static,
    R: Send + 'static,
    P: Spread<R, S::Value>,
{
    fn ready(&self) -> usize {
        match self.input.len() {
            0 => 0,
            waiting => waiting.min(self.outputs.room()),
        }
    }

    fn gathered(&self) -> Option<(usize, usize)> {
        self.spread.counts()
    }
}

impl<I, S, F, R, P> CalledWork for Each<I, S, F, R, P>
where
    I: Send + 'static,
    S: OutputSet,
    F: Fn(&Key, I) -> Result<R, BoxError> + Send + Sync + 'static,
    R: Send + 'static,
    P: Spread<R, S::Value>,
{
    fn new_batch(self: Arc<Self>) -> Box<dyn Batch> {
        Box::new(EachBatch { work: self, taken: VecDeque::new(), made: Vec::new(), reserved: 0 })
    }
}

/// Items that a worker has taken, and the values that were made of them.
struct EachBatch<I, S: OutputSet, F, R, P> {
    work: Arc<Each<I, S, F, R, P>>,
    taken: VecDeque<Item<I>>,
    made: Vec<Item<S::Value>>,
    reserved: usize,
}

impl<I, S, F, R, P> Batch for EachBatch<I, S, F, R, P>
where
    I: Send + 'static,
    S: OutputSet,
    F: Fn(&Key, I) -> Result<R, BoxError> + Send + Sync + 'static,
    R: Send + 'static,
    P: Spread<R, S::Value>,
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
            self.work.spread.count_taken();
            let result = match value {
                // An error passes on unchanged.
                Err(error) => Err(error),
                Ok(value) => {
                    calls += 1;
                    self.work.observed_call(&key, value, context)
                }
            };
            match result {
                Ok(value) => self.work.spread.add(key, value, &mut self.made),
                Err(error) => self.made.push((key, Err(error))),
            }
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

impl<I, S, F, R, P> Each<I, S, F, R, P>
where
    S: OutputSet,
    F: Fn(&Key, I) -> Result<R, BoxError>,
{
    fn observed_call(&self, key: &Key, value: I, context: &dyn CallContext) -> Result<R, ItemError> {
        let start = context.wants_calls().then(|| {
            context.started(key);
            Instant::now()
        });
        let result = match &self.retry {
            None => catch_error(&self.name, key, || (self.function)(key, value)),
            Some(retry) => self.call_again(retry, key, value, context),
        };
        if let Err(error) = &result {
            context.failed(error);
        }
        if let Some(start) = start {
            context.finished(key, start.elapsed(), result.as_ref().err());
        }
        result
    }

    /// Calls the function until it succeeds or nothing is left to try.
    fn call_again(
        &self,
        (retries, clone): &RetryOf<I>,
        key: &Key,
        value: I,
        context: &dyn CallContext,
    ) -> Result<R, ItemError> {
        let mut attempts = retries.attempts();
        while attempts.may_follow() {
            // A panic is not tried again.
            let result = catch_error(&self.name, key, || Ok((self.function)(key, clone(&value))))?;
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let delay = attempts.delay_after(&error).filter(|_| context.should_continue());
            if let Some(delay) = delay {
                context.retrying(key, &error, delay);
            }
            if !delay.is_some_and(|delay| context.pause(delay)) {
                return Err(ItemError::new(self.name.clone(), key, error));
            }
        }
        catch_error(&self.name, key, || (self.function)(key, value))
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
