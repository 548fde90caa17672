//! A descriptor that becomes readable when a child process has exited.
//!
//! Linux has it since 5.3: a *pidfd*. Elsewhere a thread waits for the child and then closes the
//! writing end of a pipe, so that the reading end shows the end of the stream. Whoever waits for the
//! descriptor need not know which of the two it is; and a wait that is cancelled and begun again, as
//! often as one likes, uses the same one.

use rustix::{
    io::Errno,
    process::{Pid, WaitId, WaitIdOptions, waitid},
};
use std::{io, os::fd::OwnedFd, thread};

/// Such a descriptor for a child whose end was not asked for yet.
pub(super) fn exit_descriptor(pid: Pid) -> io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        Ok(fd) => return Ok(fd),
        // An old kernel, or a sandbox that does not know the call.
        Err(error) => log::debug!("no pidfd for process {pid:?}, so a thread waits for it: {error}"),
    }
    watched_by_a_thread(pid)
}

fn watched_by_a_thread(pid: Pid) -> io::Result<OwnedFd> {
    let (reader, writer) = io::pipe()?;
    thread::Builder::new().name("terzetto waitid".into()).stack_size(64 * 1024).spawn(move || {
        // Leaves the child's entry in place: its end is the owner's to ask for. A failure means that
        // there is nothing to wait for, and the owner will learn why.
        let only_look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(pid), only_look).is_err_and(|error| error == Errno::INTR) {}
        drop(writer);
    })?;
    Ok(reader.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Write, process};

    #[test]
    fn without_a_pidfd_a_thread_tells_of_the_exit() {
        let mut child = process::Command::new("cat").stdin(process::Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let exited = watched_by_a_thread(pid).unwrap();
        crate::run(async {
            let early = crate::move_on_after(0.05, async { Ok(crate::io::wait_readable(&exited).await?) });
            assert!(early.await?.is_none(), "the child still runs");
            // `cat` ends with its input.
            child.stdin.take().unwrap().write_all(b"")?;
            crate::fail_after(60.0, async { Ok(crate::io::wait_readable(&exited).await?) }).await?;
            assert!(child.try_wait()?.unwrap().success(), "its entry was left to us");
            Ok(())
        })
        .unwrap();
    }
}
