//! Tables with small keys.
//!
//! Strands, scopes, waits and parked tasks stand in tables and are named by number,
//! which is what lets a waker own nothing and a dropped future leave nothing dangling. A million blocked
//! tasks are a few million such names: so a key is half a word, and so is one that may be missing. For the same
//! reason the free places are listed aside (unlike in the crate `slab`, where the list runs through them): an
//! entry that has a value to spare, as a reference has, takes no more room than by itself.

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
    /// One bit of a key's number is never set: who stores keys has a use for it.
    pub(crate) const SPARE_BIT: u32 = 1 << 31;

    /// As a number that is not zero, for words that have to carry it.
    pub(crate) fn to_bits(self) -> u32 {
        self.0.get()
    }

    pub(crate) fn from_bits(bits: u32) -> Option<Key> {
        NonZeroU32::new(bits).map(Key)
    }

    fn of(index: usize) -> Key {
        let number = u32::try_from(index + 1).ok().filter(|number| number & Key::SPARE_BIT == 0);
        let number = number.and_then(NonZeroU32::new);
        Key(number.expect("a table of a run holds at most two thousand million entries"))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A table: entries keep their place, places are used again.
#[derive(Debug)]
pub(crate) struct Table<T> {
    entries: Vec<Option<T>>,
    free: Vec<Key>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Table<T> {
    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        self.entries.get(key.index())?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.entries.get_mut(key.index())?.as_mut()
    }

    #[inline]
    pub(crate) fn insert(&mut self, entry: T) -> Key {
        match self.free.pop() {
            Some(key) => {
                self.entries[key.index()] = Some(entry);
                key
            }
            None => {
                let key = Key::of(self.entries.len());
                self.entries.push(Some(entry));
                key
            }
        }
    }

    /// The key that the next entry will have.
    #[inline]
    pub(crate) fn next_key(&self) -> Key {
        self.free.last().copied().unwrap_or_else(|| Key::of(self.entries.len()))
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.get_mut(key.index())?.take()?;
        self.free.push(key);
        Some(entry)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(|(index, entry)| Some((Key::of(index), entry.as_ref()?)))
    }
}

impl<T> Index<Key> for Table<T> {
    type Output = T;

    #[inline]
    fn index(&self, key: Key) -> &T {
        match self.get(key) {
            Some(entry) => entry,
            None => missing(),
        }
    }
}

impl<T> IndexMut<Key> for Table<T> {
    #[inline]
    fn index_mut(&mut self, key: Key) -> &mut T {
        match self.get_mut(key) {
            Some(entry) => entry,
            None => missing(),
        }
    }
}

#[cold]
fn missing() -> ! {
    panic!("a table of the run was asked for an entry that it does not have")
}
