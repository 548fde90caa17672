//! Names of the reactor's sources, and a table from descriptors to sources.
//!
//! The table is a list indexed by descriptor. Descriptors are small numbers, since the system gives the lowest that
//! is free.

use mio::Token;
use std::os::fd::RawFd;

/// Names a source: its place, and a number that tells it from earlier sources in the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceId {
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

impl SourceId {
    pub(crate) fn token(self) -> Token {
        Token(((self.generation as usize) << 32) | self.place as usize)
    }

    pub(crate) fn of(token: Token) -> SourceId {
        SourceId { place: token.0 as u32, generation: (token.0 >> 32) as u32 }
    }
}

/// The sources by descriptor.
#[derive(Default)]
pub(crate) struct SourceTable(Vec<Option<SourceId>>);

impl SourceTable {
    pub(crate) fn get(&self, fd: RawFd) -> Option<SourceId> {
        self.0.get(fd as usize).copied().flatten()
    }

    /// Enters a descriptor, which must be open. If another source still has this number, returns that one: its
    /// descriptor was closed without a word.
    pub(crate) fn insert(&mut self, fd: RawFd, id: SourceId) -> Option<SourceId> {
        let place = fd as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, None);
        }
        self.0[place].replace(id)
    }

    pub(crate) fn remove(&mut self, fd: RawFd) {
        if let Some(place) = self.0.get_mut(fd as usize) {
            *place = None;
        }
    }
}
