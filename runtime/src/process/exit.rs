//! A descriptor that becomes readable when a child process has exited.
//!
//! Linux has offered this since 5.3, as a *pidfd*. Elsewhere a thread waits for the child and then closes the
//! writing end of a pipe, so that the reading end becomes readable with the end of the stream. The code that waits
//! for the descriptor need not know which of the two it is. A wait can be cancelled and begun again any number of
//! times: it always uses the same descriptor.

use rustix::{
    io::Errno,
    process::{Pid, WaitId, WaitIdOptions, waitid},
};
use std::{io, os::fd::OwnedFd, thread};

/// Makes this descriptor for a child whose status nobody has asked for yet.
pub(super) fn exit_descriptor(pid: Pid) -> io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        Ok(fd) => return Ok(fd),
        // The kernel is too old, or a sandbox does not know the call.
        Err(error) => log::debug!("no pidfd for process {pid:?}, so a thread waits for it: {error}"),
    }
    watched_by_a_thread(pid)
}

fn watched_by_a_thread(pid: Pid) -> io::Result<OwnedFd> {
    let (reader, writer) = io::pipe()?;
    thread::Builder::new().name("terzetto waitid".into()).stack_size(64 * 1024).spawn(move || {
        // This leaves the child's entry in place, because the owner asks for the status. A failure means that there is
        // nothing to wait for, and the owner will learn why.
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
            // `cat` ends when its input ends.
            child.stdin.take().unwrap().write_all(b"")?;
            crate::fail_after(60.0, async { Ok(crate::io::wait_readable(&exited).await?) }).await?;
            assert!(child.try_wait()?.unwrap().success(), "its entry was left to us");
            Ok(())
        })
        .unwrap();
    }
}
