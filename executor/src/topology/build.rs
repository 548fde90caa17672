//! Building a topology: queues and works are declared by name and linked by typed handles.

use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    AnyQueue, Body, BoxError, InvalidTopology, Key, Kind, Queue, QueueId, QueueSet, WorkNode, check, dot,
    join::JoinWork, queue::QueueIds, work::Each,
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
    pub(crate) queues: Vec<Rc<dyn AnyQueue>>,
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
    pub fn queue<T: 'static>(&mut self, name: impl Into<String>) -> Queue<T> {
        self.add_queue(name.into(), false)
    }

    /// Adds a queue that keeps results: no work takes from it, and it has no limit. After the run,
    /// [`Queue::drain`] gives its items.
    pub fn results<T: 'static>(&mut self, name: impl Into<String>) -> Queue<T> {
        self.add_queue(name.into(), true)
    }

    fn add_queue<T: 'static>(&mut self, name: String, keeps_results: bool) -> Queue<T> {
        let id = QueueId { topology: self.id, index: self.queues.len() };
        let queue = Queue::new(name, id, keeps_results);
        self.queues.push(queue.erased());
        queue
    }

    /// Adds a work that runs once, before the others, on the executor's own thread; usually it
    /// fills queues.
    ///
    /// `inputs` are queues that earlier one-shot works fill, `outputs` those that this one fills:
    /// `()`, `&queue` or a tuple of handles. Among one-shot works, one that reads a queue runs after those that
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
            inputs: ids(&inputs),
            outputs: ids(&outputs),
            body: Body::OneShot(Box::new(move || function(inputs, outputs))),
        });
    }

    /// Adds a work that mostly waits, for a disk or a network, and is called for each item of
    /// `input` in a worker thread. Complete it with [`EachBuilder::each`].
    pub fn io<I: Send + 'static>(&mut self, name: &str, input: &Queue<I>) -> EachBuilder<'_, I> {
        self.each_builder(name, Kind::Io, input)
    }

    /// Adds a work that mostly computes and is called for each item of `input` in a worker thread.
    /// Complete it with [`EachBuilder::each`].
    pub fn cpu<I: Send + 'static>(&mut self, name: &str, input: &Queue<I>) -> EachBuilder<'_, I> {
        self.each_builder(name, Kind::Cpu, input)
    }

    fn each_builder<I>(&mut self, name: &str, kind: Kind, input: &Queue<I>) -> EachBuilder<'_, I> {
        EachBuilder { topology: self, name: name.into(), kind, input: input.clone(), output: None }
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
        JoinBuilder { topology: self, name: name.into(), groups: groups.clone(), parts: parts.clone() }
    }

    /// Looks whether the graph makes sense, and tells all that does not.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`] with every [`Problem`](super::Problem) found.
    pub fn check(&self) -> Result<(), InvalidTopology> {
        check::check(self)
    }

    /// The graph in graphviz's `dot` language: boxes are works, ellipses are queues.
    pub fn to_dot(&self) -> String {
        dot::draw(self)
    }

    pub(crate) fn owns(&self, queue: QueueId) -> bool {
        queue.topology == self.id
    }
}

/// An io or cpu work that still lacks its function.
#[must_use = "the work is added by `each`"]
pub struct EachBuilder<'t, I, O = ()> {
    topology: &'t mut Topology,
    name: Arc<str>,
    kind: Kind,
    input: Queue<I>,
    output: Option<Queue<O>>,
}

impl<'t, I: Send + 'static, O: Send + 'static> EachBuilder<'t, I, O> {
    /// Names the queue that takes the function's values. Without it, the function returns `()` and
    /// the item's way ends here.
    pub fn to<P: Send + 'static>(self, output: &Queue<P>) -> EachBuilder<'t, I, P> {
        EachBuilder {
            topology: self.topology,
            name: self.name,
            kind: self.kind,
            input: self.input,
            output: Some(output.clone()),
        }
    }

    /// Gives the function that is called with each item's key and value.
    ///
    /// It is called from several worker threads at once. An error that it returns, or a panic,
    /// takes the item's place and disturbs no other item.
    pub fn each<F>(self, function: F)
    where
        F: Fn(&Key, I) -> Result<O, BoxError> + Send + Sync + 'static,
    {
        let node = WorkNode {
            name: self.name.clone(),
            kind: self.kind,
            inputs: ids(&self.input),
            outputs: self.output.as_ref().map(ids).unwrap_or_default(),
            body: Body::MultiShot(Box::new(Each {
                name: self.name,
                input: self.input,
                output: self.output,
                function: Arc::new(function),
            })),
        };
        self.topology.works.push(node);
    }
}

/// A join that still lacks its output.
#[must_use = "the work is added by `to`"]
pub struct JoinBuilder<'t, T, const N: usize> {
    topology: &'t mut Topology,
    name: Arc<str>,
    groups: Queue<[Key; N]>,
    parts: Queue<T>,
}

impl<T: Clone + Send + 'static, const N: usize> JoinBuilder<'_, T, N> {
    /// Names the queue that takes the groups, complete with their parts.
    pub fn to(self, output: &Queue<[T; N]>) {
        self.topology.works.push(WorkNode {
            name: self.name.clone(),
            kind: Kind::Join,
            inputs: [ids(&self.groups), ids(&self.parts)].concat(),
            outputs: ids(output),
            body: Body::Join(Box::new(JoinWork::new(self.name, self.groups, self.parts, output.clone()))),
        });
    }
}

/// What [`Topology::one_shot`] takes for its queues: a [`QueueSet`], or a reference to a queue.
pub trait IntoQueueSet {
    /// The handles that the function receives.
    type Set: QueueSet;
    #[doc(hidden)]
    fn into_set(self) -> Self::Set;
}

impl<S: QueueSet> IntoQueueSet for S {
    type Set = S;
    fn into_set(self) -> S {
        self
    }
}

impl<T: 'static> IntoQueueSet for &Queue<T> {
    type Set = Queue<T>;
    fn into_set(self) -> Queue<T> {
        self.clone()
    }
}

fn ids(queues: &impl QueueSet) -> Vec<QueueId> {
    let mut ids = QueueIds::default();
    queues.add_ids(&mut ids);
    ids.0
}
