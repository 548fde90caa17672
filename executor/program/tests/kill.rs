//! A run is killed at any moment, again and again; `complete` always finishes it.
#![cfg(unix)]

mod common;

use std::{
    collections::HashMap,
    path::Path,
    process::Stdio,
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
