//! Tables with small keys.
//!
//! Strands, scopes, waits and parked tasks stand in tables and are named by number,
//! which is what lets a waker own nothing and a dropped future leave nothing dangling. A million blocked
//! tasks are a few million such names: so a key is half a word, and so is one that may be missing.

use slab::Slab;
use std::{
    num::NonZeroU32,
    ops::{Index, IndexMut},
};

/// The place of an entry. It may be given to another entry once this one is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(NonZeroU32);

impl Key {
    /// The key of the first entry of a table.
    pub(crate) const FIRST: Key = Key(NonZeroU32::MIN);

    /// As a number that is not zero, for words that have to carry it.
    pub(crate) fn to_bits(self) -> u32 {
        self.0.get()
    }

    pub(crate) fn from_bits(bits: u32) -> Option<Key> {
        NonZeroU32::new(bits).map(Key)
    }

    fn of(index: usize) -> Key {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        Key(number.expect("a table of a run holds at most four thousand million entries"))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A table: entries keep their place, places are used again.
#[derive(Debug)]
pub(crate) struct Table<T>(Slab<T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table(Slab::new())
    }
}

impl<T> Table<T> {
    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        self.0.get(key.index())
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.0.get_mut(key.index())
    }

    #[inline]
    pub(crate) fn insert(&mut self, entry: T) -> Key {
        Key::of(self.0.insert(entry))
    }

    /// The key that the next entry will have.
    #[inline]
    pub(crate) fn next_key(&self) -> Key {
        Key::of(self.0.vacant_key())
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.0.try_remove(key.index())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.0.iter().map(|(index, entry)| (Key::of(index), entry))
    }
}

impl<T> Index<Key> for Table<T> {
    type Output = T;

    #[inline]
    fn index(&self, key: Key) -> &T {
        &self.0[key.index()]
    }
}

impl<T> IndexMut<Key> for Table<T> {
    #[inline]
    fn index_mut(&mut self, key: Key) -> &mut T {
        &mut self.0[key.index()]
    }
}
