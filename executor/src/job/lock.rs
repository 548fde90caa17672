//! A lock: a file that names the process which uses a folder.
//!
//! A process that is killed leaves its lock behind, and its number may be given to another process later. So a
//! lock also has the time when its process was started. About a process of another machine only one thing can be
//! known: while it runs, it touches its lock from time to time.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    process,
    time::{Duration, SystemTime},
};

use super::system_process::{host, is_running, start_of};
use crate::shard::Shard;

/// A process of another machine counts as dead when it has not touched its lock for so long.
pub(super) const STALE_AFTER: Duration = Duration::from_secs(600);

/// What a lock file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub pid: u32,
    /// When the process was started, in ticks of the system. It is 0 where that cannot be known.
    start: u64,
    host: String,
    pub shard: Option<Shard>,
}

impl Lock {
    /// The lock of this process.
    pub fn own(shard: Option<Shard>) -> Lock {
        let pid = process::id();
        Lock { pid, start: start_of(pid).unwrap_or(0), host: host(), shard }
    }

    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = format!("pid = {}\nstart = {}\nhost = {:?}\n", self.pid, self.start, self.host);
        if let Some(shard) = self.shard {
            text.push_str(&format!("shard = \"{shard}\"\n"));
        }
        File::create_new(path)?.write_all(text.as_bytes())
    }

    /// Reads a lock. `None` if there is none or if it cannot be understood.
    pub fn read(path: &Path) -> Option<Lock> {
        let text = fs::read_to_string(path).ok()?;
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let (key, value) = line.split_once(" = ")?;
                (key == name).then(|| value.trim_matches('"'))
            })
        };
        Some(Lock {
            pid: value("pid")?.parse().ok()?,
            start: value("start")?.parse().ok()?,
            host: value("host")?.to_owned(),
            shard: value("shard").and_then(|text| text.parse().ok()),
        })
    }

    /// Does the process of this lock still run?
    pub fn is_held(&self, path: &Path) -> bool {
        if self.host != host() {
            return age(path).is_none_or(|age| age < STALE_AFTER);
        }
        match (start_of(self.pid), is_running(self.pid)) {
            (Some(start), _) => start == self.start,
            (None, Some(running)) => running,
            // Nothing is known of processes here, so the age of the lock decides.
            (None, None) => age(path).is_none_or(|age| age < STALE_AFTER),
        }
    }

    /// May both processes use one folder? They may if they compute different parts of a series.
    pub fn is_compatible_with(&self, other: &Lock) -> bool {
        match (self.shard, other.shard) {
            (Some(a), Some(b)) => a.count() == b.count() && a.index() != b.index(),
            _ => false,
        }
    }
}

fn age(path: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(fs::metadata(path).ok()?.modified().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_the_process_that_wrote_it() -> io::Result<()> {
        let path = std::env::temp_dir().join(format!("terzetto-lock-{}", process::id()));
        let own = Lock::own("2/3".parse().ok());
        own.write(&path)?;
        let read = Lock::read(&path);
        assert_eq!(read.as_ref(), Some(&own));
        assert!(own.is_held(&path));
        if start_of(own.pid).is_some() {
            // Another process of the same number, and a process that does not exist.
            assert!(!Lock { start: own.start + 1, ..own.clone() }.is_held(&path));
            assert!(!Lock { pid: u32::MAX, ..own.clone() }.is_held(&path));
        }
        // For a process of another machine, age decides.
        assert!(Lock { host: "elsewhere".to_owned(), ..own.clone() }.is_held(&path));
        File::open(&path)?.set_modified(SystemTime::now() - 2 * STALE_AFTER)?;
        assert!(!Lock { host: "elsewhere".to_owned(), ..own }.is_held(&path));
        fs::remove_file(path)
    }

    #[test]
    fn parts_share_a_folder() {
        let lock = |shard: &str| Lock { shard: shard.parse().ok(), ..Lock::own(None) };
        assert!(lock("1/3").is_compatible_with(&lock("2/3")));
        assert!(!lock("1/3").is_compatible_with(&lock("1/3")));
        assert!(!lock("1/3").is_compatible_with(&lock("2/4")));
        assert!(!lock("1/3").is_compatible_with(&lock("")));
    }
}
