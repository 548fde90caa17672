//! Works that are called for each item, and are not complete: their function is still to come.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use terzetto::time::Backoff;

use super::{
    BoxError, IntoQueueSet, Item, Key, Kind, OutputSet, Queue, Topology, WorkBody, WorkNode, WorkSettings,
    settings::{Retries, RetryOf},
    topology::ids,
    works::{Each, Many, One, Spread, Task, TaskFn},
};

/// An io, cpu or task work without its function. The methods say how it is run; [`each`](EachBuilder::each) gives it
/// its function and adds it.
///
/// `M` is [`Blocking`] for io and cpu works, whose functions run in threads, and [`Awaiting`] for tasks, whose
/// functions are async.
#[must_use = "the work is added by `each`"]
pub struct EachBuilder<'t, I, S = (), M = Blocking> {
    topology: &'t mut Topology,
    name: Arc<str>,
    kind: Kind,
    input: Queue<I>,
    outputs: S,
    settings: WorkSettings,
    retry: Option<RetryOf<I>>,
    retry_if: fn(&BoxError) -> bool,
    time_limit: Option<Duration>,
    mode: PhantomData<M>,
}

/// The function of a work blocks: it is called in a thread.
pub enum Blocking {}

/// The function of a work is async: it is called on the thread of the loops.
pub enum Awaiting {}

impl<'t, I: Send + 'static, M> EachBuilder<'t, I, (), M> {
    pub(super) fn new(topology: &'t mut Topology, name: &str, kind: Kind, input: Queue<I>) -> Self {
        EachBuilder {
            topology,
            name: name.into(),
            kind,
            input,
            outputs: (),
            settings: WorkSettings::default(),
            retry: None,
            retry_if: |_| true,
            time_limit: None,
            mode: PhantomData,
        }
    }

    /// Names the queue that takes the function's values: `&queue`. If the function returns a tuple, each member
    /// has a queue of its own: `(&a, &b)`. An error goes into all of them. Without an output the function
    /// returns `()`, and the item has arrived.
    pub fn to<O>(self, outputs: O) -> EachBuilder<'t, I, O::Set, M>
    where
        O: IntoQueueSet<Set: OutputSet>,
    {
        let EachBuilder { topology, name, kind, input, settings, retry, retry_if, time_limit, mode, .. } =
            self;
        let outputs = outputs.into_set();
        EachBuilder { topology, name, kind, input, outputs, settings, retry, retry_if, time_limit, mode }
    }
}

impl<I: Send + 'static, S, M> EachBuilder<'_, I, S, M> {
    /// How many calls of this work run at once; at least 1. Default: as many as
    /// [`Options::max_workers`](crate::Options::max_workers) says. For io and cpu works that limit holds, too; for a
    /// task it does not, because a call that awaits takes no thread.
    pub fn max_workers(mut self, workers: usize) -> Self {
        self.settings.max_workers = Some(workers.max(1));
        self
    }

    /// Of several works that may start, the one with the higher priority starts. Default: 0. Works of one priority
    /// start from the end of the graph to its beginning, so that items which are nearly done leave memory first.
    pub fn priority(mut self, priority: i32) -> Self {
        self.settings.priority = priority;
        self
    }

    /// Each call uses so much of a [resource](crate::Options::resource) while it runs. It waits until that is free.
    ///
    /// ```
    /// # use terzetto_executor::{ExecutorAsync, Options, Topology};
    /// let mut topology = Topology::new("solve");
    /// let numbers = topology.queue::<u64>("numbers");
    /// topology.source("count", &numbers, (0..8).map(|n| (n.to_string(), n)));
    /// topology.cpu("solve", &numbers).uses("gpu", 1).uses("memory", 2_000_000_000).each(|_, _| Ok(()));
    /// // Two calls run at once: there are four GPUs, but memory for two.
    /// let options = Options::new().resource("gpu", 4).resource("memory", 5_000_000_000);
    /// assert_eq!(terzetto::run(ExecutorAsync::new(topology, options)?.run())?.done, 8);
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn uses(mut self, resource: impl Into<String>, amount: u64) -> Self {
        self.settings.uses.push((resource.into(), amount));
        self
    }

    /// Calls again what has failed, up to so many times, later and later. The value is cloned for each attempt but the
    /// last. Put large values into an [`Arc`]. Only errors are tried again: a panic is a defect. If the last attempt
    /// fails, its error is the item's error.
    ///
    /// While it waits, the item keeps its worker, if it has one, and what it [uses](EachBuilder::uses). If the run is
    /// ended early, there is no further attempt.
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    /// # use terzetto::time::Backoff;
    /// # use terzetto_executor::{ExecutorAsync, Options, Topology};
    /// let mut topology = Topology::new("flaky");
    /// let numbers = topology.queue::<u64>("numbers");
    /// topology.source("count", &numbers, [("one", 1)]);
    /// let attempts = AtomicU32::new(0);
    /// let backoff = Backoff::exponential(0.001).at_most(60).jitter(0.5);
    /// topology.io("fetch", &numbers).retry(3, backoff).each(move |_, _| match attempts.fetch_add(1, SeqCst) {
    ///     0 | 1 => Err("the server is busy".into()),
    ///     _ => Ok(()),
    /// });
    /// let outcome = terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
    /// assert_eq!((outcome.done, outcome.works[1].retries), (1, 2));
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn retry(mut self, times: u32, backoff: Backoff) -> Self
    where
        I: Clone,
    {
        self.retry = Some((Retries { times, backoff, retry_if: self.retry_if }, I::clone));
        self
    }

    /// Which errors are worth another attempt. Default: all.
    pub fn retry_if(mut self, retry_if: fn(&BoxError) -> bool) -> Self {
        self.retry_if = retry_if;
        if let Some((retries, _)) = &mut self.retry {
            retries.retry_if = retry_if;
        }
        self
    }

    fn node(&mut self, outputs: Vec<super::QueueId>, body: WorkBody) -> WorkNode {
        WorkNode {
            name: self.name.clone(),
            kind: self.kind,
            inputs: ids(&self.input),
            outputs,
            filled_first: 0,
            settings: std::mem::take(&mut self.settings),
            body,
        }
    }
}

impl<I: Send + 'static, S: OutputSet> EachBuilder<'_, I, S, Blocking> {
    /// Gives the work its function, which is called with each item's key and value.
    ///
    /// Several worker threads call it at once. An error that it returns, or a panic, takes the place of the
    /// item. Other items are not affected.
    pub fn each<F>(self, function: F)
    where
        F: Fn(&Key, I) -> Result<S::Value, BoxError> + Send + Sync + 'static,
    {
        self.add(function, One);
    }

    fn add<R: Send + 'static>(
        mut self,
        function: impl Fn(&Key, I) -> Result<R, BoxError> + Send + Sync + 'static,
        spread: impl Spread<R, S::Value>,
    ) {
        let (name, input, outputs) = (self.name.clone(), self.input.clone(), self.outputs.clone());
        let each =
            Each { name, input, outputs, function, spread, retry: self.retry.take(), returns: PhantomData };
        let node = self.node(ids(&self.outputs), WorkBody::Called(Arc::new(each)));
        self.topology.works.push(node);
    }
}

impl<I: Send + 'static, T: Send + 'static> EachBuilder<'_, I, Queue<T>, Blocking> {
    /// Gives the work its function, which makes any number of items of each item: a list, or anything else that can
    /// be iterated over, of keys and values.
    ///
    /// What one call returns is put into the output as a whole, also if that has less room. An error goes on under
    /// the key of its item. [`Outcome::gathered`](crate::Outcome::gathered) tells how many items were taken and made.
    ///
    /// ```
    /// # use terzetto_executor::{ExecutorAsync, Options, Topology};
    /// let mut topology = Topology::new("lines");
    /// let (texts, lines) = (topology.queue::<String>("texts"), topology.results::<String>("lines"));
    /// topology.source("list", &texts, [("poem", "one\ntwo".to_owned()), ("empty", String::new())]);
    /// topology.cpu("split", &texts).to(&lines).flat_map(|key, text| {
    ///     let line = |(number, line): (usize, &str)| (format!("{key}:{number}"), line.to_owned());
    ///     Ok(text.lines().enumerate().map(line).collect::<Vec<_>>())
    /// });
    /// let outcome = terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
    /// assert_eq!((outcome.done, outcome.gathered[0].taken, outcome.gathered[0].made), (2, 2, 2));
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn flat_map<F, R, K>(self, function: F)
    where
        F: Fn(&Key, I) -> Result<R, BoxError> + Send + Sync + 'static,
        R: IntoIterator<Item = (K, T)>,
        K: Into<Key>,
    {
        self.add(move |key, value| function(key, value).map(all_items), Many::default());
    }
}

impl<I: Send + 'static, S: OutputSet> EachBuilder<'_, I, S, Awaiting> {
    /// How long a call may take. A call that takes longer is cancelled, and its item fails with
    /// [`TimeLimitExceeded`](super::TimeLimitExceeded); with [`retry`](EachBuilder::retry) each attempt has so long.
    ///
    /// Io and cpu works have no time limit: a function in a thread cannot be interrupted. What must be killable runs in
    /// a process: a function of this program in one of a [`ProcessPool`](crate::processes::ProcessPool), another
    /// program by [`terzetto::process`]. If the call is cancelled, the process is ended. A call that neither awaits nor
    /// runs in a process goes on past its limit, until it awaits again; what it then returns is dropped.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Gives the task its function, which is called with each item's key and value, and awaited.
    ///
    /// Calls take turns on the thread of the loops. What computes for long holds all of them up: that is for
    /// [`Topology::cpu`], or for [`terzetto::to_thread`].
    pub fn each<F>(self, function: F)
    where
        F: AsyncFn(&Key, I) -> Result<S::Value, BoxError> + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        self.add(
            Box::new(move |key, value| {
                let function = function.clone();
                Box::pin(async move { function(&key, value).await })
            }),
            One,
        );
    }

    fn add<R: Send + 'static>(mut self, function: TaskFn<I, R>, spread: impl Spread<R, S::Value>) {
        let (name, input, outputs) = (self.name.clone(), self.input.clone(), self.outputs.clone());
        let task = Task {
            name,
            input,
            outputs,
            function,
            spread,
            retry: self.retry.take(),
            time_limit: self.time_limit,
        };
        let node = self.node(ids(&self.outputs), WorkBody::Task(Arc::new(task)));
        self.topology.works.push(node);
    }
}

impl<I: Send + 'static, T: Send + 'static> EachBuilder<'_, I, Queue<T>, Awaiting> {
    /// Gives the task its function, which makes any number of items of each item. As
    /// [`flat_map`](EachBuilder::flat_map) of io and cpu works.
    pub fn flat_map<F, R, K>(self, function: F)
    where
        F: AsyncFn(&Key, I) -> Result<R, BoxError> + Send + Sync + 'static,
        R: IntoIterator<Item = (K, T)>,
        K: Into<Key>,
    {
        let function = Arc::new(function);
        self.add(
            Box::new(move |key, value| {
                let function = function.clone();
                Box::pin(async move { function(&key, value).await.map(all_items) })
            }),
            Many::default(),
        );
    }
}

fn all_items<T, K: Into<Key>>(items: impl IntoIterator<Item = (K, T)>) -> Vec<Item<T>> {
    items.into_iter().map(|(key, value)| (key.into(), Ok(value))).collect()
}
