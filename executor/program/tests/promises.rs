//! Sentences of the documentation that promise something of every case, where no other test holds them.
#![cfg(unix)]

mod common;

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::{Folder, jobs, names, run, synth, terzetto};

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
    synth(&images, 3, 64);
    // Whoever reads this image waits for ever.
    let image = images.join("couple_0002b.png");
    fs::remove_file(&image).expect("the test's own folder");
    assert!(Command::new("mkfifo").arg(&image).status().expect("`mkfifo` exists").success());
    let mut child = terzetto()
        .args(["piv", "--no-plots", "--quiet", "--out"])
        .args([&out, &images])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let interrupt = |pid: u32| {
        let sent = Command::new("kill").args(["-INT", &pid.to_string()]).status();
        assert!(sent.expect("`kill` exists").success());
    };
    wait_for("results", || out.is_dir() && names(&out, ".csv").len() == 2);
    interrupt(child.id());
    let log = || {
        jobs(&out)
            .iter()
            .flat_map(|job| names(job, ".log").into_iter().map(|name| job.join(name)))
            .collect::<Vec<_>>()
    };
    wait_for("word of the first one in the log", || {
        log().iter().any(|log| fs::read_to_string(log).is_ok_and(|text| text.contains("once more")))
    });
    assert!(child.try_wait().expect("it is a child").is_none(), "it waits for the function");
    interrupt(child.id());
    let mut status = None;
    wait_for("end", || {
        status = child.try_wait().expect("it is a child");
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(130));
    // What is there is whole.
    assert_eq!(common::half_written(&out), Vec::<String>::new());
    fs::remove_file(&image).expect("it is still there");
    let ended =
        run(terzetto().args(["piv", "--no-plots", "--quiet", "--complete", "--out"]).args([&out, &images]));
    assert_ne!(ended.status, None, "{}", ended.err);
}
