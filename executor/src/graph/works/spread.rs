//! What becomes of the value that a call returns: one item under the same key, or many items.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::graph::{Item, Key};

/// Turns what a call returns (`R`) into items of type `T`.
pub(in crate::graph) struct Spread<R, T> {
    spread: fn(Key, R, &mut Vec<Item<T>>),
    /// How many items were taken and made, if these numbers may differ.
    counts: Option<[AtomicUsize; 2]>,
}

impl<T> Spread<T, T> {
    /// The value is that of one item, under the same key.
    pub fn one() -> Self {
        Spread { spread: |key, value, made| made.push((key, Ok(value))), counts: None }
    }
}

impl<T> Spread<Vec<Item<T>>, T> {
    /// The value is a list of items.
    pub fn many() -> Self {
        Spread { spread: |_, items, made| made.extend(items), counts: Some(Default::default()) }
    }
}

impl<R, T> Spread<R, T> {
    /// Adds the items that a call has made of an item.
    pub fn add(&self, key: Key, value: R, made: &mut Vec<Item<T>>) {
        let before = made.len();
        (self.spread)(key, value, made);
        if let Some([_, all_made]) = &self.counts {
            all_made.fetch_add(made.len() - before, Relaxed);
        }
    }

    /// Counts an item that was taken.
    pub fn count_taken(&self) {
        if let Some([taken, _]) = &self.counts {
            taken.fetch_add(1, Relaxed);
        }
    }

    /// How many items were taken and made, if these numbers may differ.
    pub fn counts(&self) -> Option<(usize, usize)> {
        let [taken, made] = self.counts.as_ref()?;
        Some((taken.load(Relaxed), made.load(Relaxed)))
    }
}
