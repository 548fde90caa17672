//! Works that still lack something: their function, their output.

use std::sync::Arc;

use super::{
    Body, BoxError, IntoQueueSet, Key, Kind, OutputSet, Queue, Topology, WorkNode,
    topology::ids,
    works::{Each, JoinWork, Zipped},
};

/// Where an io or cpu work takes its items from: `&queue`, or a tuple of references to queues, whose
/// items are joined by key.
pub trait IntoInput {
    /// What the work's function is called with.
    type Item: Send + 'static;
    #[doc(hidden)]
    fn into_input(self, topology: &mut Topology, work: &str) -> Queue<Self::Item>;
}

impl<T: Send + 'static> IntoInput for &Queue<T> {
    type Item = T;
    fn into_input(self, _: &mut Topology, _: &str) -> Queue<T> {
        self.clone()
    }
}

macro_rules! input_of_tuple {
    ($($name:ident),+) => {
        impl<$($name: Send + 'static),+> IntoInput for ($(&Queue<$name>,)+) {
            type Item = ($($name,)+);
            fn into_input(self, topology: &mut Topology, work: &str) -> Queue<Self::Item> {
                topology.add_zip(work, self)
            }
        }
    };
}

input_of_tuple!(A, B);
input_of_tuple!(A, B, C);
input_of_tuple!(A, B, C, D);

impl Topology {
    /// Adds the join that stands before a work with several inputs.
    fn add_zip<Z: Zipped>(&mut self, work: &str, inputs: Z) -> Queue<Z::Value> {
        let label = inputs.label();
        let output = self.queue(format!("{label} of {work}"));
        let name: Arc<str> = format!("join {label}").into();
        let (queues, join) = inputs.zip(name.clone(), output.clone());
        self.works.push(WorkNode {
            name,
            kind: Kind::Join,
            inputs: ids(&queues),
            outputs: ids(&output),
            early: 0,
            body: Body::Join(join),
        });
        output
    }
}

/// An io or cpu work that still lacks its function.
#[must_use = "the work is added by `each`"]
pub struct EachBuilder<'t, I, S = ()> {
    topology: &'t mut Topology,
    name: Arc<str>,
    kind: Kind,
    input: Queue<I>,
    outputs: S,
}

impl<'t, I: Send + 'static> EachBuilder<'t, I> {
    pub(super) fn new(topology: &'t mut Topology, name: &str, kind: Kind, input: Queue<I>) -> Self {
        EachBuilder { topology, name: name.into(), kind, input, outputs: () }
    }

    /// Names the queue that takes the function's values: `&queue`; or, for a function that returns a
    /// tuple, a queue for each member: `(&a, &b)`. An error goes into all of them. Without any, the
    /// function returns `()` and the item's way ends here.
    pub fn to<O>(self, outputs: O) -> EachBuilder<'t, I, O::Set>
    where
        O: IntoQueueSet<Set: OutputSet>,
    {
        let EachBuilder { topology, name, kind, input, .. } = self;
        EachBuilder { topology, name, kind, input, outputs: outputs.into_set() }
    }
}

impl<I: Send + 'static, S: OutputSet> EachBuilder<'_, I, S> {
    /// Gives the function that is called with each item's key and value.
    ///
    /// It is called from several worker threads at once. An error that it returns, or a panic,
    /// takes the item's place and disturbs no other item.
    pub fn each<F>(self, function: F)
    where
        F: Fn(&Key, I) -> Result<S::Value, BoxError> + Send + Sync + 'static,
    {
        let EachBuilder { topology, name, kind, input, outputs } = self;
        topology.works.push(WorkNode {
            name: name.clone(),
            kind,
            inputs: ids(&input),
            outputs: ids(&outputs),
            early: 0,
            body: Body::Work(Arc::new(Each { name, input, outputs, function })),
        });
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

impl<'t, T: Clone + Send + 'static, const N: usize> JoinBuilder<'t, T, N> {
    pub(super) fn new(
        topology: &'t mut Topology,
        name: &str,
        groups: Queue<[Key; N]>,
        parts: Queue<T>,
    ) -> Self {
        JoinBuilder { topology, name: name.into(), groups, parts }
    }

    /// Names the queue that takes the groups, complete with their parts.
    pub fn to(self, output: &Queue<[T; N]>) {
        let JoinBuilder { topology, name, groups, parts } = self;
        topology.works.push(WorkNode {
            name: name.clone(),
            kind: Kind::Join,
            inputs: [ids(&groups), ids(&parts)].concat(),
            outputs: ids(output),
            early: 1,
            body: Body::Join(Box::new(JoinWork::new(name, groups, parts, output.clone()))),
        });
    }
}
