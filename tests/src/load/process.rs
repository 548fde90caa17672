//! What a process has: descriptors and memory.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{fs, io};

/// Raises the limit of open descriptors as far as allowed; returns it.
///
/// # Errors
/// What the system says.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// How many descriptors are open; none on a system that does not tell.
pub fn open_descriptors() -> Option<usize> {
    // The folder itself is open while it is read.
    fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() - 1)
}

/// How much memory is resident, in bytes; none on a system that does not tell.
pub fn resident_bytes() -> Option<usize> {
    let pages = fs::read_to_string("/proc/self/statm").ok()?;
    let resident: usize = pages.split(' ').nth(1)?.parse().ok()?;
    Some(resident * rustix::param::page_size())
}
