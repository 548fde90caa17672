//! Building a topology: queues and works are declared by name and linked by typed handles.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{
    AnyQueue, Body, BoxError, EachBuilder, IntoInput, IntoQueueSet, InvalidTopology, JoinBuilder, Key, Kind,
    Moment, Queue, QueueId, QueueSet, WorkNode, check, drawing,
    queue_set::Members,
    works::{Global, Source},
};

/// Queues and works, to be run by an [`ExecutorAsync`](crate::ExecutorAsync).
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
        // Handles remember their topology, so that a handle of another one is noticed.
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

    /// Adds a queue between works. While the executor's loops run, it holds no more than
    /// [`nb_items_queue_max`](crate::Options::nb_items_queue_max) items; what one-shot works put
    /// into it before has no limit.
    pub fn queue<T: Send + 'static>(&mut self, name: impl Into<String>) -> Queue<T> {
        self.add_queue(name.into(), false)
    }

    /// Adds a queue that keeps results: no work takes from it, and it has no limit. After the run,
    /// [`Queue::drain`] gives its items.
    pub fn results<T: Send + 'static>(&mut self, name: impl Into<String>) -> Queue<T> {
        self.add_queue(name.into(), true)
    }

    fn add_queue<T: Send + 'static>(&mut self, name: String, keeps_results: bool) -> Queue<T> {
        let id = QueueId { topology: self.id, index: self.queues.len() };
        let queue = Queue::new(name, id, keeps_results);
        self.queues.push(queue.erased());
        queue
    }

    /// Adds a work that runs once, before the others, on the executor's own thread; usually it
    /// fills queues.
    ///
    /// `inputs` are queues that earlier one-shot works fill, `outputs` those that this one fills:
    /// `()`, `&queue` or a tuple of these. Among one-shot works, one that reads a queue runs after those that
    /// fill it. An error or a panic of a one-shot work ends the run before it has begun.
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
            early: Members::of(&inputs).ids.len(),
            inputs: ids(&inputs),
            outputs: ids(&outputs),
            body: Body::OneShot(Box::new(move || function(inputs, outputs))),
        });
    }

    /// Adds a work that lists a series: `items` is asked for the next item whenever `output` has
    /// room, so that a series of any length never stands in memory as a whole. A one-shot work that
    /// pushes the same items holds them all from the start.
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
            early: 0,
            body: Body::Work(Arc::new(Source::new(name, output.clone(), Box::new(items)))),
        });
    }

    /// Adds a work that sees its whole queues: `function` is called whenever something has come into
    /// an input or left an output, while the inputs hold something and every output has
    /// [room](Queue::room). It takes what it wants and leaves the rest: it may wait for more, gather
    /// windows of images, put off what finds no room. Once nothing else can go on, it is called with
    /// [`Moment::End`]; what it leaves in its inputs then is an error of the run.
    ///
    /// One call runs at a time, in some worker's thread.
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
            early: 0,
            body: Body::Work(Arc::new(Global::new(name, inputs, outputs, function))),
        });
    }

    /// Adds a work that mostly waits, for a disk or a network, and is called for each item of
    /// `input` in a worker thread. Complete it with [`EachBuilder::each`].
    ///
    /// `input` is `&queue`, or a tuple of these: then the items of one key are brought together, and
    /// the function is called with a tuple of their values.
    pub fn io<I: IntoInput>(&mut self, name: &str, input: I) -> EachBuilder<'_, I::Item> {
        self.each_builder(name, Kind::Io, input)
    }

    /// Adds a work that mostly computes and is called for each item of `input` in a worker thread.
    /// Complete it with [`EachBuilder::each`].
    ///
    /// `input` is `&queue`, or a tuple of these, joined by key as for [`Topology::io`].
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

    fn each_builder<I: IntoInput>(&mut self, name: &str, kind: Kind, input: I) -> EachBuilder<'_, I::Item> {
        let input = input.into_input(self, name);
        EachBuilder::new(self, name, kind, input)
    }

    /// Adds a work that brings items together: each item of `groups` names the `parts` that it
    /// wants, and leaves with them under its own key. Complete it with [`JoinBuilder::to`].
    ///
    /// Groups leave in their order. A part that several groups want is cloned for all but the last
    /// (wrap what is large in an [`Arc`]). If one of its parts is an error, the group leaves with
    /// that error; if one never arrives, with an error that says so. Groups must come from one-shot
    /// works, since the join has to know who wants what before the first part comes. Memory is
    /// bounded best if parts come in the order in which groups want them first.
    pub fn join<T, const N: usize>(
        &mut self,
        name: &str,
        groups: &Queue<[Key; N]>,
        parts: &Queue<T>,
    ) -> JoinBuilder<'_, T, N>
    where
        T: Clone + Send + 'static,
    {
        JoinBuilder::new(self, name, groups.clone(), parts.clone())
    }

    /// Looks whether the graph makes sense, and tells all that does not.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`] with every [`Problem`](super::Problem) found.
    pub fn check(&self) -> Result<(), InvalidTopology> {
        check::check(self)
    }

    /// The works, in order of declaration.
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
            }
        })
    }

    /// The graph in graphviz's `dot` language: boxes are works, ellipses are queues.
    pub fn to_dot(&self) -> String {
        drawing::to_dot(self)
    }

    /// The graph as a picture, for any browser: works are boxes, queues are rounded.
    pub fn to_svg(&self) -> String {
        drawing::to_svg(self)
    }

    pub(crate) fn owns(&self, queue: QueueId) -> bool {
        queue.topology == self.id
    }
}

/// A work, for whoever wants to show it.
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
}

pub(super) fn ids(queues: &impl QueueSet) -> Vec<QueueId> {
    Members::of(queues).ids
}
