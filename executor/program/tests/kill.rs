//! A run is killed at any moment, again and again; `complete` always finishes it.
#![cfg(unix)]

mod common;

use std::{
    collections::HashMap,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use terzetto_program::results::parse_csv;

use common::{Folder, half_written, jobs, names, run, synth, tables, terzetto};

const KILLS: usize = 50;
const COUPLES: usize = 30;

/// xorshift: the moments must differ, and no more.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_micros(self.0 % 150_000)
    }
}

/// When each table was written that counts as done: a run may be killed before it could say so.
fn written(out: &Path) -> HashMap<String, SystemTime> {
    let time = |name: &String| std::fs::metadata(out.join(name)).and_then(|data| data.modified()).ok();
    let is_done = |name: &String| out.join("manifests").join(name.replace(".csv", ".toml")).exists();
    names(out, ".csv")
        .into_iter()
        .filter(is_done)
        .filter_map(|name| time(&name).map(|time| (name, time)))
        .collect()
}

#[test]
fn a_run_killed_at_random_moments_is_completed() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, COUPLES, 64);
    let mut moments = Moments(0x5eed_cafe);
    let (mut kills, mut rounds, mut in_the_middle) = (0, 0, 0);
    while kills < KILLS {
        rounds += 1;
        let out = folder.join(&format!("out{rounds}"));
        let command = || {
            let mut command = terzetto();
            command.arg("piv").arg(&images).arg("--out").arg(&out);
            command.args(["--complete", "--quiet", "--window", "16", "--workers", "2", "--no-plots"]);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let mut before = HashMap::new();
        loop {
            let mut child = command().spawn().expect("the program starts");
            thread::sleep(moments.next());
            child.kill().expect("it may be killed");
            let status = child.wait().expect("it ends");
            if !out.is_dir() {
                kills += usize::from(status.code().is_none());
                continue;
            }
            let now = written(&out);
            // What was there is kept and not computed again.
            for (name, time) in &before {
                assert_eq!(now.get(name), Some(time), "{name}");
            }
            for (name, text) in tables(&out) {
                let field = parse_csv(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(field.rows.len(), 49, "{name} is whole");
            }
            if status.code().is_some() {
                break;
            }
            kills += 1;
            in_the_middle += usize::from((1..COUPLES).contains(&now.len()));
            before = now;
            if kills == KILLS {
                break;
            }
        }
        assert_eq!(run(&mut command()).status, Some(0));
        assert_eq!(names(&out, ".csv").len(), COUPLES);
        assert_eq!(half_written(&out), Vec::<String>::new());
        // Of jobs of one second, the last one need not have the last name.
        assert!(jobs(&out).iter().any(|job| job.join("time_end.txt").exists()));
    }
    println!("{kills} kills in {rounds} series, {in_the_middle} of them with some couples done");
    assert!(in_the_middle > 5, "{in_the_middle}");
}

/// A short version of `.ci/kills`: writes fail beyond a size of file, or end the run (`SIGXFSZ`), and it is killed, too.
#[test]
fn kill_02_kills_among_failing_writes_lose_nothing_and_leave_nothing_half() {
    let folder = Folder::new();
    let (images, out, reference) = (folder.join("series"), folder.join("out"), folder.join("reference"));
    synth(&images, 12, 64);
    let command = |limit: usize, ignore: &str, out: &Path| {
        let mut command = Command::new("sh");
        let script = format!("ulimit -c 0; {ignore} ulimit -f {limit}; exec \"$0\" \"$@\"");
        command
            .args(["-c", &script])
            .arg(terzetto().get_program())
            .arg("piv")
            .arg(&images)
            .arg("--out")
            .arg(out);
        command.args([
            "--shard",
            "1/1",
            "--complete",
            "--quiet",
            "--window",
            "16",
            "--workers",
            "2",
            "--no-plots",
        ]);
        command
    };
    assert_eq!(run(&mut command(1_000_000, "", &reference)).status, Some(0));
    let results = |out: &Path| [names(out, ".csv"), names(out, ".nc")].concat();
    let (mut moments, mut before, mut failed) = (Moments(0x0bad_d15c), HashMap::new(), 0);
    for round in 0..12 {
        // In blocks of 512 bytes: a table has some ten of them, a NetCDF file more, a manifest two or three.
        let (limit, ignore) = (1 + 5 * (round / 2), if round % 2 == 0 { "trap '' XFSZ;" } else { "" });
        let mut command = command(limit, ignore, &out);
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
        thread::sleep(moments.next() * 2);
        child.kill().expect("it may be killed");
        let ended = child.wait_with_output().expect("it ends");
        let by_limit = ended.status.signal() == Some(25);
        failed += usize::from(by_limit || String::from_utf8_lossy(&ended.stderr).contains("File too large"));
        if !out.is_dir() {
            continue;
        }
        let now = written(&out);
        for (name, time) in &before {
            assert_eq!(now.get(name), Some(time), "{name} was done");
        }
        before = now;
        for name in results(&out) {
            let whole = |folder: &Path| std::fs::read(folder.join(&name)).expect("a result");
            assert_eq!(whole(&out), whole(&reference), "{name}, with files of {limit} blocks at most");
        }
    }
    assert!(failed > 1, "{failed} runs had writes that failed");
    assert_eq!(run(&mut command(1_000_000, "", &out)).status, Some(0));
    assert_eq!(results(&out), results(&reference));
    assert_eq!(half_written(&out), Vec::<String>::new());
}
