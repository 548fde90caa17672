//! The graph of queues and works. Queues and works have names, and typed handles of the queues link them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{
    AnyQueue, Awaiting, BoxError, EachBuilder, IntoInput, IntoQueueSet, InvalidTopology, ItemError,
    JoinBuilder, Key, Kind, Moment, Queue, QueueId, QueueSet, WorkBody, WorkNode, WorkSettings, check,
    drawing,
    queue::Room,
    queue_set::QueueList,
    works::{Global, Source},
};

/// A graph of queues and works. An executor such as [`ExecutorAsync`](crate::ExecutorAsync) runs it.
///
/// ```
/// use terzetto_executor::{Key, Topology};
///
/// let mut topology = Topology::new("squares");
/// let numbers = topology.queue::<u64>("numbers");
/// let squares = topology.results::<u64>("squares");
/// topology.one_shot("fill", (), &numbers, |(), numbers| {
///     for n in 1..=3 {
///         numbers.push(n.to_string(), n);
///     }
///     Ok(())
/// });
/// topology.cpu("square", &numbers).to(&squares).each(|_key: &Key, n| Ok(n * n));
/// topology.check()?;
/// # Ok::<(), terzetto_executor::InvalidTopology>(())
/// ```
pub struct Topology {
    name: String,
    id: u64,
    pub(crate) queues: Vec<Arc<dyn AnyQueue>>,
    pub(crate) works: Vec<WorkNode>,
}

impl Topology {
    /// A topology without queues and works.
    pub fn new(name: impl Into<String>) -> Self {
        // A handle has the number of its topology, so a handle of another topology is noticed.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Topology {
            name: name.into(),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            queues: Vec::new(),
            works: Vec::new(),
        }
    }

    /// The topology's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a queue between works. It holds at most [`queue_limit`](crate::Options::queue_limit) items. The
    /// limit does not hold for one-shot works, which run before the others.
    pub fn queue<T: Send + 'static>(&mut self, name: impl Into<String>) -> Queue<T> {
        self.add_queue(name.into(), Room::OfRun)
    }

    /// Adds a queue between works that holds at most `limit` items, whatever the options of the run say; at least 1.
    /// It bounds the memory where items are large.
    pub fn queue_with_limit<T: Send + 'static>(&mut self, name: impl Into<String>, limit: usize) -> Queue<T> {
        self.add_queue(name.into(), Room::Own(limit.max(1)))
    }

    /// Adds a queue into which works may put items again that come after the one that takes from it. So works may
    /// feed each other in a circle, as in a crawler: the pages that are found are fetched, too.
    ///
    /// The run ends when every queue is empty and no call runs: then nothing can come any more. The queue has no
    /// limit. With one, a circle could fill and stand still. An error that a work would put into it has arrived: it
    /// goes round no further.
    ///
    /// ```
    /// # use terzetto_executor::{ExecutorAsync, Options, Topology};
    /// let mut topology = Topology::new("halves");
    /// let numbers = topology.feedback_queue::<u64>("numbers");
    /// let halves = topology.queue::<u64>("halves");
    /// topology.source("begin", &numbers, [("40", 40)]);
    /// topology.cpu("halve", &numbers).to(&halves).each(|_, n| Ok(n / 2));
    /// topology.cpu("again", &halves).to(&numbers).flat_map(|_, n| {
    ///     Ok((n > 0).then(|| (n.to_string(), n)))
    /// });
    /// let outcome = terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
    /// // 40, 20, 10, 5, 2, 1
    /// assert_eq!(outcome.gathered[0].taken, 6);
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn feedback_queue<T: Send + 'static>(&mut self, name: impl Into<String>) -> Queue<T> {
        self.add_queue(name.into(), Room::Feedback)
    }

    /// Adds a queue that keeps results. No work takes from it, and it has no limit. [`Queue::drain`] gives its
    /// items after the run.
    pub fn results<T: Send + 'static>(&mut self, name: impl Into<String>) -> Queue<T> {
        self.add_queue(name.into(), Room::Results)
    }

    fn add_queue<T: Send + 'static>(&mut self, name: String, room: Room) -> Queue<T> {
        let id = QueueId { topology: self.id, index: self.queues.len() };
        let queue = Queue::new(name, id, room);
        self.queues.push(queue.erased());
        queue
    }

    /// Adds a work that runs once, before the other works, on the executor's own thread. Usually it fills
    /// queues.
    ///
    /// `inputs` are queues that other one-shot works fill, and `outputs` are queues that this one fills: `()`,
    /// `&queue` or a tuple of these. A one-shot work that reads a queue runs after those that fill it. An error
    /// or a panic of a one-shot work ends the run before the other works begin.
    pub fn one_shot<I, O, F>(&mut self, name: &str, inputs: I, outputs: O, function: F)
    where
        I: IntoQueueSet,
        O: IntoQueueSet,
        F: FnOnce(I::Set, O::Set) -> Result<(), BoxError> + 'static,
    {
        let (inputs, outputs) = (inputs.into_set(), outputs.into_set());
        self.works.push(WorkNode {
            name: name.into(),
            kind: Kind::OneShot,
            filled_first: QueueList::of(&inputs).ids.len(),
            inputs: ids(&inputs),
            outputs: ids(&outputs),
            settings: WorkSettings::default(),
            body: WorkBody::OneShot(Box::new(move || function(inputs, outputs))),
        });
    }

    /// Adds a work that lists a series. `items` is asked for the next item when `output` has room, so a series
    /// of any length is never in memory as a whole. A one-shot work would push all items at the start.
    ///
    /// ```
    /// # use terzetto_executor::{ExecutorAsync, Options, Topology};
    /// let mut topology = Topology::new("sum");
    /// let numbers = topology.queue::<u64>("numbers");
    /// topology.source("count", &numbers, (0..1000).map(|n| (n.to_string(), n)));
    /// topology.cpu("look", &numbers).each(|_, n| if n < 1000 { Ok(()) } else { Err("too large".into()) });
    /// let outcome = terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
    /// assert_eq!(outcome.done, 1000);
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn source<K, T, I>(&mut self, name: &str, output: &Queue<T>, items: I)
    where
        K: Into<Key>,
        T: Send + 'static,
        I: IntoIterator<Item = (K, T), IntoIter: Send + 'static>,
    {
        let name: Arc<str> = name.into();
        let items = items.into_iter().map(|(key, value)| (key.into(), value));
        self.works.push(WorkNode {
            name: name.clone(),
            kind: Kind::Source,
            inputs: Vec::new(),
            outputs: ids(output),
            filled_first: 0,
            settings: WorkSettings::default(),
            body: WorkBody::Called(Arc::new(Source::new(name, output.clone(), Box::new(items)))),
        });
    }

    /// Adds a work that sees its whole queues. `function` is called when an item has come into an input or has
    /// left an output, if an input has an item and every output has [room](Queue::room). It takes what it wants
    /// and leaves the rest. So it can wait for more items, gather windows of images, or put off an item.
    ///
    /// When no other work can go on, the function is called with [`Moment::End`]. Items that it then leaves in
    /// its inputs are an error of the run.
    ///
    /// One call runs at a time, in the thread of a worker.
    ///
    /// ```
    /// # use terzetto_executor::{ExecutorAsync, Moment, Options, Topology};
    /// let mut topology = Topology::new("mean");
    /// let numbers = topology.queue::<f64>("numbers");
    /// let mean = topology.results::<f64>("mean");
    /// topology.source("count", &numbers, (1..=9).map(|n| (n.to_string(), f64::from(n))));
    /// let (mut sum, mut count) = (0.0, 0.0);
    /// topology.global("gather", &numbers, &mean, move |numbers, mean, moment| {
    ///     while let Some((_, number)) = numbers.pop() {
    ///         sum += number?;
    ///         count += 1.0;
    ///     }
    ///     if moment == Moment::End {
    ///         mean.push("mean", sum / count);
    ///     }
    ///     Ok(())
    /// });
    /// terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
    /// assert!(matches!(mean.drain()[0], (_, Ok(5.0))));
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn global<I, O, F>(&mut self, name: &str, inputs: I, outputs: O, function: F)
    where
        I: IntoQueueSet,
        O: IntoQueueSet,
        F: FnMut(&I::Set, &O::Set, Moment) -> Result<(), BoxError> + Send + 'static,
    {
        let (inputs, outputs) = (inputs.into_set(), outputs.into_set());
        let name: Arc<str> = name.into();
        self.works.push(WorkNode {
            name: name.clone(),
            kind: Kind::Global,
            inputs: ids(&inputs),
            outputs: ids(&outputs),
            filled_first: 0,
            settings: WorkSettings::default(),
            body: WorkBody::Called(Arc::new(Global::new(name, inputs, outputs, function))),
        });
    }

    /// Adds a work that is called for each item of `input`, in a worker thread, and mostly waits: for a disk or
    /// a network. Complete it with [`EachBuilder::each`].
    ///
    /// `input` is `&queue`, or a tuple of these. Several queues are joined by key, and the function is called
    /// with a tuple of values.
    pub fn io<I: IntoInput>(&mut self, name: &str, input: I) -> EachBuilder<'_, I::Item> {
        self.each_builder(name, Kind::Io, input)
    }

    /// Adds a work that is called for each item of `input`, in a worker thread, and mostly computes. Complete
    /// it with [`EachBuilder::each`].
    ///
    /// `input` is `&queue`, or a tuple of these, as for [`Topology::io`].
    ///
    /// ```
    /// # use terzetto_executor::{ExecutorAsync, Options, Topology};
    /// let mut topology = Topology::new("diamond");
    /// let numbers = topology.queue::<i64>("numbers");
    /// let (halves, rests) = (topology.queue::<i64>("halves"), topology.queue::<i64>("rests"));
    /// let again = topology.results::<i64>("again");
    /// topology.source("count", &numbers, (0..50).map(|n| (n.to_string(), n)));
    /// topology.cpu("split", &numbers).to((&halves, &rests)).each(|_, n| Ok((n / 2, n % 2)));
    /// topology.cpu("join", (&halves, &rests)).to(&again).each(|_, (half, rest)| Ok(2 * half + rest));
    /// terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
    /// assert!(again.drain().iter().all(|(key, n)| matches!(n, Ok(n) if n.to_string() == key.as_str())));
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn cpu<I: IntoInput>(&mut self, name: &str, input: I) -> EachBuilder<'_, I::Item> {
        self.each_builder(name, Kind::Cpu, input)
    }

    fn each_builder<I: IntoInput, M>(
        &mut self,
        name: &str,
        kind: Kind,
        input: I,
    ) -> EachBuilder<'_, I::Item, (), M> {
        let input = input.into_input(self, name);
        EachBuilder::new(self, name, kind, input)
    }

    /// Adds a work that is called for each item of `input` and awaited: its function is async. It is for what waits
    /// for a network, a process, another task: hundreds of calls take one thread. Complete it with
    /// [`each`](EachBuilder::each).
    ///
    /// `input` is `&queue`, or a tuple of these, as for [`Topology::io`].
    ///
    /// # Cancellation
    ///
    /// If the run is [cancelled](crate::Control::cancel), calls that wait are cancelled. Their items are in
    /// [`Outcome::unfinished`](crate::Outcome::unfinished), under the name of the work. If it is
    /// [stopped](crate::Control::stop), calls that run are finished.
    ///
    /// ```
    /// # use terzetto_executor::{ExecutorAsync, Options, Topology};
    /// let mut topology = Topology::new("naps");
    /// let naps = topology.queue::<f64>("naps");
    /// let slept = topology.results::<f64>("slept");
    /// topology.source("count", &naps, (0..100).map(|n| (n.to_string(), 0.01)));
    /// topology.task("sleep", &naps).max_workers(100).to(&slept).each(async |_key, seconds| {
    ///     terzetto::sleep(seconds).await?;
    ///     Ok(seconds)
    /// });
    /// // All of them sleep at the same time. A queue that is shorter would let fewer begin.
    /// let executor = ExecutorAsync::new(topology, Options::new().queue_limit(100))?;
    /// assert_eq!(terzetto::run(executor.run())?.done, 100);
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn task<I: IntoInput>(&mut self, name: &str, input: I) -> EachBuilder<'_, I::Item, (), Awaiting> {
        self.each_builder(name, Kind::Task, input)
    }

    /// Adds a work that brings items together. Each item of `groups` names the `members` that it wants, and
    /// leaves with them under its own key. Complete it with [`JoinBuilder::to`].
    ///
    /// Groups leave in their order. A member that several groups want is cloned for all but the last, so put
    /// large values into an [`Arc`]. If a member is an error, the group leaves with that error. If a member
    /// never comes, the group leaves with an error that says so.
    ///
    /// Groups must come from one-shot works, because the join must know which members are wanted before the
    /// first one comes. Least memory is used if members come in the order in which groups first want them.
    pub fn join<T, const N: usize>(
        &mut self,
        name: &str,
        groups: &Queue<[Key; N]>,
        members: &Queue<T>,
    ) -> JoinBuilder<'_, T, N>
    where
        T: Clone + Send + 'static,
    {
        JoinBuilder::new(self, name, groups.clone(), members.clone())
    }

    /// Checks that the graph can run.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`] with every [`Problem`](super::Problem) found.
    pub fn check(&self) -> Result<(), InvalidTopology> {
        check::check(self)
    }

    /// Asks each source what it would list, at most so many items, and calls no work. The topology is used up,
    /// because a source lists its items once. Items of one-shot works are not known before a run.
    ///
    /// ```
    /// # use terzetto_executor::Topology;
    /// let mut topology = Topology::new("squares");
    /// let numbers = topology.queue::<u64>("numbers");
    /// topology.source("count", &numbers, (0..).map(|n| (n.to_string(), n)));
    /// topology.cpu("square", &numbers).each(|_, _| panic!("nothing is called"));
    /// let listed = topology.list_sources(3)?;
    /// assert_eq!((listed[0].work.as_str(), listed[0].keys.len()), ("count", 3));
    /// # Ok::<(), terzetto_executor::ItemError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The iterator of a source has panicked.
    pub fn list_sources(self, most: usize) -> Result<Vec<Listed>, ItemError> {
        let list = |work: &WorkNode| match &work.body {
            WorkBody::Called(called) => {
                Some(called.list(most)?.map(|keys| Listed { work: work.name.to_string(), keys }))
            }
            _ => None,
        };
        self.works.iter().filter_map(list).collect()
    }

    /// The works, in the order in which they were added.
    pub fn works(&self) -> impl Iterator<Item = WorkInfo<'_>> {
        self.works.iter().map(|work| {
            let names = |ids: &[QueueId]| {
                let own = ids.iter().filter(|id| self.owns(**id));
                own.map(|id| self.queues[id.index].name()).collect()
            };
            WorkInfo {
                name: &work.name,
                kind: work.kind,
                inputs: names(&work.inputs),
                outputs: names(&work.outputs),
                max_workers: work.settings.max_workers,
                priority: work.settings.priority,
                uses: &work.settings.uses,
            }
        })
    }

    /// The graph in the `dot` language of graphviz. Boxes are works, ellipses are queues.
    pub fn to_dot(&self) -> String {
        drawing::to_dot(self)
    }

    /// The graph as an SVG picture, which browsers show. Boxes are works, rounded boxes are queues.
    pub fn to_svg(&self) -> String {
        drawing::to_svg(self)
    }

    pub(crate) fn owns(&self, queue: QueueId) -> bool {
        queue.topology == self.id
    }
}

/// What a source would list: see [`Topology::list_sources`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The name of the source.
    pub work: String,
    /// The keys of its items.
    pub keys: Vec<Key>,
}

/// The description of a work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkInfo<'t> {
    /// The work's name.
    pub name: &'t str,
    /// How it is run.
    pub kind: Kind,
    /// The names of its inputs.
    pub inputs: Vec<&'t str>,
    /// The names of its outputs.
    pub outputs: Vec<&'t str>,
    /// Its own limit of calls at once, if it has one: see [`EachBuilder::max_workers`].
    pub max_workers: Option<usize>,
    /// See [`EachBuilder::priority`].
    pub priority: i32,
    /// How much each call uses of which resources: see [`EachBuilder::uses`].
    pub uses: &'t [(String, u64)],
}

pub(super) fn ids(queues: &impl QueueSet) -> Vec<QueueId> {
    QueueList::of(queues).ids
}
