//! The native stack of a thread that still runs, asked for by another thread.
//!
//! A profiler has two ways to do this. It may unwind in a handler of a signal. But an unwinder looks for tables in
//! loaded libraries, may take the loader's lock, and may allocate. If the thread was interrupted while it held that
//! lock or the allocator's, the program hangs for ever. Or the handler copies the registers and the memory of the
//! stack, and somebody else unwinds the copy later. That is done here:
//!
//! - [`sample`]: the signal, and the handler that copies. It makes only system calls and takes no lock.
//! - [`unwind`]: the addresses of the calls, from the copy and the unwind tables of the program's files.
//! - [`names`]: the functions and lines of these addresses.
//!
//! The last two run on the thread that asked. They may allocate, and may take the time that they need.

mod names;
mod sample;
mod unwind;

use sample::{SampledThread, StackCopy};
use std::io;

/// The stacks of one thread, if they are wanted and can be had.
pub(super) struct Stacks(Option<SampledThread>);

impl Stacks {
    /// Prepares the calling thread. Says in the log if that fails.
    pub(super) fn of_this_thread(wanted: bool) -> Stacks {
        let prepared = wanted.then(SampledThread::current).transpose();
        prepared.map_or_else(
            |error| {
                log::warn!("the watchdog shows no stacks: {error}");
                Stacks(None)
            },
            Stacks,
        )
    }

    /// Copies the stack as it is at this moment.
    pub(super) fn copy(&self) -> CopiedStack {
        CopiedStack(self.0.as_ref().map(SampledThread::sample))
    }
}

/// A copy of a stack, an error, or nothing if it is not wanted.
pub(super) struct CopiedStack(Option<io::Result<StackCopy>>);

impl CopiedStack {
    /// Writes the calls of a task to the log, the innermost first.
    pub(super) fn log(&self, task: &str) {
        match &self.0 {
            Some(Ok(copy)) => {
                let calls = names::lines(&unwind::addresses(copy));
                log::warn!("where task {task} was then, the innermost call first:\n{}", calls.trim_end());
            }
            Some(Err(error)) => log::warn!("the stack of task {task} is not known: {error}"),
            None => {}
        }
    }
}
