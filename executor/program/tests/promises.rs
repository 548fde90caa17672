//! Sentences of the documentation that promise something of every case, where no other test holds them.
#![cfg(unix)]

mod common;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::{Folder, half_written, jobs, names, synth, terzetto};

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "no {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_second_ctrl_c_ends_a_run_at_once_that_still_waits_for_a_function() {
    let folder = Folder::new();
    let (images, out) = (folder.join("series"), folder.join("out"));
    synth(&images, 1, 1024);
    let mut child = terzetto()
        // So many windows take many seconds.
        .args(["piv", "--no-plots", "--quiet", "--window", "64", "--overlap", "0.95", "--out"])
        .args([&out, &images])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let interrupt = |pid: u32| {
        let sent = Command::new("kill").args(["-INT", &pid.to_string()]).status();
        assert!(sent.expect("`kill` exists").success());
    };
    let log_says = |word: &str, count: usize| {
        let log = |job: PathBuf| fs::read_to_string(job.join("log.txt")).unwrap_or_default();
        out.is_dir() && jobs(&out).into_iter().any(|job| log(job).matches(word).count() >= count)
    };
    wait_for("images", || log_says("read image took", 2));
    interrupt(child.id());
    wait_for("word of the first one in the log", || log_says("once more", 1));
    assert!(child.try_wait().expect("it is a child").is_none(), "it waits for the function");
    interrupt(child.id());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    // It had no time to say how it has ended, and nothing is half-written.
    assert_eq!(names(&jobs(&out)[0], "time_end.txt"), Vec::<String>::new());
    assert_eq!(half_written(&out), Vec::<String>::new());
}
