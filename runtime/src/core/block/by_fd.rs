//! Which source of the reactor a descriptor is.
//!
//! A list: descriptors are small numbers, since the system gives the lowest that is free.

use crate::core::block::reactor::SourceId;
use std::os::fd::RawFd;

/// The sources by descriptor.
#[derive(Default)]
pub(crate) struct ByFd(Vec<Option<SourceId>>);

impl ByFd {
    pub(crate) fn get(&self, fd: RawFd) -> Option<SourceId> {
        self.0.get(fd as usize).copied().flatten()
    }

    /// Enters a descriptor, which must be open; returns who is still entered under its number.
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
