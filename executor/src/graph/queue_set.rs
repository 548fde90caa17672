//! Several queues at once: what one-shot and global works are given, and where a work's values go.

use std::sync::Arc;

use super::{Item, ItemError, Key, Queue, QueueId, queue::AnyQueue};

/// Queues that a work uses together: `()`, one queue, or a tuple of sets.
pub trait QueueSet: Clone + Send + Sync + 'static {
    #[doc(hidden)]
    fn add_members(&self, members: &mut Members);
}

/// The members of a [`QueueSet`], their types forgotten.
#[doc(hidden)]
#[derive(Default)]
pub struct Members {
    pub(crate) ids: Vec<QueueId>,
    pub(crate) queues: Vec<Arc<dyn AnyQueue>>,
}

impl Members {
    pub(crate) fn of(set: &impl QueueSet) -> Members {
        let mut members = Members::default();
        set.add_members(&mut members);
        members
    }
}

/// What stands for a [`QueueSet`] when a topology is built: the set itself, or references to queues
/// (`&queue`, `(&a, &b)`).
pub trait IntoQueueSet {
    /// The handles that the work receives.
    type Set: QueueSet;
    #[doc(hidden)]
    fn into_set(self) -> Self::Set;
}

/// Where the values of an io or cpu work go: nowhere (`()`), into one queue, or, for a work that
/// returns a tuple, each member into its queue.
pub trait OutputSet: QueueSet {
    /// What the work's function returns.
    type Value: Send + 'static;
    #[doc(hidden)]
    fn room(&self) -> usize;
    #[doc(hidden)]
    fn promise(&self, count: usize);
    #[doc(hidden)]
    fn release(&self, count: usize);
    #[doc(hidden)]
    fn send(&self, made: &mut Vec<Item<Self::Value>>, ends: &mut Ends);
}

/// Items that have reached the end of their way.
#[doc(hidden)]
#[derive(Default)]
pub struct Ends {
    /// Does anybody want to know the keys?
    pub(crate) wanted: bool,
    pub(crate) done: usize,
    pub(crate) arrived: Vec<(Key, Option<ItemError>)>,
    /// Every error that arose, wherever it went.
    pub(crate) raised: Vec<ItemError>,
    /// Errors that are not about one item: of sources and global works.
    pub(crate) of_works: Vec<ItemError>,
    /// Values that nobody wanted: the work that sorted them out, and their key.
    pub(crate) unused: Vec<(Arc<str>, Key)>,
}

impl Ends {
    pub(crate) fn add(&mut self, key: &Key, error: Option<&ItemError>) {
        self.done += usize::from(error.is_none());
        if let Some(error) = error {
            error.mark_told();
        }
        if self.wanted || error.is_some() {
            self.arrived.push((key.clone(), error.cloned()));
        }
    }

    /// An error that is not about one item; it is counted under the work's name.
    pub(crate) fn add_of_work(&mut self, work: &Key, error: &ItemError) {
        self.add(work, Some(error));
        self.of_works.push(error.clone());
    }
}

impl QueueSet for () {
    fn add_members(&self, _: &mut Members) {}
}

impl IntoQueueSet for () {
    type Set = ();
    fn into_set(self) {}
}

impl OutputSet for () {
    type Value = ();

    fn room(&self) -> usize {
        usize::MAX
    }

    fn promise(&self, _: usize) {}

    fn release(&self, _: usize) {}

    fn send(&self, made: &mut Vec<Item<()>>, ends: &mut Ends) {
        for (key, value) in made.drain(..) {
            ends.add(&key, value.as_ref().err());
        }
    }
}

impl<T: Send + 'static> QueueSet for Queue<T> {
    fn add_members(&self, members: &mut Members) {
        members.ids.push(self.id());
        members.queues.push(self.erased());
    }
}

impl<T: Send + 'static> IntoQueueSet for Queue<T> {
    type Set = Queue<T>;
    fn into_set(self) -> Queue<T> {
        self
    }
}

impl<T: Send + 'static> IntoQueueSet for &Queue<T> {
    type Set = Queue<T>;
    fn into_set(self) -> Queue<T> {
        self.clone()
    }
}

impl<T: Send + 'static> OutputSet for Queue<T> {
    type Value = T;

    fn room(&self) -> usize {
        Queue::room(self)
    }

    fn promise(&self, count: usize) {
        Queue::promise(self, count);
    }

    fn release(&self, count: usize) {
        Queue::release(self, count);
    }

    fn send(&self, made: &mut Vec<Item<T>>, ends: &mut Ends) {
        if self.keeps_results() {
            for (key, value) in &*made {
                ends.add(key, value.as_ref().err());
            }
        }
        self.extend(made.drain(..));
    }
}

macro_rules! sets_of_tuple {
    ($($name:ident $value:ident $items:ident),+) => {
        impl<$($name: QueueSet),+> QueueSet for ($($name,)+) {
            fn add_members(&self, members: &mut Members) {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)+) = self;
                $($name.add_members(members);)+
            }
        }

        impl<$($name: IntoQueueSet),+> IntoQueueSet for ($($name,)+) {
            type Set = ($($name::Set,)+);
            fn into_set(self) -> Self::Set {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)+) = self;
                ($($name.into_set(),)+)
            }
        }

        impl<$($name: OutputSet),+> OutputSet for ($($name,)+) {
            type Value = ($($name::Value,)+);

            fn room(&self) -> usize {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)+) = self;
                usize::MAX$(.min($name.room()))+
            }

            fn promise(&self, count: usize) {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)+) = self;
                $($name.promise(count);)+
            }

            fn release(&self, count: usize) {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)+) = self;
                $($name.release(count);)+
            }

            fn send(&self, made: &mut Vec<Item<Self::Value>>, ends: &mut Ends) {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)+) = self;
                $(let mut $items = Vec::with_capacity(made.len());)+
                for (key, value) in made.drain(..) {
                    match value {
                        Ok(($($value,)+)) => {
                            $($items.push((key.clone(), Ok($value)));)+
                        }
                        Err(error) => {
                            $($items.push((key.clone(), Err(error.clone())));)+
                        }
                    }
                }
                $($name.send(&mut $items, ends);)+
            }
        }
    };
}

sets_of_tuple!(A a items_a, B b items_b);
sets_of_tuple!(A a items_a, B b items_b, C c items_c);
sets_of_tuple!(A a items_a, B b items_b, C c items_c, D d items_d);
