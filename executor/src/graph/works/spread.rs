//! What becomes of the value that a call returns: one item under the same key, or many items.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::graph::{Item, Key};

/// Turns what a call returns (`R`) into items of type `T`. It is a type and not a function pointer: for tiny works, a
/// call that is not inlined costs a tenth of the item.
pub(in crate::graph) trait Spread<R, T>: Send + Sync + 'static {
    /// Adds the items that a call has made of an item.
    fn add(&self, key: Key, value: R, made: &mut Vec<Item<T>>);

    /// Counts an item that was taken.
    fn count_taken(&self) {}

    /// How many items were taken and made, if these numbers may differ.
    fn counts(&self) -> Option<(usize, usize)> {
        None
    }
}

/// The value is that of one item, under the same key.
pub(in crate::graph) struct One;

impl<T> Spread<T, T> for One {
    fn add(&self, key: Key, value: T, made: &mut Vec<Item<T>>) {
        made.push((key, Ok(value)));
    }
}

/// The value is a list of items.
#[derive(Default)]
pub(in crate::graph) struct Many {
    taken: AtomicUsize,
    made: AtomicUsize,
}

impl<T> Spread<Vec<Item<T>>, T> for Many {
    fn add(&self, _: Key, items: Vec<Item<T>>, made: &mut Vec<Item<T>>) {
        self.made.fetch_add(items.len(), Relaxed);
        made.extend(items);
    }

    fn count_taken(&self) {
        self.taken.fetch_add(1, Relaxed);
    }

    fn counts(&self) -> Option<(usize, usize)> {
        Some((self.taken.load(Relaxed), self.made.load(Relaxed)))
    }
}
