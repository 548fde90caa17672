//! A folder for results has one run at a time, also of several machines. Locks of other machines are made of this
//! machine's, with another host name.

mod common;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use terzetto::Error;
use terzetto_executor::{ExecutorAsync, ExecutorSequential, Options, Outcome, Topology, job::JobError};

use common::{Folder, jobs};

const LOCK: &str = "is_running.lock";

/// A run of one item, which makes `during` with the folder for results.
fn run(
    folder: &Path,
    lease: Duration,
    during: impl Fn(&Path) + Send + Sync + 'static,
) -> Result<Outcome, Error> {
    let mut topology = Topology::new("one item");
    let numbers = topology.queue::<usize>("numbers");
    topology.source("count", &numbers, [("1", 1)]);
    let results = folder.to_owned();
    topology.io("work", &numbers).each(move |_, _| {
        during(&results);
        Ok(())
    });
    ExecutorSequential::new(topology, Options::new().results_folder(folder).lease(lease))?.run()
}

/// The lock of a job on another machine, which was renewed `age` ago.
fn lock_of_another_host(folder: &Path, task: Option<&str>, lease: Duration, age: Duration) -> PathBuf {
    let job = folder.join("job_2020-01-01T00-00-00_1");
    fs::create_dir(&job).expect("the test's own folder");
    let task = task.map(|task| format!("task = \"{task}\"\n")).unwrap_or_default();
    let text = format!(
        "pid = 1\nstart = 1\nhost = \"elsewhere\"\nmachine = \"m\"\nlease = {}\n{task}",
        lease.as_millis()
    );
    fs::write(job.join(LOCK), text).expect("the test's own folder");
    set_age(&job.join(LOCK), age);
    job
}

fn set_age(lock: &Path, age: Duration) {
    let file = File::options().write(true).open(lock).expect("a lock");
    file.set_modified(SystemTime::now() - age).expect("the test's own file");
}

#[test]
fn job_01_a_lock_of_another_host_counts_until_its_lease_has_ended() {
    let folder = Folder::new();
    let minute = Duration::from_secs(60);
    let job = lock_of_another_host(&folder.0, None, minute, Duration::from_secs(20));
    let error = run(&folder.0, minute, |_| ()).expect_err("another host is at work");
    let Some(JobError::InUse(holder)) = error.find::<JobError>() else { panic!("{error}") };
    assert_eq!((holder.pid, &*holder.host, &holder.job), (1, "elsewhere", &job));
    let left = holder.free_after.expect("a lease");
    assert!(left > Duration::from_secs(30) && left <= Duration::from_secs(41), "{left:?}");
    let text = error.to_string();
    for part in ["process 1 on `elsewhere`", "the folder is free in", "if that run has ended, remove"] {
        assert!(text.contains(part), "{text}");
    }
    // Times of files may be some milliseconds behind.
    set_age(&job.join(LOCK), minute + Duration::from_secs(1));
    run(&folder.0, minute, |_| ()).expect("the lease has ended");
}

#[test]
fn job_02_a_lock_is_renewed_while_an_item_takes_long() {
    let folder = Folder::new();
    let lease = Duration::from_secs(1);
    run(&folder.0, lease, move |folder| {
        let lock = jobs(folder)[0].join(LOCK);
        set_age(&lock, Duration::from_secs(3600));
        let patience = Instant::now();
        let age = || fs::metadata(&lock).and_then(|data| data.modified()).expect("a lock").elapsed();
        while age().is_ok_and(|age| age > lease) {
            assert!(patience.elapsed() < Duration::from_secs(30), "nobody renews the lock");
            thread::sleep(Duration::from_millis(10));
        }
    })
    .expect("nobody else has begun");
    assert!(!jobs(&folder.0)[0].join(LOCK).exists(), "the lock is removed in the end");
}

#[test]
fn job_03_a_run_whose_folder_was_taken_over_ends() {
    let folder = Folder::new();
    let mut topology = Topology::new("many items");
    let numbers = topology.queue::<usize>("numbers");
    topology.source("count", &numbers, (0..).map(|n| (n.to_string(), n)));
    topology.io("work", &numbers).each(|_, _| {
        thread::sleep(Duration::from_millis(5));
        Ok(())
    });
    let results = folder.0.clone();
    // The run is not heard of for an hour; a run on another machine begins.
    let other = thread::spawn(move || {
        while jobs(&results).first().is_none_or(|job| !job.join("info.toml").exists()) {
            thread::sleep(Duration::from_millis(5));
        }
        let own = jobs(&results).remove(0).join(LOCK);
        lock_of_another_host(&results, None, Duration::from_secs(60), Duration::ZERO);
        set_age(&own, Duration::from_secs(3600));
    });
    let options = Options::new().results_folder(&folder.0).lease(Duration::from_secs(1)).max_workers(1);
    let executor = ExecutorAsync::new(topology, options).expect("a sound graph");
    let ended = terzetto::run(terzetto::fail_after(60.0, executor.run()));
    other.join().expect("no panic");
    let error = ended.expect_err("the folder is lost");
    assert!(
        matches!(error.find(), Some(JobError::TakenOver(holder)) if holder.host == "elsewhere"),
        "{error}"
    );
}

#[test]
fn job_04_a_lock_that_somebody_has_removed_is_written_again() {
    let folder = Folder::new();
    run(&folder.0, Duration::from_secs(1), |folder| {
        let lock = jobs(folder)[0].join(LOCK);
        fs::remove_file(&lock).expect("a lock");
        let patience = Instant::now();
        while !lock.exists() {
            assert!(patience.elapsed() < Duration::from_secs(30), "nobody writes the lock again");
            thread::sleep(Duration::from_millis(10));
        }
    })
    .expect("nobody else has begun");
}
