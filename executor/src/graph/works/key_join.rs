//! Joins by key: the items of one key from several queues leave together, as a tuple under that key.
//!
//! If a key comes more than once, its items meet in order of arrival: the first with the first, the second
//! with the second.
//!
//! The join holds items whose partners have not come, at most as many as a queue may hold. All other items
//! wait in the queues. The queues may be filled in different orders. Then every place in the join may be taken
//! by an item whose partner cannot come. The scheduler sees that nothing moves, and the join takes one item
//! more than its bound allows. When no further item comes, an item without a partner leaves as an error. The
//! error names the queue from which nothing came.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::graph::{ItemError, Join, Key, OutputSet, Progress, Queue, QueueSet};

/// Queues whose items can be joined by key: a tuple of references to queues.
pub(crate) trait JoinableQueues {
    /// The tuple of values.
    type Value: Send + 'static;
    type Queues: QueueSet;
    fn join(self, name: Arc<str>, output: Queue<Self::Value>) -> (Self::Queues, Box<dyn Join>);
    /// The names of the queues, joined by `+`.
    fn label(&self) -> String;
}

struct KeyJoin<Q, S, V> {
    name: Arc<str>,
    queues: Q,
    output: Queue<V>,
    state: Mutex<KeyJoinState<S>>,
}

/// What the join holds.
struct KeyJoinState<S> {
    /// The tuples of each key, whole ones first.
    held: HashMap<Key, VecDeque<S>>,
    /// How many tuples these are.
    count: usize,
    /// A key for each tuple that is whole.
    complete: VecDeque<Key>,
    /// The keys in the order in which they came first.
    order: VecDeque<Key>,
    /// How many tuples may be held beyond the bound, because the bound has stopped the run.
    extra: usize,
}

impl<Q, S, V> KeyJoin<Q, S, V> {
    fn new(name: Arc<str>, queues: Q, output: Queue<V>) -> Self {
        let state = KeyJoinState {
            held: HashMap::new(),
            count: 0,
            complete: VecDeque::new(),
            order: VecDeque::new(),
            extra: 0,
        };
        KeyJoin { name, queues, output, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, KeyJoinState<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> KeyJoinState<S> {
    /// Takes the first tuple of a key.
    fn take_first(&mut self, key: &Key) -> Option<S> {
        let tuples = self.held.get_mut(key)?;
        let first = tuples.pop_front()?;
        self.count -= 1;
        if tuples.is_empty() {
            self.held.remove(key);
        }
        Some(first)
    }
}

/// A member of a tuple, if it has come.
type Slot<T> = Option<Result<T, ItemError>>;

/// A tuple of which some members have come.
trait PartialTuple: Default {
    type Value;
    fn is_whole(&self) -> bool;
    /// The values, if all have come. If some are errors, the first error. It stands for the others, so that they
    /// count as arrived.
    fn into_values(self) -> Option<Result<Self::Value, ItemError>>;
}

macro_rules! zip_of_tuple {
    ($($name:ident $queue:ident $slot:ident $index:tt),+) => {
        impl<$($name: Send + 'static),+> JoinableQueues for ($(&Queue<$name>,)+) {
            type Value = ($($name,)+);
            type Queues = ($(Queue<$name>,)+);

            fn join(self, name: Arc<str>, output: Queue<Self::Value>) -> (Self::Queues, Box<dyn Join>) {
                let queues = ($(self.$index.clone(),)+);
                (queues.clone(), Box::new(KeyJoin::<_, ($(Slot<$name>,)+), _>::new(name, queues, output)))
            }

            fn label(&self) -> String {
                [$(self.$index.name()),+].join(" + ")
            }
        }

        impl<$($name),+> PartialTuple for ($(Slot<$name>,)+) {
            type Value = ($($name,)+);

            fn is_whole(&self) -> bool {
                true $(&& self.$index.is_some())+
            }

            fn into_values(self) -> Option<Result<Self::Value, ItemError>> {
                let ($(Some($slot),)+) = self else { return None };
                let errors = [$($slot.as_ref().err()),+];
                errors.into_iter().flatten().skip(1).for_each(ItemError::mark_counted);
                let values = || Ok(($($slot?,)+));
                Some(values())
            }
        }

        impl<$($name: Send + 'static),+> Join
            for KeyJoin<($(Queue<$name>,)+), ($(Slot<$name>,)+), ($($name,)+)>
        {
            fn advance(&self, progress: &mut Progress) -> bool {
                let mut state = self.state();
                let state = &mut *state;
                let ($($queue,)+) = &self.queues;
                let mut moved = false;
                loop {
                    let mut took = false;
                    $(
                        let bound = $queue.limit().saturating_add(state.extra);
                        // An item whose partner is held completes a tuple. Another item needs a place.
                        let may = $queue.with_front(|(key, _)| {
                            let held = state.held.get(key);
                            state.count < bound
                                || held.is_some_and(|tuples| tuples.iter().any(|partial| partial.$index.is_none()))
                        });
                        if may == Some(true) && let Some((key, value)) = $queue.pop() {
                            took = true;
                            let tuples = state.held.entry(key.clone()).or_insert_with(|| {
                                state.order.push_back(key.clone());
                                VecDeque::new()
                            });
                            let missing = tuples.iter().position(|partial| partial.$index.is_none());
                            let place = missing.unwrap_or_else(|| {
                                state.count += 1;
                                tuples.push_back(Default::default());
                                tuples.len() - 1
                            });
                            tuples[place].$index = Some(value);
                            if tuples[place].is_whole() {
                                state.complete.push_back(key);
                            }
                        }
                    )+
                    while self.output.room() > 0 && let Some(key) = state.complete.pop_front() {
                        if let Some(values) = state.take_first(&key).and_then(PartialTuple::into_values) {
                            self.output.send(&mut vec![(key, values)], progress);
                            moved = true;
                        }
                    }
                    if $(state.count < $queue.limit())&&+ {
                        state.extra = 0;
                    }
                    // From time to time, keys that have left are removed.
                    if state.order.len() > 2 * state.held.len() + 16 {
                        state.order.retain(|key| state.held.contains_key(key));
                    }
                    if !took {
                        return moved;
                    }
                    moved = true;
                }
            }

            fn exceed_bound(&self) -> bool {
                let mut state = self.state();
                let state = &mut *state;
                let ($($queue,)+) = &self.queues;
                let waits = $(!$queue.is_empty())||+;
                if waits {
                    log::debug!("`{}`: holds one item more to let others pass", self.name);
                    state.extra += 1;
                }
                waits
            }

            fn held(&self) -> Vec<Key> {
                let state = self.state();
                state.held.iter().flat_map(|(key, tuples)| tuples.iter().map(|_| key.clone())).collect()
            }

            fn name(&self) -> &str {
                &self.name
            }

            fn fail_incomplete(&self, progress: &mut Progress) -> bool {
                let mut state = self.state();
                let state = &mut *state;
                let ($($queue,)+) = &self.queues;
                while let Some(key) = state.order.front().cloned() {
                    let tuples = state.held.get_mut(&key);
                    let partial = tuples.and_then(|tuples| tuples.iter_mut().find(|partial| !partial.is_whole()));
                    let Some(partial) = partial else {
                        state.order.pop_front();
                        continue;
                    };
                    $(
                        if partial.$index.is_none() {
                            let text = format!("no item of this key came in queue `{}`", $queue.name());
                            let error = ItemError::new(self.name.clone(), &key, text);
                            progress.raised.push(error.clone());
                            partial.$index = Some(Err(error));
                        }
                    )+
                    state.complete.push_back(key);
                    return true;
                }
                false
            }
        }
    };
}

zip_of_tuple!(A queue_a slot_a 0, B queue_b slot_b 1);
zip_of_tuple!(A queue_a slot_a 0, B queue_b slot_b 1, C queue_c slot_c 2);
zip_of_tuple!(A queue_a slot_a 0, B queue_b slot_b 1, C queue_c slot_c 2, D queue_d slot_d 3);
