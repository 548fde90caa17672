//! Deadlines of scopes and of sleeps, in one ordered table.

use crate::core::ids::{ScopeId, WaitId};
use std::{cmp::Ordering, collections::BTreeMap, num::NonZeroU64};

/// A time as a key of the table. It is never NaN: the public functions refuse that.
#[derive(Debug, Clone, Copy, PartialEq)]
struct At(f64);

impl Eq for At {}

impl PartialOrd for At {
    fn partial_cmp(&self, other: &At) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for At {
    fn cmp(&self, other: &At) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// What happens when the time comes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expiry {
    Cancel(ScopeId),
    Wake(WaitId),
}

/// Names an entry, so that it can be removed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeadlineKey(At, NonZeroU64);

/// The table. It is ordered by time; entries of the same time are ordered by age.
#[derive(Default)]
pub(crate) struct Deadlines {
    entries: BTreeMap<(At, NonZeroU64), Expiry>,
    /// How many entries were ever added.
    counter: u64,
}

impl Deadlines {
    pub(crate) fn add(&mut self, at: f64, expiry: Expiry) -> DeadlineKey {
        self.counter += 1;
        let age = NonZeroU64::new(self.counter).expect("no run lives to see so many deadlines");
        self.entries.insert((At(at), age), expiry);
        DeadlineKey(At(at), age)
    }

    pub(crate) fn remove(&mut self, key: DeadlineKey) {
        self.entries.remove(&(key.0, key.1));
    }

    pub(crate) fn next(&self) -> Option<f64> {
        self.entries.first_key_value().map(|((at, _), _)| at.0)
    }

    /// When each of the waits in the table ends.
    pub(crate) fn of_waits(&self) -> impl Iterator<Item = (WaitId, f64)> {
        self.entries.iter().filter_map(|((at, _), expiry)| match expiry {
            Expiry::Wake(wait) => Some((*wait, at.0)),
            Expiry::Cancel(_) => None,
        })
    }

    /// Removes and returns the first entry if its time has come.
    pub(crate) fn pop_due(&mut self, now: f64) -> Option<Expiry> {
        let first = self.entries.first_entry()?;
        (first.key().0.0 <= now).then(|| first.remove())
    }
}
