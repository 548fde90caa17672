//! Joins of groups: couples of images from single images.
//!
//! A join has three aims, and each makes the others harder:
//!
//! - A member comes once, though several groups may want it: image 2 belongs to the couples 1-2 and 2-3. So
//!   the join must *hold* members.
//! - Memory must be *bounded*. So the join must not take members as they come.
//! - Nothing may *deadlock*. If the bounded queue is full of members that no group wants yet, the wanted one
//!   cannot enter.
//!
//! One rule serves all three: groups are made strictly in their order, and a member is taken out of its queue
//! only when the first group wants it. It follows that
//!
//! - the join holds the members of the first group, and those which an earlier group has used and a later one
//!   wants. For consecutive couples these are two images, however long the series is.
//! - All other members wait in the queue, under the limit of the queue.
//! - If members are made in the order in which groups first want them, those of the first group come before
//!   all others. Then no deadlock is possible.
//! - If members are made in another order, the queue may fill with members of later groups. The scheduler sees
//!   that nothing moves. Only then the join takes one member more than the rule allows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::graph::{ItemError, Join, Key, OutputSet, Progress, Queue};

/// A join that makes groups of `N` members.
pub(in crate::graph) struct GroupJoin<T, const N: usize> {
    name: Arc<str>,
    groups: Queue<[Key; N]>,
    members: Queue<T>,
    output: Queue<[T; N]>,
    state: Mutex<Option<GroupJoinState<T>>>,
}

struct GroupJoinState<T> {
    /// How often groups still want each member.
    wanted: HashMap<Key, usize>,
    /// Members that were taken out of the queue.
    held: HashMap<Key, Result<T, ItemError>>,
    /// How many members had come when unwanted ones were last removed.
    checked: usize,
}

impl<T: Clone + Send + 'static, const N: usize> GroupJoin<T, N> {
    pub fn new(name: Arc<str>, groups: Queue<[Key; N]>, members: Queue<T>, output: Queue<[T; N]>) -> Self {
        GroupJoin { name, groups, members, output, state: Mutex::new(None) }
    }

    fn state(&self) -> MutexGuard<'_, Option<GroupJoinState<T>>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts how often each member is wanted. One-shot works have filled the groups before the first call.
    fn count_wanted(&self) -> GroupJoinState<T> {
        let mut wanted = HashMap::new();
        self.groups.for_each(|(_, group)| {
            for member in group.iter().flatten() {
                *wanted.entry(member.clone()).or_insert(0) += 1;
            }
        });
        GroupJoinState { wanted, held: HashMap::new(), checked: 0 }
    }

    /// Removes members that no group wants, among those that have come since the last call: a member of no
    /// group, or the second one of a key. A value is recorded as unused. An error is found later, among the
    /// errors that have not arrived.
    fn remove_unwanted(&self, state: &mut GroupJoinState<T>, progress: &mut Progress) {
        let pushed = self.members.pushed();
        // A member may have been wanted then and be unwanted now. When no group is left, all members are.
        let no_group_left = self.groups.is_empty() && !self.members.is_empty();
        if pushed == state.checked && !no_group_left {
            return;
        }
        state.checked = pushed;
        let unwanted = |member: &Key| !state.wanted.contains_key(member) || state.held.contains_key(member);
        for (member, value) in self.members.take_where(unwanted) {
            if value.is_ok() {
                log::warn!("`{}`: no group wants `{member}`, or it has come twice", self.name);
                progress.unused.push((self.name.clone(), member));
            }
        }
    }

    /// Takes the members that a group wants, if they are in the queue.
    fn gather(&self, state: &mut GroupJoinState<T>, group: &[Key; N]) {
        for member in group {
            if !state.held.contains_key(member)
                && let Some(value) = self.members.take(member)
            {
                state.held.insert(member.clone(), value);
            }
        }
    }

    /// Makes the group, if all its members are held.
    fn make(&self, state: &mut GroupJoinState<T>, group: &[Key; N]) -> Option<Result<[T; N], ItemError>> {
        if !group.iter().all(|member| state.held.contains_key(member)) {
            return None;
        }
        let mut failed = None;
        let members: Vec<T> = group
            .iter()
            .filter_map(|member| match state.use_member(member)? {
                Ok(value) => Some(value),
                Err(error) => {
                    match &failed {
                        None => failed = Some(error),
                        // The group arrives as its first error, which stands for the others.
                        Some(_) => error.mark_counted(),
                    }
                    None
                }
            })
            .collect();
        Some(match (failed, <[T; N]>::try_from(members)) {
            (Some(error), _) => Err(error),
            (None, Ok(members)) => Ok(members),
            // Not reached: each member is given as often as groups want it.
            (None, Err(_)) => return None,
        })
    }
}

impl<T: Clone> GroupJoinState<T> {
    /// Gives a held member to a group. The last group that wants it gets the member itself, others a clone.
    fn use_member(&mut self, member: &Key) -> Option<Result<T, ItemError>> {
        match self.wanted.get_mut(member) {
            Some(count) if *count > 1 => {
                *count -= 1;
                self.held.get(member).cloned()
            }
            _ => {
                self.wanted.remove(member);
                self.held.remove(member)
            }
        }
    }
}

impl<T: Clone + Send + 'static, const N: usize> Join for GroupJoin<T, N> {
    fn advance(&self, progress: &mut Progress) -> bool {
        let mut state = self.state();
        let state = state.get_or_insert_with(|| self.count_wanted());
        self.remove_unwanted(state, progress);
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
            self.output.send(&mut vec![(key, made)], progress);
            moved = true;
        }
        if moved {
            self.remove_unwanted(state, progress);
        }
        moved
    }

    fn exceed_bound(&self) -> bool {
        let mut state = self.state();
        let Some(state) = state.as_mut() else {
            return false;
        };
        if let Some((member, value)) = self.members.pop() {
            log::debug!("join `{}`: takes `{member}` before its turn to let others pass", self.name);
            state.held.insert(member, value);
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

    fn fail_incomplete(&self, progress: &mut Progress) -> bool {
        let mut state = self.state();
        let Some(state) = state.as_mut() else {
            return false;
        };
        let Some((_, Ok(group))) = self.groups.with_front(Clone::clone) else {
            return false;
        };
        let Some(missing) = group.iter().find(|member| !state.held.contains_key(*member)) else {
            return false;
        };
        let error = ItemError::new(self.name.clone(), missing, "it never arrived");
        progress.raised.push(error.clone());
        state.held.insert(missing.clone(), Err(error));
        true
    }
}
