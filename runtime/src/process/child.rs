//! The owner of a child process: it leaves neither an orphan nor a zombie.
//!
//! The system keeps an entry for each child that has exited, until its parent has asked for the exit status. Such
//! an entry is called a *zombie*, and the number of entries is limited. The standard library's `Child` leaves a
//! zombie behind when it is dropped early. Here, cancelled code may be dropped at any point. So this owner kills
//! its child when it is dropped, and a thread asks for the status.

use rustix::{
    io::Errno,
    process::{Pid, WaitOptions, waitpid},
};
use std::{
    io,
    process::{self, ExitStatus},
    thread,
};

/// The stack is large enough to make one system call.
const REAPERS_STACK: usize = 64 * 1024;

/// A child process of ours. If it is dropped before the child's end was seen, it kills the child, unless it was
/// detached.
pub(super) struct Child {
    child: process::Child,
    detached: bool,
    /// Whether it has ended and nobody can say how.
    lost: bool,
}

impl Child {
    pub(super) fn new(child: process::Child) -> Child {
        Child { child, detached: false, lost: false }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the child ended, if it has ended. After that, the system has no record of the child any more.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.lost {
            return Ok(Some(ExitStatus::default()));
        }
        let asked = self.child.try_wait();
        self.known(asked)
    }

    /// How the child ended. Blocks the thread until the child has ended.
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        let asked = self.child.wait().map(Some);
        self.known(asked).map(Option::unwrap_or_default)
    }

    /// The system's answer. If the system says that the process is not our child, the process has ended, and the answer
    /// is success: this happens while SIGCHLD is ignored. Python does the same.
    fn known(&mut self, asked: io::Result<Option<ExitStatus>>) -> io::Result<Option<ExitStatus>> {
        match asked {
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => {
                log::warn!(
                    "process {} has ended, and nobody knows how: SIGCHLD is ignored, or something else in this program \
                     has asked for it; it counts as a success",
                    self.id()
                );
                self.lost = true;
                Ok(Some(ExitStatus::default()))
            }
            asked => asked,
        }
    }

    /// Lets the child live when its owner is dropped.
    pub(super) fn detach(&mut self) {
        self.detached = true;
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // An error means that somebody else has asked for the status, or that the system has discarded it.
        if self.lost || !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        if !self.detached
            && let Err(error) = self.child.kill()
        {
            log::warn!("process {} is dropped and cannot be killed: {error}", self.id());
        }
        let Ok(Some(pid)) = i32::try_from(self.id()).map(Pid::from_raw) else { return };
        // Even a killed process may need some time to end, and a destructor must not wait for it.
        let reaper = thread::Builder::new().name("terzetto reaper".into()).stack_size(REAPERS_STACK);
        let reaped = reaper.spawn(move || {
            while waitpid(Some(pid), WaitOptions::empty()).is_err_and(|error| error == Errno::INTR) {}
        });
        match reaped {
            Ok(_reaper) => {}
            Err(_) if !self.detached => drop(self.child.wait()),
            Err(error) => log::warn!("process {pid:?} will stay as a zombie: no thread: {error}"),
        }
    }
}
