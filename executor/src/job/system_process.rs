//! Processes of the operating system, and their machines.
//!
//! Locks and temporary files name the process that made them. Several machines may use one folder, and the
//! number of a process has a meaning on its own machine only. So they name the machine, too.

use std::{fs, path::Path};

/// The name of this machine, in letters that a file name may have.
pub(crate) fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    name.trim().chars().map(plain).collect()
}

/// What tells this machine from others of its name, from itself before it was started again, and a container from
/// its neighbours: numbers of processes have a meaning within one of these. It is empty where the system does not
/// tell it.
pub(super) fn machine() -> String {
    let start = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{} {}", start.trim(), namespace.display()).trim().to_owned()
}

/// When a process of this machine was started, in ticks since the machine was started. `None` if there is no such
/// process, or if the system has no `/proc`.
pub(super) fn start_of(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses, which may contain anything. The state follows it.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // A zombie has ended.
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
    can_be_signalled(pid)
}

/// Whether a signal could be sent to a process, which means that it runs.
#[cfg(unix)]
fn can_be_signalled(pid: u32) -> Option<bool> {
    use rustix::{
        io::Errno,
        process::{Pid, test_kill_process},
    };
    // A process of another user refuses the signal, but it runs.
    let found = |pid| !matches!(test_kill_process(pid), Err(Errno::SRCH));
    Some(i32::try_from(pid).ok().and_then(Pid::from_raw).is_some_and(found))
}

#[cfg(not(unix))]
fn can_be_signalled(_: u32) -> Option<bool> {
    None
}
