//! Which source of the reactor a descriptor is.
//!
//! A list: descriptors are small numbers, since the system gives the lowest that is free.

use super::reactor::SourceId;
use std::os::fd::RawFd;

/// The sources by descriptor.
#[derive(Default)]
pub(super) struct ByFd(Vec<Option<SourceId>>);

impl ByFd {
    pub(super) fn get(&self, fd: RawFd) -> Option<SourceId> {
        self.0.get(fd as usize).copied().flatten()
    }

    /// Enters a descriptor, which must be open; returns who is still entered under its number.
    pub(super) fn insert(&mut self, fd: RawFd, id: SourceId) -> Option<SourceId> {
        let place = fd as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, None);
        }
        self.0[place].replace(id)
    }

    pub(super) fn remove(&mut self, fd: RawFd) {
        if let Some(place) = self.0.get_mut(fd as usize) {
            *place = None;
        }
    }
}
