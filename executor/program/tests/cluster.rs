//! A series in parts, as clusters start them: which part a task takes, tasks that are submitted again, two machines.
#![cfg(unix)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::{CLUSTER_VARIABLES, Ended, Folder, jobs, names, run, synth, terzetto};

/// A series of couples, and its folder for results.
struct Series {
    _folder: Folder,
    images: PathBuf,
    out: PathBuf,
}

impl Series {
    fn new(couples: usize, size: usize) -> Series {
        let folder = Folder::new();
        let (images, out) = (folder.join("series"), folder.join("out"));
        synth(&images, couples, size);
        Series { _folder: folder, images, out }
    }

    fn command(&self) -> Command {
        let mut command = terzetto();
        command.arg("piv").arg(&self.images).arg("--out").arg(&self.out).args(["--no-plots", "--complete"]);
        command
    }

    fn task(&self, variables: &[(&str, &str)], args: &[&str]) -> Ended {
        run(self.command().envs(variables.iter().copied()).args(args))
    }

    fn tables(&self) -> usize {
        names(&self.out, ".csv").len()
    }
}

fn slurm(
    id: &'static str,
    min: &'static str,
    max: &'static str,
    count: &'static str,
) -> [(&'static str, &'static str); 4] {
    [
        ("SLURM_ARRAY_TASK_ID", id),
        ("SLURM_ARRAY_TASK_MIN", min),
        ("SLURM_ARRAY_TASK_MAX", max),
        ("SLURM_ARRAY_TASK_COUNT", count),
    ]
}

#[test]
fn part_01_each_kind_of_task_takes_its_part() {
    let series = Series::new(4, 64);
    type Variables<'a> = &'a [(&'a str, &'a str)];
    let tasks: [(Variables<'_>, &[&str]); 4] = [
        (&slurm("1", "1", "4", "4"), &[]),
        (&[("SLURM_PROCID", "1"), ("SLURM_STEP_NUM_TASKS", "4")], &[]),
        (&[("PBS_ARRAY_INDEX", "3")], &["--parts", "4"]),
        (&[("JOB_COMPLETION_INDEX", "3")], &["--parts", "4"]),
    ];
    for (done, (variables, args)) in tasks.into_iter().enumerate() {
        let ended = series.task(variables, args);
        assert_eq!(ended.status, Some(0), "{variables:?}: {}{}", ended.out, ended.err);
        assert!(ended.out.contains("1 of 1 couples done"), "{variables:?}: {}", ended.out);
        assert_eq!(series.tables(), done + 1, "{variables:?}");
    }
}

#[test]
fn part_02_a_task_that_does_not_know_its_number_says_so_and_takes_all() {
    let series = Series::new(2, 64);
    let ended = series.task(&[("PBS_ARRAY_INDEX", "3")], &[]);
    assert!(ended.err.contains("task 3 of a PBS array"), "{}", ended.err);
    assert!(ended.err.contains("takes the whole series. Say --parts"), "{}", ended.err);
    assert!(ended.out.contains("2 of 2 couples done"), "{}", ended.out);
    let ended = series.task(&[("PBS_ARRAY_INDEX", "3")], &["--parts", "1"]);
    assert_eq!((ended.status, &*ended.err), (Some(0), ""));
    // Nothing tells which part.
    let ended = series.task(&[], &["--parts", "4"]);
    assert!(ended.status == Some(2) && ended.err.contains("say --shard 3/16"), "{}", ended.err);
}

#[test]
fn part_03_tasks_that_are_submitted_again_compute_the_same_parts() {
    let series = Series::new(8, 64);
    let first = series.task(&slurm("1", "1", "8", "8"), &[]);
    assert_eq!(first.status, Some(0), "{}{}", first.out, first.err);
    // --array=3,7; --array=2-3; --array=5: each tells another number of tasks.
    for (task, reason) in [
        (slurm("3", "3", "7", "2"), "have gaps"),
        (slurm("2", "2", "3", "2"), "there were 8 parts, and now 2"),
        (slurm("5", "5", "5", "1"), "there were 8 parts, and now 1"),
    ] {
        let refused = series.task(&task, &[]);
        assert!(refused.status == Some(2) && refused.err.contains(reason), "{}", refused.err);
        assert!(refused.err.contains("--parts"), "{}", refused.err);
        let again = series.task(&task, &["--parts", "8"]);
        assert!(again.out.contains("1 of 1 couples done"), "{}{}", again.out, again.err);
    }
    let names = names(&series.out, ".csv");
    assert_eq!(names.len(), 4);
    for part in [1, 2, 3, 5] {
        assert!(names.iter().any(|name| name.contains(&format!("{part}"))), "{part}: {names:?}");
    }
    // The whole series, in the end, is no part.
    let rest = series.task(&[], &[]);
    assert!(rest.out.contains("4 of 4 couples done"), "{}{}", rest.out, rest.err);
}

#[test]
fn part_04_a_series_that_has_grown_cannot_be_split_as_before() {
    let series = Series::new(4, 64);
    let first = series.task(&[], &["--shard", "1/2"]);
    assert_eq!(first.status, Some(0), "{}{}", first.out, first.err);
    for end in ["a", "b"] {
        let (old, new) = (format!("couple_0001{end}.png"), format!("couple_0005{end}.png"));
        fs::copy(series.images.join(old), series.images.join(new)).expect("the test's own folder");
    }
    for dry in [&["--shard", "2/2", "--dry-run"][..], &["--shard", "2/2"]] {
        let second = series.task(&[], dry);
        let reason = "there were 4 items in the series, and now 5";
        assert!(second.status == Some(2) && second.err.contains(reason), "{}", second.err);
    }
}

#[test]
fn part_05_the_manifest_for_kubernetes_starts_every_part_of_a_series() {
    let manifest = include_str!("../docs/kubernetes.yaml");
    let value = |name: &str| {
        let line = manifest.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name}")).trim().to_owned()
    };
    let count: usize = value("completions:").parse().expect("a number");
    assert_eq!(value("completionMode:"), "Indexed");
    let command = value("command:");
    let words = command.trim_matches(['[', ']']).split(", ").map(|word| word.trim_matches('"'));
    let series = Series::new(count, 32);
    let (images, out) = (series.images.display().to_string(), series.out.display().to_string());
    // The same words, with the folders of this test and less to do.
    let words: Vec<String> = words
        .map(|word| match word {
            "/data/series" => images.clone(),
            "/data/series.piv" => out.clone(),
            word => word.to_owned(),
        })
        .collect();
    assert_eq!(&words[..2], ["terzetto", "piv"]);
    for index in [0, count - 1, 7] {
        let mut pod = terzetto();
        pod.args(&words[1..])
            .args(["--no-plots", "--window", "16"])
            .env("JOB_COMPLETION_INDEX", index.to_string());
        let ended = run(&mut pod);
        assert!(ended.out.contains("1 of 1 couples done"), "{index}: {}{}", ended.out, ended.err);
        assert!(ended.out.contains(&format!("part {}/{count}", index + 1)), "{index}: {}", ended.out);
    }
    assert_eq!(series.tables(), 3);
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let patience = Instant::now();
    while !condition() {
        assert!(patience.elapsed() < Duration::from_secs(60), "{what} did not happen");
        thread::sleep(Duration::from_millis(5));
    }
}

/// May this process give itself a host name, which only it and its children see?
#[allow(clippy::print_stdout, reason = "a test says what it cannot try")]
fn may_have_host_names() -> bool {
    let status = Command::new("unshare").args(["-u", "hostname", "test"]).stderr(Stdio::null()).status();
    let may = status.is_ok_and(|status| status.success());
    if !may {
        // `executor/tests/lease.rs` has the same with locks that were written by hand.
        println!("no host names here (`unshare -u` is not permitted)");
    }
    may
}

/// The same command on a machine of another name.
fn on_host(host: &str, command: &Command) -> Command {
    let mut there = Command::new("unshare");
    there.args(["-u", "sh", "-c", "hostname \"$0\" && exec \"$@\"", host]);
    there.arg(command.get_program()).args(command.get_args());
    for name in CLUSTER_VARIABLES {
        there.env_remove(name);
    }
    there
}

fn locks(out: &Path) -> Vec<String> {
    let read = |job: PathBuf| fs::read_to_string(job.join("is_running.lock")).ok();
    if out.is_dir() { jobs(out).into_iter().filter_map(read).collect() } else { Vec::new() }
}

/// A run on another machine that has begun, and would take long.
fn begun_on(host: &str, series: &Series, lease: &str, variables: &[(&str, &str)]) -> Child {
    let mut command = series.command();
    command.args(["--lease", lease, "--workers", "1", "--queue-max", "1"]);
    let mut command = on_host(host, &command);
    command.envs(variables.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().expect("unshare");
    wait_for("the start of a run", || locks(&series.out).iter().any(|lock| lock.contains(host)));
    child
}

#[test]
fn job_05_a_run_of_another_machine_keeps_the_folder_until_its_lease_ends() {
    if !may_have_host_names() {
        return;
    }
    let series = Series::new(100, 256);
    let mut first = begun_on("node-a", &series, "3", &[]);
    let second = || run(&mut on_host("node-b", &series.command()));
    let refused = second();
    assert_eq!(refused.status, Some(2), "{}", refused.err);
    for part in ["on `node-a`", "the folder is free in", "remove"] {
        assert!(refused.err.contains(part), "{}", refused.err);
    }
    first.kill().expect("it runs");
    first.wait().expect("it ends");
    // Nobody can know yet that it has ended.
    assert_eq!(second().status, Some(2));
    let killed = Instant::now();
    wait_for("the end of the lease", || second().status == Some(0));
    assert!(killed.elapsed() > Duration::from_secs(1), "{:?}", killed.elapsed());
    assert_eq!(series.tables(), 100);
}

#[test]
fn job_06_a_requeued_task_takes_its_part_over_at_once() {
    if !may_have_host_names() {
        return;
    }
    let series = Series::new(100, 256);
    let mut task = slurm("1", "1", "2", "2").to_vec();
    task.push(("SLURM_ARRAY_JOB_ID", "4711"));
    let mut first = begun_on("node-a", &series, "600", &task);
    first.kill().expect("it runs");
    first.wait().expect("it ends");
    // Another job with the same part waits for the lease.
    let mut other = task.clone();
    other[4].1 = "4712";
    let refused = run(on_host("node-b", &series.command()).envs(other));
    assert!(
        refused.status == Some(2) && refused.err.contains("on `node-a`, task slurm 4711_1"),
        "{}",
        refused.err
    );
    let requeued = run(on_host("node-b", &series.command()).envs(task.iter().copied()));
    assert_eq!(requeued.status, Some(0), "{}{}", requeued.out, requeued.err);
}

fn kill(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.expect("`kill` exists").success());
}

#[test]
fn sig_01_a_hangup_ends_a_run_cleanly_unless_it_is_ignored() {
    let series = Series::new(60, 256);
    let begin = |nohup: &str| {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{nohup} exec \"$0\" \"$@\""));
        command
            .arg(series.command().get_program())
            .args(series.command().get_args())
            .args(["--workers", "1"]);
        for name in CLUSTER_VARIABLES {
            command.env_remove(name);
        }
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sh");
        wait_for("the first result", || !locks(&series.out).is_empty() && series.tables() > 0);
        child
    };
    // The test itself may have been started with the signal ignored.
    if !hangup_is_ignored() {
        let child = begin("");
        kill(&child, "-HUP");
        let ended: Ended = child.wait_with_output().expect("it ends").into();
        assert_eq!(ended.status, Some(129), "{}{}", ended.out, ended.err);
        assert!(ended.out.contains("interrupted: "), "{}", ended.out);
        assert!(series.tables() < 60 && locks(&series.out).is_empty());
    }
    let child = begin("trap '' HUP;");
    kill(&child, "-HUP");
    let ended: Ended = child.wait_with_output().expect("it ends").into();
    assert_eq!((ended.status, series.tables()), (Some(0), 60), "{}{}", ended.out, ended.err);
}

fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
