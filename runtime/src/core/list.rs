//! Lists that run through a table. Any entry can be taken out in constant time, and a list costs each entry two keys.
//!
//! A scope lists the scopes in it and the waits in it. A wait queue lists the tasks that are parked.

use crate::core::table::{Key, Table};

/// The neighbours of an entry in its list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Links {
    before: Option<Key>,
    after: Option<Key>,
}

/// An entry of a table that can be in a list.
pub(crate) trait Linked {
    fn links(&self) -> &Links;
    fn links_mut(&mut self) -> &mut Links;
}

/// The two ends of a list. The owner of the list knows which table it runs through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct List {
    first: Option<Key>,
    last: Option<Key>,
}

impl List {
    #[inline]
    pub(crate) fn first(&self) -> Option<Key> {
        self.first
    }

    /// Adds an entry at the end. The entry must not be in a list.
    #[inline]
    pub(crate) fn push<T: Linked>(&mut self, table: &mut Table<T>, key: Key) {
        let before = self.last.replace(key);
        *table[key].links_mut() = Links { before, after: None };
        match before {
            Some(before) => table[before].links_mut().after = Some(key),
            None => self.first = Some(key),
        }
    }

    /// Takes an entry out of this list. `links` are the entry's own; the entry itself may have left the table
    /// already.
    #[inline]
    pub(crate) fn unlink<T: Linked>(&mut self, table: &mut Table<T>, links: Links) {
        let Links { before, after } = links;
        match before {
            Some(before) => table[before].links_mut().after = after,
            None => self.first = after,
        }
        match after {
            Some(after) => table[after].links_mut().before = before,
            None => self.last = before,
        }
    }

    /// The entries, in order.
    pub(crate) fn iter<T: Linked>(self, table: &Table<T>) -> impl Iterator<Item = Key> {
        std::iter::successors(self.first, |&key| table[key].links().after)
    }
}
