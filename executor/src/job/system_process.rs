//! Which process, on which machine: what locks and temporary files say of who made them.
//!
//! Several machines may work in one folder, and a number of a process means something on its own
//! machine only.

use std::{fs, path::Path};

/// The name of this machine, such that it can be part of a file's name.
pub(crate) fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    name.trim().chars().map(plain).collect()
}

/// When a process of this machine was started, in ticks since the machine was; `None` if there is no
/// such process, or no table of processes to look it up in.
pub(super) fn start_of(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses that may hold anything; the state follows it.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // A zombie holds nothing any more.
    if state == "Z" || state == "X" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Does a process of this machine run? `None` if that cannot be known.
pub(crate) fn is_running(pid: u32) -> Option<bool> {
    if Path::new("/proc/self/stat").exists() {
        return Some(start_of(pid).is_some());
    }
    signalled(pid)
}

/// As [`is_running`], by asking whether a signal could be sent.
#[cfg(unix)]
fn signalled(pid: u32) -> Option<bool> {
    use rustix::{
        io::Errno,
        process::{Pid, test_kill_process},
    };
    // A process of another user exists, too.
    let found = |pid| !matches!(test_kill_process(pid), Err(Errno::SRCH));
    Some(i32::try_from(pid).ok().and_then(Pid::from_raw).is_some_and(found))
}

#[cfg(not(unix))]
fn signalled(_: u32) -> Option<bool> {
    None
}
