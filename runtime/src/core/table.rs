//! Tables with small keys.
//!
//! Nodes, scopes, waits and parked tasks are entries of tables, and are named by number. That is why a waker owns
//! nothing, and why a dropped future leaves nothing dangling. A million blocked tasks need a few million such
//! numbers, so memory matters here. A key is half a word, and so is an `Option` of one. The free places are listed in
//! a vector of their own. (In the crate `slab` the list runs through the places themselves.) So an entry takes no
//! more room than its value, if the value's type has a niche, as a reference has.

use std::{
    num::NonZeroU32,
    ops::{Index, IndexMut},
};

/// The place of an entry. Once the entry is gone, another entry may get the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(NonZeroU32);

impl Key {
    /// The key of the first entry of a table.
    pub(crate) const FIRST: Key = Key(NonZeroU32::MIN);
    /// This bit of a key's number is never set, so code that stores keys may use it.
    pub(crate) const SPARE_BIT: u32 = 1 << 31;

    /// The key as a number that is not zero.
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

/// A table. An entry keeps its place until it is removed, and places are used again.
#[derive(Debug)]
pub(crate) struct Table<T> {
    entries: Vec<Option<T>>,
    /// The free places between entries.
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
        let index = key.index();
        let entry = self.entries.get_mut(index)?.take()?;
        // The last entry is mostly removed first. Then there is no free place to remember.
        match index + 1 == self.entries.len() {
            true => drop(self.entries.pop()),
            false => self.free.push(key),
        }
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

#[cfg(test)]
mod tests {
    use super::{Key, Table};

    #[test]
    fn entries_keep_their_keys_and_only_keys_that_are_free_are_given_away() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut table = Table::default();
        let mut living: Vec<(Key, u32)> = Vec::new();
        for number in 0..10_000 {
            // Grows for a while, then shrinks, and so on.
            let removes = random.u32(0..10) < 2 + number / 1_000 % 2 * 6;
            if removes && !living.is_empty() {
                let (key, entry) = living.swap_remove(random.usize(0..living.len()));
                assert_eq!(table.remove(key), Some(entry));
                assert_eq!((table.remove(key), table.get(key)), (None, None));
            } else {
                let key = table.next_key();
                assert!(table.get(key).is_none());
                assert_eq!(table.insert(number), key);
                living.push((key, number));
            }
            if number % 100 == 0 {
                assert!(living.iter().all(|(key, entry)| table.get(*key) == Some(entry)));
                assert_eq!(table.iter().count(), living.len());
            }
        }
    }
}
