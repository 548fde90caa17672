//! The blocking mode of descriptors whose open file is shared with others.
//!
//! Non-blocking mode belongs to the *open file*, and a descriptor is only a reference to an open file. A terminal's
//! open file is shared by the shell and by every program that it has started. A pipe's open file may be shared by a
//! child process. A program that leaves such a file in non-blocking mode breaks the others: their reads and writes
//! fail where they should wait. So when we are done with a user's descriptor, we restore its original mode, as trio
//! does.
//!
//! Two streams of ours may share one open file, as standard input and output do in a terminal. Then closing the
//! first stream must not end the non-blocking mode of the other one. The system does not say which descriptors
//! share an open file, but a test shows it: after one of them has been put back into blocking mode, those that
//! share its file are in blocking mode, too. Such a file is put into non-blocking mode again, and the last stream
//! restores the mode. Another thread that reads at this very moment may block until there is something to read.

use crate::{sys, sys::FileName};
use std::{
    collections::BTreeMap,
    io,
    os::fd::{AsFd, AsRawFd, RawFd},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A descriptor that is in non-blocking mode because of us.
struct Holder {
    fd: RawFd,
    /// Whether blocking mode is restored in the end.
    restores: bool,
}

/// All holders of this process, by file, because only descriptors of the same file can share an open file. Each
/// holder is removed before its descriptor is closed.
static HOLDERS: Mutex<BTreeMap<FileName, Vec<Holder>>> = Mutex::new(BTreeMap::new());

fn holders() -> MutexGuard<'static, BTreeMap<FileName, Vec<Holder>>> {
    HOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The non-blocking mode of a descriptor whose open file may be shared. Dropping this restores the original mode.
/// This must be dropped before the descriptor is closed.
#[derive(Debug)]
pub(crate) struct Mode {
    fd: RawFd,
    file: FileName,
}

impl Mode {
    /// Puts a user's descriptor into non-blocking mode.
    pub(super) fn set(fd: impl AsFd) -> io::Result<Mode> {
        let file = sys::file_of(&fd)?;
        let fd = fd.as_fd().as_raw_fd();
        let mut holders = holders();
        let restores = !sys::set_nonblocking(fd, true)?;
        holders.entry(file).or_default().push(Holder { fd, restores });
        Ok(Mode { fd, file })
    }

    /// For a descriptor of our own, in non-blocking mode, if the user gets a duplicate of it.
    pub(super) fn lend(fd: impl AsFd) -> io::Result<Mode> {
        let file = sys::file_of(&fd)?;
        let fd = fd.as_fd().as_raw_fd();
        holders().entry(file).or_default().push(Holder { fd, restores: true });
        Ok(Mode { fd, file })
    }
}

impl Drop for Mode {
    fn drop(&mut self) {
        let mut holders = holders();
        let Some(of_file) = holders.get_mut(&self.file) else { return };
        let place = of_file.iter().position(|holder| holder.fd == self.fd);
        let restores = place.is_some_and(|place| of_file.swap_remove(place).restores);
        if restores && let Err(error) = put_back(self.fd, of_file) {
            log::debug!("a descriptor cannot be put back into blocking mode: {error}");
        }
        if of_file.is_empty() {
            holders.remove(&self.file);
        }
    }
}

/// Puts an open file back into blocking mode. If another holder shares the file, that holder will do it instead.
fn put_back(fd: RawFd, others: &mut [Holder]) -> io::Result<()> {
    sys::set_nonblocking(fd, false)?;
    for other in others {
        if !sys::is_nonblocking(other.fd)? {
            other.restores = true;
            sys::set_nonblocking(other.fd, true)?;
            break;
        }
    }
    Ok(())
}
