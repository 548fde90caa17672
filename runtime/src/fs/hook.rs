//! Where a test can put a disk with faults between the operations of this module and the system.
//!
//! A run without such a disk looks for it once for each operation, which is nothing beside the trip to a thread.

use crate::core::{run, run::extensions::Extension};
use std::{
    cell::RefCell,
    fs,
    io::{self, Write},
    path::Path,
    sync::Arc,
};

/// What a disk with faults lets an operation do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only tests have disks with faults"))]
pub(crate) enum Verdict {
    Done,
    /// It fails. A write is cut off in the middle first.
    Fails,
}

/// A disk with faults.
pub(crate) trait FaultyDisk: Send + Sync {
    /// How many seconds of the run's clock an operation on a path waits before it begins.
    fn latency(&self, path: &Path) -> f64;
    /// An operation begins, in its thread. `None` means that the path is not on this disk.
    fn begin(&self, path: &Path, writes: bool) -> Option<Verdict>;
    /// The error of an operation that fails.
    fn error(&self) -> io::Error;
    /// Writes, as far as the disk lets it.
    fn write_all(&self, file: &mut fs::File, data: &[u8], verdict: Verdict) -> io::Result<()>;
    /// The data of this file, or the names in this folder, are on the disk now.
    fn synced(&self, file: &fs::File) -> io::Result<()>;
}

/// The disk of a run.
pub(crate) struct InstalledDisk(pub(crate) Arc<dyn FaultyDisk>);

impl Extension for InstalledDisk {
    fn run_ends(&self) {}
}

/// The disk of the current run, if a test has put one there.
pub(super) fn of_this_run() -> Option<Arc<dyn FaultyDisk>> {
    run::try_with(|run| Some(run.extensions.find::<InstalledDisk>()?.0.clone())).flatten()
}

thread_local! {
    /// The disk of the operation that this thread does, and what it lets the operation do.
    static CURRENT: RefCell<Option<(Arc<dyn FaultyDisk>, Verdict)>> = const { RefCell::new(None) };
}

/// Ends the operation of this thread.
struct Ends;

impl Drop for Ends {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// Does an operation in this thread, on the disk of its run.
pub(super) fn operate<T>(
    disk: Option<Arc<dyn FaultyDisk>>,
    path: &Path,
    writes: bool,
    work: impl FnOnce(&Path) -> io::Result<T>,
) -> io::Result<T> {
    let Some(disk) = disk else { return work(path) };
    let Some(verdict) = disk.begin(path, writes) else { return work(path) };
    if verdict == Verdict::Fails && !writes {
        return Err(disk.error());
    }
    CURRENT.set(Some((disk, verdict)));
    let _ends = Ends;
    work(path)
}

fn current() -> Option<(Arc<dyn FaultyDisk>, Verdict)> {
    CURRENT.with_borrow(Clone::clone)
}

/// Writes to a file as a part of this thread's operation.
pub(super) fn write_all(file: &mut fs::File, data: &[u8]) -> io::Result<()> {
    match current() {
        Some((disk, verdict)) => disk.write_all(file, data, verdict),
        None => file.write_all(data),
    }
}

/// Notes that everything of this file is on the disk.
pub(super) fn synced(file: &fs::File) -> io::Result<()> {
    current().map_or(Ok(()), |(disk, _)| disk.synced(file))
}
