//! Tasks: works whose function is async. It is called once for each item, on the thread of the loops.

use std::{
    any::Any,
    collections::VecDeque,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use terzetto::{Cancelled, Error, move_on_after, sleep};

use super::Spread;
use crate::graph::{
    BoxError, CallContext, Item, ItemError, Key, OutputSet, Progress, Queue, TaskBatch, TaskWork,
    TimeLimitExceeded, Work, settings::RetryOf,
};

/// What a call of a task returns, later.
type TaskFuture<R> = Pin<Box<dyn Future<Output = Result<R, BoxError>>>>;

/// The function of a task, with its future boxed.
pub(in crate::graph) type TaskFn<I, R> = Box<dyn Fn(Key, I) -> TaskFuture<R> + Send + Sync>;

/// While a task waits for its next attempt, it looks so often whether the run is about to end.
const LOOK_PERIOD: Duration = Duration::from_millis(100);

/// A work whose function is async.
pub(in crate::graph) struct Task<I, S, R, P> {
    pub name: Arc<str>,
    pub input: Queue<I>,
    pub outputs: S,
    pub function: TaskFn<I, R>,
    pub spread: P,
    pub retry: Option<RetryOf<I>>,
    pub time_limit: Option<Duration>,
}

impl<I: Send + 'static, S: OutputSet, R: Send + 'static, P: Spread<R, S::Value>> Work for Task<I, S, R, P> {
    fn ready(&self) -> usize {
        match self.input.len() {
            0 => 0,
            waiting => waiting.min(self.outputs.room()),
        }
    }

    fn takes_one_at_a_time(&self) -> bool {
        true
    }

    fn gathered(&self) -> Option<(usize, usize)> {
        self.spread.counts()
    }
}

impl<I: Send + 'static, S: OutputSet, R: Send + 'static, P: Spread<R, S::Value>> TaskWork
    for Task<I, S, R, P>
{
    fn new_batch(self: Arc<Self>) -> Box<dyn TaskBatch> {
        Box::new(Call { work: self, taken: VecDeque::new(), made: Vec::new(), reserved: 0, current: None })
    }
}

/// One call of a task at a time.
struct Call<I, S: OutputSet, R, P> {
    work: Arc<Task<I, S, R, P>>,
    taken: VecDeque<Item<I>>,
    made: Vec<Item<S::Value>>,
    reserved: usize,
    /// The key of the item whose call has begun and not ended.
    current: Option<Key>,
}

impl<I: Send + 'static, S: OutputSet, R: Send + 'static, P: Spread<R, S::Value>> TaskBatch
    for Call<I, S, R, P>
{
    fn take(&mut self) {
        self.work.input.pop_into(&mut self.taken, 1);
        self.reserved = self.taken.len();
        self.work.outputs.reserve(self.reserved);
    }

    fn run<'a>(
        &'a mut self,
        context: &'a dyn CallContext,
    ) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + 'a>> {
        Box::pin(async move {
            let Some((key, value)) = self.taken.pop_front() else { return Ok(0) };
            self.work.spread.count_taken();
            let value = match value {
                Ok(value) => value,
                // An error passes on unchanged.
                Err(error) => {
                    self.made.push((key, Err(error)));
                    return Ok(0);
                }
            };
            self.current = Some(key.clone());
            let start = context.wants_calls().then(|| {
                context.started(&key);
                Instant::now()
            });
            // If it is cancelled, `current` stays, and `deliver` records the item as interrupted.
            let result = self.work.call(&key, value, context).await?;
            self.current = None;
            if let Err(error) = &result {
                context.failed(error);
            }
            if let Some(start) = start {
                context.finished(&key, start.elapsed(), result.as_ref().err());
            }
            match result {
                Ok(value) => self.work.spread.add(key, value, &mut self.made),
                Err(error) => self.made.push((key, Err(error))),
            }
            Ok(1)
        })
    }

    fn deliver(&mut self, progress: &mut Progress) {
        let Task { name, input, outputs, .. } = &*self.work;
        outputs.send(&mut self.made, progress);
        outputs.release(std::mem::take(&mut self.reserved));
        if !self.taken.is_empty() {
            input.put_back(&mut self.taken);
        }
        progress.interrupted.extend(self.current.take().map(|key| (name.clone(), key)));
    }
}

impl<I, S, R, P> Task<I, S, R, P> {
    /// Calls the function, again if necessary. The outer error is a cancellation.
    async fn call(
        &self,
        key: &Key,
        value: I,
        context: &dyn CallContext,
    ) -> Result<Result<R, ItemError>, Error> {
        let mut value = Some(value);
        let mut attempts = self.retry.as_ref().map(|(retries, clone)| (retries.attempts(), clone));
        loop {
            let may_follow = attempts.as_ref().filter(|(attempts, _)| attempts.may_follow());
            let own = match (may_follow, &value) {
                (Some((_, clone)), Some(value)) => Some(clone(value)),
                _ => value.take(),
            };
            let Some(own) = own else {
                return Ok(Err(ItemError::new(self.name.clone(), key, "it was tried without a value")));
            };
            let error = match catch_panic(self.attempt(key, own)).await {
                Err(payload) => return Ok(Err(ItemError::from_panic(&self.name, key, &*payload))),
                Ok(attempt) => match attempt? {
                    Ok(value) => return Ok(Ok(value)),
                    Err(error) => error,
                },
            };
            let wait = attempts.as_mut().and_then(|(attempts, _)| attempts.delay_after(&error));
            let Some(wait) = wait.filter(|_| context.should_continue()) else {
                return Ok(Err(ItemError::new(self.name.clone(), key, error)));
            };
            context.retrying(key, &error, wait);
            let until = Instant::now() + wait;
            while let left = until.saturating_duration_since(Instant::now())
                && !left.is_zero()
            {
                sleep(left.min(LOOK_PERIOD)).await?;
                if !context.should_continue() {
                    return Ok(Err(ItemError::new(self.name.clone(), key, error)));
                }
            }
        }
    }

    /// Calls the function once. The outer error is a cancellation.
    async fn attempt(&self, key: &Key, value: I) -> Result<Result<R, BoxError>, Error> {
        let call = async {
            match (self.function)(key.clone(), value).await {
                Err(error) if Cancelled::find_in(&*error).is_some() => Err(Error::from_boxed(error)),
                result => Ok(result),
            }
        };
        match self.time_limit {
            None => call.await,
            Some(limit) => Ok(match move_on_after(limit.as_secs_f64(), call).await? {
                Some(result) => result,
                None => Err(TimeLimitExceeded { limit }.into()),
            }),
        }
    }
}

/// Awaits a future. If it panics, returns what it panicked with.
async fn catch_panic<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    // Unwind safety: the future is not polled again after a panic.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(payload) => Poll::Ready(Err(payload)),
    })
    .await
}
