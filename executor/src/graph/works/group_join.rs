//! Bringing items together: couples of images out of single images.
//!
//! Three things are wanted of a join, and they pull apart. Each part arrives once, though several
//! groups may want it (image 2 belongs to the couples 1-2 and 2-3), so parts must be *held*. Memory
//! must stay *bounded*, so parts must not be taken as they come. And nothing may *deadlock*: if the
//! bounded queue fills with parts that are not wanted yet, the one that is wanted cannot enter.
//!
//! The rule that gives all three: groups are made strictly in their order, and a part is taken out
//! of its queue only when the group now at the front wants it. Hence
//!
//! - the join holds the front group's parts, and parts that an earlier group has used and a later
//!   one still wants: for consecutive couples that is two images, whatever the series' length;
//! - all else waits in the queue, under the queue's limit;
//! - if parts are produced in the order in which groups want them first, the front group's parts
//!   are always ahead of those that could block them, and no deadlock is possible;
//! - if they are produced in another order, the queue may fill with parts for later groups. The
//!   executor sees that nothing moves, and only then the join takes one more part than the rule
//!   allows. The bound yields where keeping it would mean to stop for ever.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::graph::{ItemError, Join, Key, OutputSet, Queue, queue_set::Ends};

pub(in crate::graph) struct JoinWork<T, const N: usize> {
    name: Arc<str>,
    groups: Queue<[Key; N]>,
    parts: Queue<T>,
    output: Queue<[T; N]>,
    state: Mutex<Option<State<T>>>,
}

struct State<T> {
    /// How many places in groups still want each part.
    wanted: HashMap<Key, usize>,
    /// Parts taken out of the queue.
    held: HashMap<Key, Result<T, ItemError>>,
    /// How many parts had come when unwanted ones were last sorted out.
    sorted: usize,
}

impl<T: Clone + Send + 'static, const N: usize> JoinWork<T, N> {
    pub fn new(name: Arc<str>, groups: Queue<[Key; N]>, parts: Queue<T>, output: Queue<[T; N]>) -> Self {
        JoinWork { name, groups, parts, output, state: Mutex::new(None) }
    }

    fn state(&self) -> MutexGuard<'_, Option<State<T>>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts who wants what. One-shot works have filled the groups by the time of the first call.
    fn count_wanted(&self) -> State<T> {
        let mut wanted = HashMap::new();
        self.groups.for_each(|(_, group)| {
            for part in group.iter().flatten() {
                *wanted.entry(part.clone()).or_insert(0) += 1;
            }
        });
        State { wanted, held: HashMap::new(), sorted: 0 }
    }

    /// Takes out parts that no group wants, among those that have come since the last look: a stray one, or the second
    /// of one key. Values are told as unused; an error is found among those that reached no end.
    fn sort_out(&self, state: &mut State<T>, ends: &mut Ends) {
        let came = self.parts.came();
        // What was still wanted then may be unwanted now; when no group is left, all is.
        let are_last = self.groups.is_empty() && !self.parts.is_empty();
        if came == state.sorted && !are_last {
            return;
        }
        state.sorted = came;
        let unwanted = |part: &Key| !state.wanted.contains_key(part) || state.held.contains_key(part);
        for (part, value) in self.parts.reject(unwanted) {
            if value.is_ok() {
                log::warn!("`{}`: no group wants `{part}`, or it has come twice", self.name);
                ends.unused.push((self.name.clone(), part));
            }
        }
    }

    /// Takes the parts that a group wants out of the queue, as far as they are there.
    fn gather(&self, state: &mut State<T>, group: &[Key; N]) {
        for part in group {
            if !state.held.contains_key(part)
                && let Some(value) = self.parts.take(part)
            {
                state.held.insert(part.clone(), value);
            }
        }
    }

    /// Makes the front group, if all its parts are held.
    fn make(&self, state: &mut State<T>, group: &[Key; N]) -> Option<Result<[T; N], ItemError>> {
        if !group.iter().all(|part| state.held.contains_key(part)) {
            return None;
        }
        let mut failed = None;
        let parts: Vec<T> = group
            .iter()
            .filter_map(|part| match state.give(part)? {
                Ok(value) => Some(value),
                Err(error) => {
                    failed.get_or_insert(error);
                    None
                }
            })
            .collect();
        Some(match (failed, <[T; N]>::try_from(parts)) {
            (Some(error), _) => Err(error),
            (None, Ok(parts)) => Ok(parts),
            // Not reached while each part held is given as often as it is wanted.
            (None, Err(_)) => return None,
        })
    }
}

impl<T: Clone> State<T> {
    /// Hands a held part to a group; the last one that wants it gets the part itself.
    fn give(&mut self, part: &Key) -> Option<Result<T, ItemError>> {
        match self.wanted.get_mut(part) {
            Some(count) if *count > 1 => {
                *count -= 1;
                self.held.get(part).cloned()
            }
            _ => {
                self.wanted.remove(part);
                self.held.remove(part)
            }
        }
    }
}

impl<T: Clone + Send + 'static, const N: usize> Join for JoinWork<T, N> {
    fn advance(&self, ends: &mut Ends) -> bool {
        let mut state = self.state();
        let state = state.get_or_insert_with(|| self.count_wanted());
        self.sort_out(state, ends);
        let mut moved = false;
        while let Some((key, group)) = self.groups.with_front(Clone::clone) {
            let made = match group {
                Err(error) => Some(Err(error)),
                Ok(group) => {
                    self.gather(state, &group);
                    if self.output.room() == 0 {
                        break;
                    }
                    self.make(state, &group)
                }
            };
            let Some(made) = made else { break };
            self.groups.pop();
            self.output.send(&mut vec![(key, made)], ends);
            moved = true;
        }
        if moved {
            self.sort_out(state, ends);
        }
        moved
    }

    fn yield_bound(&self) -> bool {
        let mut state = self.state();
        let Some(state) = state.as_mut() else {
            return false;
        };
        if let Some((part, value)) = self.parts.pop() {
            log::debug!("join `{}`: takes `{part}` before its turn to let others pass", self.name);
            state.held.insert(part, value);
            return true;
        }
        false
    }

    fn held(&self) -> Vec<Key> {
        self.state().as_ref().map_or_else(Vec::new, |state| state.held.keys().cloned().collect())
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn give_up(&self, ends: &mut Ends) -> bool {
        let mut state = self.state();
        let Some(state) = state.as_mut() else {
            return false;
        };
        let Some((_, Ok(group))) = self.groups.with_front(Clone::clone) else {
            return false;
        };
        let Some(missing) = group.iter().find(|part| !state.held.contains_key(*part)) else {
            return false;
        };
        let error = ItemError::new(self.name.clone(), missing, "it never arrived");
        ends.raised.push(error.clone());
        state.held.insert(missing.clone(), Err(error));
        true
    }
}
