//! CRASH: a run is killed at each of its writes, and each of its writes fails.
//!
//! The test starts itself again as a child that runs a small job. The child is killed in two ways:
//!
//! - `RLIMIT_FSIZE` ends the process at the byte of a file with a certain number. So each write is cut off at each byte.
//!   The same limit with the signal ignored makes that write fail, which is a fault of the disk.
//! - `strace` kills the process when it makes its n-th change in the file system: a new file, a write, a sync, a rename, a
//!   link, a removal.
//!
//! After each of these, nothing may be half, what was said to be done must be there, and a run that goes on must end with
//! everything. The power is not cut: what was written, the system still has. `results/atomic.rs` says what is synced.
#![cfg(target_os = "linux")]

mod common;

use std::{
    env, fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use terzetto_executor::{
    ExecutorSequential, Options, Topology,
    job::{JobState, job_reports},
    results::write_atomic,
};

use common::{Folder, names};

/// The variable that tells the child where its results go.
const RESULTS: &str = "TERZETTO_TEST_RESULTS";

const ITEMS: usize = 3;

fn content(item: usize) -> String {
    format!("the result of item {item}: {}\n", "x".repeat(20 * item))
}

/// The job of the child. What is there already is not made again.
fn job(results: &Path) -> Result<(), terzetto::Error> {
    let mut topology = Topology::new("crashing");
    let items = topology.queue::<usize>("items");
    let missing = (0..ITEMS).filter(|item| !results.join(format!("{item}.txt")).exists());
    topology.source("count", &items, missing.map(|item| (item.to_string(), item)).collect::<Vec<_>>());
    let folder = results.to_owned();
    topology.io("save", &items).each(move |_, item| {
        Ok(write_atomic(&folder.join(format!("{item}.txt")), content(item).as_bytes())?)
    });
    let options = Options::new().results_folder(results).params("number = 3\n").expected_results(ITEMS);
    let outcome = ExecutorSequential::new(topology, options)?.run()?;
    match outcome.failed.is_empty() {
        true => Ok(()),
        false => Err(terzetto::Error::msg("an item has failed")),
    }
}

#[test]
fn the_job_of_a_child() -> Result<(), terzetto::Error> {
    // In the parent there is nothing to do.
    env::var_os(RESULTS).map_or(Ok(()), |results| job(Path::new(&results)))
}

/// Starts the child, by a program that limits it.
fn child(results: &Path, limit: &[&str]) -> Output {
    let this = env::current_exe().expect("the path of this test");
    let (first, rest) = limit.split_first().expect("a program");
    let mut command = Command::new(first);
    command.args(rest).arg(this).args(["--exact", "the_job_of_a_child", "--quiet", "--test-threads", "1"]);
    // Messages of the child go into pipes, which have no limit.
    command.env(RESULTS, results).stdin(Stdio::null()).output().expect("the program starts")
}

/// Checks a folder after a crash. Returns how many results are there.
fn check(results: &Path, case: &str) -> usize {
    let mut found = 0;
    for item in 0..ITEMS {
        if let Ok(text) = fs::read_to_string(results.join(format!("{item}.txt"))) {
            assert_eq!(text, content(item), "{case}: a result is half");
            found += 1;
        }
    }
    for report in job_reports(results) {
        assert_ne!(report.state, JobState::Running, "{case}: nobody runs any more");
        let listed = fs::read_to_string(report.folder.join("results.txt")).unwrap_or_default();
        // The last line may be cut off.
        let whole = listed.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        for done in whole.filter_map(|line| line.trim_end().strip_prefix("done\t")) {
            assert!(results.join(format!("{done}.txt")).exists(), "{case}: item {done} is done, and lost");
        }
        if report.state == JobState::Ended("finished".to_owned()) {
            assert_eq!(found, ITEMS, "{case}: finished, with a part missing");
        }
    }
    found
}

/// A run without limits goes on where the other one was killed, and has everything then.
fn complete(results: &Path, case: &str) {
    let finished = || {
        let ended = JobState::Ended("finished".to_owned());
        job_reports(results).iter().filter(|report| report.state == ended).count()
    };
    let before = finished();
    job(results).unwrap_or_else(|error| panic!("{case}: the next run cannot go on: {error}"));
    assert_eq!(check(results, case), ITEMS, "{case}");
    assert_eq!(finished(), before + 1, "{case}");
}

#[allow(clippy::print_stderr, reason = "a test says what it cannot try")]
fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        eprintln!("not tested: `{program}` is not installed");
    }
    found
}

#[test]
fn crash_01_killed_at_each_byte_of_its_writes_nothing_is_lost_and_nothing_half() {
    if !is_there("prlimit") {
        return;
    }
    let (mut killed, mut partly) = (0, 0);
    for bytes in 0.. {
        let folder = Folder::new();
        let (case, limit) = (format!("killed at byte {bytes}"), format!("--fsize={bytes}"));
        let ended = child(&folder.0, &["prlimit", &limit]);
        let found = check(&folder.0, &case);
        complete(&folder.0, &case);
        if ended.status.success() {
            break;
        }
        killed += 1;
        partly += usize::from(found > 0);
        assert!(bytes < 2000, "the child never succeeds: {ended:?}");
    }
    assert!(killed > 50, "{killed}");
    assert!(partly > 0, "some were killed in the middle");
}

#[test]
fn crash_02_each_write_that_fails_is_told_and_the_next_run_goes_on() {
    if !is_there("prlimit") {
        return;
    }
    let mut failed = 0;
    for bytes in 0.. {
        let folder = Folder::new();
        let case = format!("the disk fails at byte {bytes}");
        let script = format!("trap '' XFSZ; exec prlimit --fsize={bytes} \"$@\"");
        let ended = child(&folder.0, &["sh", "-c", &script, "sh"]);
        assert!(ended.status.code().is_some(), "{case}: it ends by itself: {ended:?}");
        let found = check(&folder.0, &case);
        // Whoever says that all is well has all results.
        assert!(!ended.status.success() || found == ITEMS, "{case}: it has succeeded, with {found} results");
        complete(&folder.0, &case);
        assert_eq!(names(&folder.0, ".part"), [""; 0], "{case}: temporary files are left");
        if ended.status.success() && bytes > 200 {
            break;
        }
        failed += usize::from(!ended.status.success());
        assert!(bytes < 2000, "the child never succeeds: {ended:?}");
    }
    assert!(failed > 20, "{failed}");
}

#[test]
#[allow(clippy::print_stderr, reason = "a test says what it cannot try")]
fn crash_03_killed_at_each_change_of_the_file_system_nothing_is_lost_and_nothing_half() {
    if !is_there("strace") {
        return;
    }
    let (mut kills, mut found_some) = (0, 0);
    for call in ["openat", "write", "fsync", "rename", "mkdir", "unlink", "ftruncate"] {
        for number in 1.. {
            let folder = Folder::new();
            let case = format!("killed at {call} {number}");
            let inject = format!("inject={call}:signal=KILL:when={number}");
            let trace = folder.join("trace");
            let trace = trace.to_str().expect("a name of this test");
            let ended = child(
                &folder.0,
                &["strace", "-f", "-o", trace, "-e", &format!("trace={call}"), "-e", &inject],
            );
            if ended.status.code().is_some_and(|code| code == 1) && kills == 0 {
                let told = String::from_utf8_lossy(&ended.stderr);
                if told.contains("ptrace") || told.contains("PTRACE") {
                    eprintln!("not tested: `strace` is not permitted here");
                    return;
                }
            }
            found_some += usize::from(check(&folder.0, &case) > 0);
            complete(&folder.0, &case);
            if ended.status.success() {
                break;
            }
            kills += 1;
            assert!(number < 300, "{case}: the child never succeeds: {ended:?}");
        }
    }
    assert!(kills > 20 && found_some > 5, "{kills} kills, {found_some} with results");
}
