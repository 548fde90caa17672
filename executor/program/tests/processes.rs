//! One series, several processes: the same results on each executor, parts, and what happens when a
//! process is killed.
#![cfg(unix)]

mod common;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use terzetto_program::results::parse_csv;

use common::{Ended, Folder, half_written, jobs, names, run, synth, tables, terzetto};

#[test]
fn each_executor_gives_the_same_results() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 6, 64);
    let compute = |executor: &str| {
        let out = folder.join(executor);
        let mut command = terzetto();
        command.arg("piv").arg(&images).arg("--out").arg(&out).args(["--executor", executor]);
        let ended = run(command.args(["--couples", "consecutive", "--window", "16", "--no-plots"]));
        assert_eq!(ended.status, Some(0), "{executor}: {}{}", ended.out, ended.err);
        assert!(ended.out.contains("11 of 11 couples done"), "{executor}: {}", ended.out);
        tables(&out)
    };
    let reference = compute("sequential");
    assert_eq!(reference.len(), 11);
    for executor in ["async", "async-sequential", "multi"] {
        assert!(compute(executor) == reference, "{executor} differs from sequential");
    }
}

#[test]
fn parts_of_a_series_meet_in_one_folder() {
    let folder = Folder::new();
    let (images, out) = (folder.join("series"), folder.join("out"));
    synth(&images, 7, 64);
    let piv = || {
        let mut command = terzetto();
        command.arg("piv").arg(&images).arg("--out").arg(&out).args(["--no-plots", "--complete"]);
        command
    };
    let first = run(piv().args(["--shard", "1/3"]));
    assert!(first.out.contains("2 of 2 couples done"), "{}{}", first.out, first.err);
    // As Slurm tells the third task of an array that begins at 10.
    let slurm = [("ID", "12"), ("MIN", "10"), ("MAX", "12"), ("COUNT", "3")];
    let third = run(piv().envs(slurm.map(|(name, value)| (format!("SLURM_ARRAY_TASK_{name}"), value))));
    assert!(third.out.contains("3 of 3 couples done"), "{}{}", third.out, third.err);
    assert_eq!(names(&out, ".csv").len(), 5);
    // Merging is completing.
    let rest = run(&mut piv());
    assert!(rest.out.contains("2 of 2 couples done"), "{}{}", rest.out, rest.err);
    assert_eq!(names(&out, ".csv").len(), 7);
    // Nor do parts scatter.
    let mut scattered = terzetto();
    scattered.arg("piv").arg(&images).arg("--out").arg(&out).args(["--saving", "new-dir"]);
    let ended = run(scattered.args(["--shard", "1/3"]));
    assert!(ended.status == Some(2) && ended.err.contains("a folder of its own"), "{}", ended.err);
    for bad in ["0/3", "4/3", "x", "1"] {
        assert_eq!(run(piv().args(["--shard", bad])).status, Some(2), "{bad}");
    }
}

fn kill(pid: u32, signal: &str) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(sent.expect("`kill` exists").success());
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let patience = Instant::now();
    while !condition() {
        assert!(patience.elapsed() < Duration::from_secs(60), "{what} did not happen");
        thread::sleep(Duration::from_millis(2));
    }
}

/// By two processes, each of which computes one couple at a time.
fn by_two(images: &Path, out: &Path) -> Command {
    let mut command = terzetto();
    command.arg("piv").arg(images).arg("--out").arg(out);
    command.args(["--executor", "multi", "--processes", "2", "--workers", "1", "--no-plots"]);
    command
}

/// A run of several processes that has some results already.
fn begun(images: &Path, out: &Path) -> Child {
    let mut command = by_two(images, out);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    wait_for("results of two processes", || {
        out.is_dir() && workers(out).len() == 2 && !names(out, ".csv").is_empty()
    });
    child
}

/// The processes whose locks are in the folder.
fn workers(out: &Path) -> Vec<u32> {
    let lock = |job: std::path::PathBuf| fs::read_to_string(job.join("is_running.lock")).ok();
    let pid = |text: String| text.lines().next()?.strip_prefix("pid = ")?.parse().ok();
    jobs(out).into_iter().filter_map(lock).filter_map(pid).collect()
}

#[test]
fn a_killed_process_is_reported_and_its_items_are_taken_over() {
    let folder = Folder::new();
    let (images, out) = (folder.join("series"), folder.join("out"));
    synth(&images, 40, 256);
    let child = begun(&images, &out);
    let victims = workers(&out);
    assert_eq!(victims.len(), 2, "two processes are at work");
    kill(victims[0], "-KILL");
    let ended: Ended = child.wait_with_output().expect("it ends").into();
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("was killed") && ended.err.contains("takes over"), "{}", ended.err);
    assert!(ended.out.contains("40 of 40 couples done"), "{}", ended.out);
    let tables = tables(&out);
    assert_eq!(tables.len(), 40);
    for (name, text) in tables {
        assert!(parse_csv(&text).is_ok_and(|field| !field.rows.is_empty()), "{name} is whole");
    }
    assert_eq!(half_written(&out), Vec::<String>::new());
}

#[test]
fn who_takes_over_does_not_take_old_results_for_new_ones() {
    let folder = Folder::new();
    let (images, out) = (folder.join("series"), folder.join("out"));
    // Enough, so that the second run lasts until somebody has looked, on a busy machine, too.
    synth(&images, 60, 256);
    let old = run(by_two(&images, &out).args(["--window", "64", "--format", "csv"]));
    assert_eq!(old.status, Some(0), "{}{}", old.out, old.err);
    let before = tables(&out);
    let mut again = by_two(&images, &out);
    again.args(["--saving", "recompute", "--window", "32", "--format", "csv"]);
    let child = again.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    wait_for("new results of two processes", || workers(&out).len() == 2 && tables(&out) != before);
    kill(workers(&out)[0], "-KILL");
    let ended: Ended = child.wait_with_output().expect("it ends").into();
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("takes over"), "{}", ended.err);
    assert!(ended.out.contains("60 of 60 couples done"), "{}", ended.out);
    let stale = tables(&out).into_iter().filter(|table| before.contains(table)).count();
    assert_eq!(stale, 0, "tables of the first run");
}

#[test]
fn with_stop_if_error_an_error_in_one_process_ends_all() {
    let folder = Folder::new();
    let (images, out) = (folder.join("series"), folder.join("out"));
    synth(&images, 60, 256);
    fs::write(images.join("couple_0001a.png"), "no image").expect("the test's own folder");
    let mut command = terzetto();
    command.arg("piv").arg(&images).arg("--out").arg(&out).args(["--executor", "multi", "--processes", "2"]);
    let ended = run(command.args(["--no-plots", "--workers", "1", "--queue-max", "1", "--stop-if-error"]));
    assert_eq!(ended.status, Some(1), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("ended by an error: "), "{}", ended.out);
    assert!(names(&out, ".csv").len() < 50, "{}", ended.out);
}

#[test]
fn signals_reach_every_process() {
    for (signal, status, word) in [("-INT", 130, "interrupted: "), ("-USR2", 1, "stopped: ")] {
        let folder = Folder::new();
        let (images, out) = (folder.join("series"), folder.join("out"));
        synth(&images, 60, 256);
        let child = begun(&images, &out);
        kill(child.id(), signal);
        let ended: Ended = child.wait_with_output().expect("it ends").into();
        assert_eq!(ended.status, Some(status), "{signal}: {}{}", ended.out, ended.err);
        assert!(ended.out.contains(word), "{signal}: {}", ended.out);
        assert!(names(&out, ".csv").len() < 60);
        assert_eq!(half_written(&out), Vec::<String>::new());
        assert_eq!(workers(&out), Vec::<u32>::new(), "no lock is left");
    }
}

#[test]
fn the_processes_end_with_their_supervisor() {
    let folder = Folder::new();
    let (images, out) = (folder.join("series"), folder.join("out"));
    synth(&images, 60, 256);
    let mut child = begun(&images, &out);
    assert_eq!(workers(&out).len(), 2);
    kill(child.id(), "-KILL");
    child.wait().expect("it ends");
    wait_for("the processes' end", || workers(&out).is_empty());
    assert!(names(&out, ".csv").len() < 60);
}
