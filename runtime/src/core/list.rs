//! Lists threaded through a table: any entry can be taken out in constant time, and a list costs its
//! entries two keys each and nothing besides.
//!
//! A scope lists the scopes in it and what is blocked in it, a parking wait queue lists who is parked.

use crate::core::table::{Key, Table};

/// The neighbours of an entry in its list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Links {
    before: Option<Key>,
    after: Option<Key>,
}

/// An entry of a table that may stand in a list.
pub(crate) trait Linked {
    fn links(&self) -> &Links;
    fn links_mut(&mut self) -> &mut Links;
}

/// The ends of a list. Which table it runs through is its owner's to know.
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

    /// Puts an entry at the end that stands in no list.
    #[inline]
    pub(crate) fn push<T: Linked>(&mut self, table: &mut Table<T>, key: Key) {
        let before = self.last.replace(key);
        *table[key].links_mut() = Links { before, after: None };
        match before {
            Some(before) => table[before].links_mut().after = Some(key),
            None => self.first = Some(key),
        }
    }

    /// Takes an entry out that stands in this list and may have left the table already, with its links.
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
