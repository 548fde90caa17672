//! A lock: a file that names the process which uses a folder.
//!
//! A process that is killed leaves its lock behind. So whoever finds a lock asks whether its process still runs:
//!
//! - On the same machine the system knows. The number of a process may be given to another one later. So a lock
//!   also has the time when its process was started.
//! - On another machine nobody knows. So the lock is a *lease*: its owner [renews](super::lease) it, and the lock
//!   counts as left when it has not been renewed for its time.
//! - A task of a cluster that was requeued finds the lock of its own earlier attempt. The cluster runs a task once
//!   at a time, so that lock counts as left at once.
//!
//! It needs nothing of the file system but what NFS has, too: a file that is made only if there is none, and the
//! time of the last write. That time is the file server's, and is compared with the file server's time. So clocks
//! of machines may differ.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    process,
    time::{Duration, SystemTime},
};

use super::system_process::{host, is_running, machine, start_of};
use crate::{cluster::ClusterTask, shard::Shard};

/// What a lock file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub pid: u32,
    /// When the process was started, in ticks of the system. It is 0 where that cannot be known.
    start: u64,
    pub host: String,
    /// Tells apart machines of one name, and a machine from itself before it was started again.
    machine: String,
    /// The task of a cluster that the process is.
    pub task: Option<String>,
    /// How long the lock counts after it was renewed, for other machines.
    pub lease: Duration,
    pub shard: Option<Shard>,
}

/// Whether the process of a lock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// It runs on this machine.
    Running,
    /// It is on another machine. If it does not renew its lock, the lock ends after this time.
    Leased(Duration),
    /// It has ended, or has not renewed its lock for too long.
    Gone,
}

impl Lock {
    /// The lock of this process.
    pub fn own(shard: Option<Shard>, lease: Duration) -> Lock {
        let pid = process::id();
        // A contradiction among the variables of a cluster is an error where the part is chosen, not here.
        let task =
            ClusterTask::of_this_process().ok().flatten().and_then(|task| task.id().map(str::to_owned));
        Lock { pid, start: start_of(pid).unwrap_or(0), host: host(), machine: machine(), task, lease, shard }
    }

    /// Writes the lock. It is an error if the file exists.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        File::create_new(path)?.write_all(self.text().as_bytes())
    }

    /// Writes the same again, which sets the file's time to that of the file server.
    pub fn renew(&self, path: &Path) -> io::Result<()> {
        File::options().write(true).open(path)?.write_all(self.text().as_bytes())
    }

    fn text(&self) -> String {
        let Lock { pid, start, host, machine, task, lease, shard } = self;
        let mut text = format!(
            "pid = {pid}\nstart = {start}\nhost = {host:?}\nmachine = {machine:?}\nlease = {}\n",
            lease.as_millis()
        );
        if let Some(task) = task {
            text.push_str(&format!("task = {task:?}\n"));
        }
        if let Some(shard) = shard {
            text.push_str(&format!("shard = \"{shard}\"\n"));
        }
        text
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
            machine: value("machine")?.to_owned(),
            task: value("task").map(str::to_owned),
            lease: Duration::from_millis(value("lease")?.parse().ok()?),
            shard: value("shard").and_then(|text| text.parse().ok()),
        })
    }

    /// Does the process of this lock still run? `now` is the time of the file system that the lock is on.
    pub fn holder(&self, path: &Path, now: SystemTime) -> Holder {
        if self.is_on_this_machine() {
            match (start_of(self.pid), is_running(self.pid)) {
                (Some(start), _) if start == self.start => return Holder::Running,
                (Some(_), _) | (None, Some(false)) => return Holder::Gone,
                (None, Some(true)) => return Holder::Running,
                // Nothing is known of processes here, so the age of the lock decides.
                (None, None) => {}
            }
        }
        match age(path, now) {
            Some(age) if age >= self.lease => Holder::Gone,
            Some(age) => Holder::Leased(self.lease - age),
            None => Holder::Leased(self.lease),
        }
    }

    pub fn is_on_this_machine(&self) -> bool {
        self.host == host() && self.machine == machine()
    }

    /// Is this the lock of an earlier attempt at the task that `own` is?
    pub fn is_earlier_attempt_of(&self, own: &Lock) -> bool {
        self.task.is_some() && self.task == own.task && !self.is_on_this_machine()
    }

    /// May both processes use one folder? They may if they compute different parts of a series.
    pub fn is_compatible_with(&self, other: &Lock) -> bool {
        match (self.shard, other.shard) {
            (Some(a), Some(b)) => a.count() == b.count() && a.index() != b.index(),
            _ => false,
        }
    }
}

/// How long ago a file was written. A file from the future was written now.
pub(super) fn age(path: &Path, now: SystemTime) -> Option<Duration> {
    // The file is opened: over NFS that asks the server, where its name alone may be answered from a cache.
    let written = File::open(path).ok()?.metadata().ok()?.modified().ok()?;
    Some(now.duration_since(written).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(60);

    fn elsewhere(task: Option<&str>) -> Lock {
        let task = task.map(str::to_owned);
        Lock { host: "elsewhere".to_owned(), task, ..Lock::own(None, LEASE) }
    }

    #[test]
    fn a_lock_is_held_by_the_process_that_wrote_it() -> io::Result<()> {
        let path = std::env::temp_dir().join(format!("terzetto-lock-{}", process::id()));
        let own = Lock::own("2/3".parse().ok(), LEASE);
        own.write(&path)?;
        assert_eq!(Lock::read(&path).as_ref(), Some(&own));
        let now = fs::metadata(&path)?.modified()?;
        assert_eq!(own.holder(&path, now), Holder::Running);
        // On its own machine, the age of a lock does not matter.
        assert_eq!(own.holder(&path, now + 2 * LEASE), Holder::Running);
        if start_of(own.pid).is_some() {
            // Another process of the same number, and a process that does not exist.
            assert_eq!(Lock { start: own.start + 1, ..own.clone() }.holder(&path, now), Holder::Gone);
            assert_eq!(Lock { pid: u32::MAX, ..own.clone() }.holder(&path, now), Holder::Gone);
        }
        // For a process of another machine, the lease decides; for one of this machine before it was started
        // again, too.
        let before = Lock { machine: "another start".to_owned(), ..own.clone() };
        for other in [elsewhere(None), before] {
            assert_eq!(other.holder(&path, now), Holder::Leased(LEASE));
            assert_eq!(other.holder(&path, now + LEASE / 4), Holder::Leased(LEASE * 3 / 4));
            assert_eq!(other.holder(&path, now + LEASE), Holder::Gone);
            // A clock that is behind.
            assert_eq!(other.holder(&path, now - LEASE), Holder::Leased(LEASE));
        }
        own.renew(&path)?;
        assert_eq!(Lock::read(&path), Some(own));
        fs::remove_file(path)
    }

    #[test]
    fn a_requeued_task_knows_its_earlier_attempt() {
        let own = Lock { task: Some("slurm 7_3".to_owned()), ..Lock::own(None, LEASE) };
        assert!(elsewhere(Some("slurm 7_3")).is_earlier_attempt_of(&own));
        assert!(!elsewhere(Some("slurm 7_4")).is_earlier_attempt_of(&own));
        assert!(!elsewhere(None).is_earlier_attempt_of(&own));
        assert!(!elsewhere(None).is_earlier_attempt_of(&Lock { task: None, ..own.clone() }));
        // On one machine the system knows whether the other process runs.
        assert!(!own.clone().is_earlier_attempt_of(&own));
    }

    #[test]
    fn parts_share_a_folder() {
        let lock = |shard: &str| Lock { shard: shard.parse().ok(), ..Lock::own(None, LEASE) };
        assert!(lock("1/3").is_compatible_with(&lock("2/3")));
        assert!(!lock("1/3").is_compatible_with(&lock("1/3")));
        assert!(!lock("1/3").is_compatible_with(&lock("2/4")));
        assert!(!lock("1/3").is_compatible_with(&lock("")));
    }
}
