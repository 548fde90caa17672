//! Bringing the items of one key together: what several queues hold under the same key leaves as a
//! tuple, under that key.
//!
//! Where a key comes more than once, its items meet in the order in which they come: the first with the
//! first, the second with the second.
//!
//! Items that still miss a partner are held here, at most as many as a queue may hold; all else
//! waits in the queues. Branches may well deliver in different orders: if every place is taken by
//! items whose partners cannot come, the executor sees that nothing moves, and the zip takes one
//! more item than its bound allows. When nothing comes any more, what still misses a partner leaves
//! as an error that names the queue in which nothing came.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::graph::{ItemError, Join, Key, OutputSet, Queue, QueueSet, queue_set::Ends};

/// Several queues whose items are to be brought together by key: a tuple of references to queues.
pub(crate) trait Zipped {
    /// The tuple of values.
    type Value: Send + 'static;
    type Queues: QueueSet;
    fn zip(self, name: Arc<str>, output: Queue<Self::Value>) -> (Self::Queues, Box<dyn Join>);
    fn label(&self) -> String;
}

struct Zip<Q, S, V> {
    name: Arc<str>,
    queues: Q,
    output: Queue<V>,
    state: Mutex<State<S>>,
}

/// What is held, by key, and the order in which the keys came.
struct State<S> {
    /// Of each key the tuples that have begun, whole ones first.
    held: HashMap<Key, VecDeque<S>>,
    /// How many tuples that is.
    count: usize,
    /// A key for each tuple that is whole.
    complete: VecDeque<Key>,
    order: VecDeque<Key>,
    /// How much may be held beyond the bound, since the bound stood in the way.
    relief: usize,
}

impl<Q, S, V> Zip<Q, S, V> {
    fn new(name: Arc<str>, queues: Q, output: Queue<V>) -> Self {
        let state = State {
            held: HashMap::new(),
            count: 0,
            complete: VecDeque::new(),
            order: VecDeque::new(),
            relief: 0,
        };
        Zip { name, queues, output, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> State<S> {
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

/// A value that has come, or has not.
type Slot<T> = Option<Result<T, ItemError>>;

/// What is held of one key.
trait Slots: Default {
    type Value;
    fn is_whole(&self) -> bool;
    /// The values, if all have come; of several errors the first.
    fn into_values(self) -> Option<Result<Self::Value, ItemError>>;
}

macro_rules! zip_of_tuple {
    ($($name:ident $queue:ident $slot:ident $index:tt),+) => {
        impl<$($name: Send + 'static),+> Zipped for ($(&Queue<$name>,)+) {
            type Value = ($($name,)+);
            type Queues = ($(Queue<$name>,)+);

            fn zip(self, name: Arc<str>, output: Queue<Self::Value>) -> (Self::Queues, Box<dyn Join>) {
                let queues = ($(self.$index.clone(),)+);
                (queues.clone(), Box::new(Zip::<_, ($(Slot<$name>,)+), _>::new(name, queues, output)))
            }

            fn label(&self) -> String {
                [$(self.$index.name()),+].join(" + ")
            }
        }

        impl<$($name),+> Slots for ($(Slot<$name>,)+) {
            type Value = ($($name,)+);

            fn is_whole(&self) -> bool {
                true $(&& self.$index.is_some())+
            }

            fn into_values(self) -> Option<Result<Self::Value, ItemError>> {
                let ($(Some($slot),)+) = self else { return None };
                let values = || Ok(($($slot?,)+));
                Some(values())
            }
        }

        impl<$($name: Send + 'static),+> Join
            for Zip<($(Queue<$name>,)+), ($(Slot<$name>,)+), ($($name,)+)>
        {
            fn advance(&self, ends: &mut Ends) -> bool {
                let mut state = self.state();
                let state = &mut *state;
                let ($($queue,)+) = &self.queues;
                let mut moved = false;
                loop {
                    let mut took = false;
                    $(
                        let bound = $queue.limit().saturating_add(state.relief);
                        // An item whose partner is held makes room; another one needs room.
                        let may = $queue.with_front(|(key, _)| {
                            let held = state.held.get(key);
                            state.count < bound
                                || held.is_some_and(|tuples| tuples.iter().any(|slots| slots.$index.is_none()))
                        });
                        if may == Some(true) && let Some((key, value)) = $queue.pop() {
                            took = true;
                            let tuples = state.held.entry(key.clone()).or_insert_with(|| {
                                state.order.push_back(key.clone());
                                VecDeque::new()
                            });
                            let missing = tuples.iter().position(|slots| slots.$index.is_none());
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
                        if let Some(values) = state.take_first(&key).and_then(Slots::into_values) {
                            self.output.send(&mut vec![(key, values)], ends);
                            moved = true;
                        }
                    }
                    if $(state.count < $queue.limit())&&+ {
                        state.relief = 0;
                    }
                    // Keys that have left are forgotten from time to time.
                    if state.order.len() > 2 * state.held.len() + 16 {
                        state.order.retain(|key| state.held.contains_key(key));
                    }
                    if !took {
                        return moved;
                    }
                    moved = true;
                }
            }

            fn yield_bound(&self) -> bool {
                let mut state = self.state();
                let state = &mut *state;
                let ($($queue,)+) = &self.queues;
                let waits = $(!$queue.is_empty())||+;
                if waits {
                    log::debug!("`{}`: holds one item more to let others pass", self.name);
                    state.relief += 1;
                }
                waits
            }

            fn held(&self) -> Vec<Key> {
                let state = self.state();
                let each = state.held.iter();
                each.flat_map(|(key, tuples)| tuples.iter().map(|_| key.clone())).collect()
            }

            fn name(&self) -> &str {
                &self.name
            }

            fn give_up(&self, ends: &mut Ends) -> bool {
                let mut state = self.state();
                let state = &mut *state;
                let ($($queue,)+) = &self.queues;
                while let Some(key) = state.order.front().cloned() {
                    let tuples = state.held.get_mut(&key);
                    let partial = tuples.and_then(|tuples| tuples.iter_mut().find(|slots| !slots.is_whole()));
                    let Some(slots) = partial else {
                        state.order.pop_front();
                        continue;
                    };
                    $(
                        if slots.$index.is_none() {
                            let text = format!("no item of this key came in queue `{}`", $queue.name());
                            let error = ItemError::new(self.name.clone(), &key, text);
                            ends.raised.push(error.clone());
                            slots.$index = Some(Err(error));
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
