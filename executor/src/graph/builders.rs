//! Works that are not complete: their function or their output is still to come.

use std::sync::Arc;

use super::{
    BoxError, IntoQueueSet, Key, Kind, OutputSet, Queue, Topology, WorkBody, WorkNode,
    topology::ids,
    works::{Each, GroupJoin, JoinableQueues},
};

/// Where an io or cpu work takes its items from: `&queue`, or a tuple of references to queues. The items of
/// several queues are joined by key.
pub trait IntoInput {
    /// The value that the work's function is given.
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
                topology.add_key_join(work, self)
            }
        }
    };
}

input_of_tuple!(A, B);
input_of_tuple!(A, B, C);
input_of_tuple!(A, B, C, D);

impl Topology {
    /// Adds the join in front of a work with several inputs.
    fn add_key_join<Q: JoinableQueues>(&mut self, work: &str, inputs: Q) -> Queue<Q::Value> {
        let label = inputs.label();
        let output = self.queue(format!("{label} of {work}"));
        let name: Arc<str> = format!("join {label}").into();
        let (queues, join) = inputs.join(name.clone(), output.clone());
        self.works.push(WorkNode {
            name,
            kind: Kind::Join,
            inputs: ids(&queues),
            outputs: ids(&output),
            filled_first: 0,
            body: WorkBody::Join(join),
        });
        output
    }
}

/// An io or cpu work without its function, which [`EachBuilder::each`] gives it.
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

    /// Names the queue that takes the function's values: `&queue`. If the function returns a tuple, each member
    /// has a queue of its own: `(&a, &b)`. An error goes into all of them. Without an output the function
    /// returns `()`, and the item has arrived.
    pub fn to<O>(self, outputs: O) -> EachBuilder<'t, I, O::Set>
    where
        O: IntoQueueSet<Set: OutputSet>,
    {
        let EachBuilder { topology, name, kind, input, .. } = self;
        EachBuilder { topology, name, kind, input, outputs: outputs.into_set() }
    }
}

impl<I: Send + 'static, S: OutputSet> EachBuilder<'_, I, S> {
    /// Gives the work its function, which is called with each item's key and value.
    ///
    /// Several worker threads call it at once. An error that it returns, or a panic, takes the place of the
    /// item. Other items are not affected.
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
            filled_first: 0,
            body: WorkBody::Scheduled(Arc::new(Each { name, input, outputs, function })),
        });
    }
}

/// A join without its output, which [`JoinBuilder::to`] gives it.
#[must_use = "the work is added by `to`"]
pub struct JoinBuilder<'t, T, const N: usize> {
    topology: &'t mut Topology,
    name: Arc<str>,
    groups: Queue<[Key; N]>,
    members: Queue<T>,
}

impl<'t, T: Clone + Send + 'static, const N: usize> JoinBuilder<'t, T, N> {
    pub(super) fn new(
        topology: &'t mut Topology,
        name: &str,
        groups: Queue<[Key; N]>,
        members: Queue<T>,
    ) -> Self {
        JoinBuilder { topology, name: name.into(), groups, members }
    }

    /// Names the queue that takes the complete groups.
    pub fn to(self, output: &Queue<[T; N]>) {
        let JoinBuilder { topology, name, groups, members } = self;
        topology.works.push(WorkNode {
            name: name.clone(),
            kind: Kind::Join,
            inputs: [ids(&groups), ids(&members)].concat(),
            outputs: ids(output),
            filled_first: 1,
            body: WorkBody::Join(Box::new(GroupJoin::new(name, groups, members, output.clone()))),
        });
    }
}
