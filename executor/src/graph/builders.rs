//! Inputs of works, and joins that are not complete: their output is still to come.

use std::sync::Arc;

use super::{
    Key, Kind, Queue, Topology, WorkBody, WorkNode, WorkSettings,
    topology::ids,
    works::{GroupJoin, JoinableQueues},
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
            settings: WorkSettings::default(),
            body: WorkBody::Join(join),
        });
        output
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
            settings: WorkSettings::default(),
            body: WorkBody::Join(Box::new(GroupJoin::new(name, groups, members, output.clone()))),
        });
    }
}
