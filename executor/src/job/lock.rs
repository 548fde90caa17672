//! Who is at work in a folder: a file that names a process.
//!
//! A process that is killed leaves its lock. So a lock says of its process what tells it from a later
//! one of the same number: when it was started. Of a process on another machine nothing can be
//! known but that it touches its lock from time to time.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    process,
    time::{Duration, SystemTime},
};

use super::system_process::{host, is_running, start_of};
use crate::shard::Shard;

/// A process on another machine that has not touched its lock for so long is taken for dead.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// What a lock file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub pid: u32,
    /// When the process was started, in the system's ticks; where that cannot be known, 0.
    start: u64,
    host: String,
    pub shard: Option<Shard>,
}

impl Lock {
    /// This process's lock.
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

    /// Reads a lock; `None` if there is none, or one that says nothing.
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

    /// Does its process still run?
    pub fn is_held(&self, path: &Path) -> bool {
        if self.host != host() {
            return age(path).is_none_or(|age| age < PATIENCE);
        }
        match (start_of(self.pid), is_running(self.pid)) {
            (Some(start), _) => start == self.start,
            (None, Some(running)) => running,
            // Where nothing is known of processes, only age can tell.
            (None, None) => age(path).is_none_or(|age| age < PATIENCE),
        }
    }

    /// May both work in one folder? Different parts of a series do.
    pub fn gets_on_with(&self, other: &Lock) -> bool {
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
            // The same number, but another process; and one that does not exist.
            assert!(!Lock { start: own.start + 1, ..own.clone() }.is_held(&path));
            assert!(!Lock { pid: u32::MAX, ..own.clone() }.is_held(&path));
        }
        // Elsewhere, age decides.
        assert!(Lock { host: "elsewhere".to_owned(), ..own.clone() }.is_held(&path));
        File::open(&path)?.set_modified(SystemTime::now() - 2 * PATIENCE)?;
        assert!(!Lock { host: "elsewhere".to_owned(), ..own }.is_held(&path));
        fs::remove_file(path)
    }

    #[test]
    fn parts_share_a_folder() {
        let lock = |shard: &str| Lock { shard: shard.parse().ok(), ..Lock::own(None) };
        assert!(lock("1/3").gets_on_with(&lock("2/3")));
        assert!(!lock("1/3").gets_on_with(&lock("1/3")));
        assert!(!lock("1/3").gets_on_with(&lock("2/4")));
        assert!(!lock("1/3").gets_on_with(&lock("")));
    }
}
