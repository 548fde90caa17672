//! Several queues at once: what a one-shot or global work is given, and where the values of a work go.

use std::sync::Arc;

use super::{AnyQueue, Item, Progress, Queue, QueueId};

/// Queues that a work uses together: `()`, one queue, or a tuple of sets.
pub trait QueueSet: Clone + Send + Sync + 'static {
    #[doc(hidden)]
    fn add_to(&self, list: &mut QueueList);
}

/// The queues of a [`QueueSet`], with their item types erased.
#[doc(hidden)]
#[derive(Default)]
pub struct QueueList {
    pub(crate) ids: Vec<QueueId>,
    pub(crate) queues: Vec<Arc<dyn AnyQueue>>,
}

impl QueueList {
    pub(crate) fn of(set: &impl QueueSet) -> QueueList {
        let mut list = QueueList::default();
        set.add_to(&mut list);
        list
    }
}

/// What a [`QueueSet`] can be made from when a topology is built: the set itself, or references to queues
/// (`&queue`, `(&a, &b)`).
pub trait IntoQueueSet {
    /// The handles that the work receives.
    type Set: QueueSet;
    #[doc(hidden)]
    fn into_set(self) -> Self::Set;
}

/// Where the values of an io or cpu work go: nowhere (`()`), or into one queue. If the work returns a tuple,
/// each member goes into a queue of its own.
pub trait OutputSet: QueueSet {
    /// What the work's function returns.
    type Value: Send + 'static;
    #[doc(hidden)]
    fn room(&self) -> usize;
    #[doc(hidden)]
    fn reserve(&self, count: usize);
    #[doc(hidden)]
    fn release(&self, count: usize);
    #[doc(hidden)]
    fn send(&self, made: &mut Vec<Item<Self::Value>>, progress: &mut Progress);
}

impl QueueSet for () {
    fn add_to(&self, _: &mut QueueList) {}
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

    fn reserve(&self, _: usize) {}

    fn release(&self, _: usize) {}

    fn send(&self, made: &mut Vec<Item<()>>, progress: &mut Progress) {
        for (key, value) in made.drain(..) {
            progress.add(&key, value.as_ref().err());
        }
    }
}

impl<T: Send + 'static> QueueSet for Queue<T> {
    fn add_to(&self, list: &mut QueueList) {
        list.ids.push(self.id());
        list.queues.push(self.erased());
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

    fn reserve(&self, count: usize) {
        Queue::reserve(self, count);
    }

    fn release(&self, count: usize) {
        Queue::release(self, count);
    }

    fn send(&self, made: &mut Vec<Item<T>>, progress: &mut Progress) {
        if self.keeps_results() {
            for (key, value) in &*made {
                progress.add(key, value.as_ref().err());
            }
        }
        if self.is_feedback() {
            // An error would go round for ever.
            made.retain(|(key, value)| match value {
                Ok(_) => true,
                Err(error) => {
                    progress.add(key, Some(error));
                    false
                }
            });
        }
        self.extend(made.drain(..));
    }
}

macro_rules! sets_of_tuple {
    ($($name:ident $value:ident $items:ident),+) => {
        impl<$($name: QueueSet),+> QueueSet for ($($name,)+) {
            fn add_to(&self, list: &mut QueueList) {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)+) = self;
                $($name.add_to(list);)+
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

            fn reserve(&self, count: usize) {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)+) = self;
                $($name.reserve(count);)+
            }

            fn release(&self, count: usize) {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)+) = self;
                $($name.release(count);)+
            }

            fn send(&self, made: &mut Vec<Item<Self::Value>>, progress: &mut Progress) {
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
                $($name.send(&mut $items, progress);)+
            }
        }
    };
}

sets_of_tuple!(A a items_a, B b items_b);
sets_of_tuple!(A a items_a, B b items_b, C c items_c);
sets_of_tuple!(A a items_a, B b items_b, C c items_c, D d items_d);
