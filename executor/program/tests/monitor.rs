//! `terzetto monitor`: for people, for programs, on a terminal.
#![cfg(unix)]

mod common;

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use common::{Folder, names, run, synth, terzetto};

/// A folder for results in which two of three parts were computed.
fn computed(folder: &Folder) -> std::path::PathBuf {
    let (images, out) = (folder.join("series"), folder.join("out"));
    synth(&images, 6, 64);
    std::fs::write(images.join("couple_0001a.png"), "no image").expect("the test's own folder");
    for part in ["1/3", "2/3"] {
        let mut command = terzetto();
        command.arg("piv").arg(&images).arg("--out").arg(&out).args([
            "--no-plots",
            "--complete",
            "--shard",
            part,
        ]);
        let ended = run(&mut command);
        assert!(ended.status.is_some_and(|status| status < 2), "{}{}", ended.out, ended.err);
    }
    out
}

fn monitor(out: &Path, args: &[&str]) -> String {
    let ended = run(terzetto().arg("monitor").arg(out).args(args));
    assert_eq!(ended.status, Some(0), "{}", ended.err);
    ended.out
}

#[test]
fn mon_01_json_has_jobs_works_and_the_total_of_the_parts() {
    let folder = Folder::new();
    let view: Value = serde_json::from_str(&monitor(&computed(&folder), &["--json"])).expect("JSON");
    let parts = &view["parts"];
    let numbers =
        ["count", "begun", "running", "done", "failed", "expected"].map(|name| parts[name].as_u64());
    assert_eq!(numbers, [3, 2, 0, 3, 1, 4].map(Some), "{parts}");
    let jobs = view["jobs"].as_array().expect("a list");
    assert_eq!(jobs.len(), 2);
    let first = jobs.iter().find(|job| job["part"] == "1/3").expect("part 1");
    assert_eq!(
        (&first["state"], &first["done"], &first["failed"]),
        (&"finished".into(), &1.into(), &1.into())
    );
    let works = first["works"].as_array().expect("a list");
    let read = works.iter().find(|work| work["name"] == "read image").expect("a work");
    assert_eq!(
        (&read["kind"], &read["calls"], &read["failed"]),
        (&"io".into(), &4.into(), &1.into()),
        "{read}"
    );
    assert!(read["mean"].as_f64().is_some_and(|mean| mean > 0.0) && first["bottleneck"].is_string());
}

#[test]
fn mon_02_numbers_for_prometheus_are_printed_and_served() {
    let folder = Folder::new();
    let out = computed(&folder);
    let printed = monitor(&out, &["--prometheus"]);
    let value = |name: &str, label: &str| {
        let line =
            printed.lines().find(|line| line.starts_with(&format!("{name}{{")) && line.contains(label));
        line.unwrap_or_else(|| panic!("{name} {label}: {printed}")).rsplit(' ').next().map(str::to_owned)
    };
    assert_eq!(value("terzetto_items_failed_total", "part=\"1/3\"").as_deref(), Some("1"));
    assert_eq!(value("terzetto_work_calls_total", "work=\"compute\"").as_deref(), Some("1"));
    // Every line is a comment, or a name with labels and a number.
    for line in printed.lines().filter(|line| !line.starts_with("# ")) {
        let (labels, number) = line.rsplit_once(' ').expect("a number");
        assert!(
            labels.starts_with("terzetto_") && labels.ends_with('}') && number.parse::<f64>().is_ok(),
            "{line}"
        );
    }
    // The port may be taken by somebody else in between; then another one is tried.
    let served = (0..5).any(|_| {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .expect("a port")
            .port();
        let address = format!("127.0.0.1:{port}");
        let mut server = terzetto();
        server
            .arg("monitor")
            .arg(&out)
            .args(["--listen", &address])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = server.spawn().expect("the program starts");
        let got = get(&address, &mut server);
        let _ = server.kill();
        server.wait().expect("it ends");
        got.is_some_and(|got| {
            assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.contains("version=0.0.4"), "{got}");
            assert_eq!(got.split_once("\r\n\r\n").map(|(_, body)| body.trim_end()), Some(printed.trim_end()));
            true
        })
    });
    assert!(served);
    let wrong = run(terzetto().arg("monitor").arg(&out).args(["--listen", "nowhere"]));
    assert!(wrong.status == Some(2) && wrong.err.contains("say HOST:PORT"), "{}", wrong.err);
}

/// What the server answers, or `None` if it has ended.
fn get(address: &str, server: &mut Child) -> Option<String> {
    let patience = Instant::now();
    while patience.elapsed() < Duration::from_secs(30) && server.try_wait().expect("a child").is_none() {
        if let Ok(mut stream) = TcpStream::connect(address) {
            let mut answer = String::new();
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n").ok()?;
            stream.read_to_string(&mut answer).ok()?;
            return Some(answer);
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

#[test]
fn mon_03_the_view_names_the_total_of_the_parts_and_what_holds_a_run_up() {
    let folder = Folder::new();
    let out = computed(&folder);
    let shown = monitor(&out, &["--once"]);
    assert!(shown.contains("parts: 2 of 3 have begun, 0 run: "), "{shown}");
    assert!(shown.contains(" 4/4, 1 failed"), "{shown}");
    let images = folder.join("long");
    synth(&images, 300, 256);
    let long = folder.join("long.out");
    let mut command = terzetto();
    command.arg("piv").arg(&images).arg("--out").arg(&long).args([
        "--workers",
        "1",
        "--no-plots",
        "--quiet",
        "--window",
        "16",
    ]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let patience = Instant::now();
    let mut shown = String::new();
    while !shown.contains("bottleneck: ") {
        assert!(patience.elapsed() < Duration::from_secs(60), "{shown}");
        assert!(child.try_wait().expect("a child").is_none(), "the run was too quick: {shown}");
        thread::sleep(Duration::from_millis(20));
        shown = if long.is_dir() { monitor(&long, &["--once"]) } else { String::new() };
    }
    assert!(shown.contains("running, process") && shown.contains(" ms a call"), "{shown}");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(names(&long, ".csv").len() < 300);
}

#[test]
fn mon_04_a_terminal_has_what_was_on_it_in_the_end() {
    let folder = Folder::new();
    let out = computed(&folder);
    // A terminal of four lines, made by `script`.
    let inner =
        format!("stty rows 4 cols 30; '{}' monitor '{}'", terzetto().get_program().display(), out.display());
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &inner, "/dev/null"]).stdin(Stdio::null());
    let Ok(output) = command.output() else { return };
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let (before, after) =
        shown.split_once("\x1b[?1049h").unwrap_or_else(|| panic!("a second screen: {shown:?}"));
    // The shell may say something about its locale.
    assert!(!before.contains('\x1b'), "{before:?}");
    let (live, last) =
        after.split_once("\x1b[?25h\x1b[?1049l").unwrap_or_else(|| panic!("left again: {shown:?}"));
    assert!(live.matches('\n').count() <= 3, "no line too many: {live:?}");
    assert!(live.contains("… and ") && live.contains(" more lines"), "{live:?}");
    assert!(last.contains("parts: 2 of 3 have begun"), "{last:?}");
}

#[test]
fn mon_05_a_gantt_chart_is_written_if_it_is_asked_for() {
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 3, 64);
    for (asked, written) in [(false, 0), (true, 3)] {
        let out = folder.join(if asked { "with" } else { "without" });
        let mut command = terzetto();
        command.arg("piv").arg(&images).arg("--out").arg(&out).args(["--no-plots", "--quiet"]);
        command.args(asked.then_some("--gantt"));
        assert_eq!(run(&mut command).status, Some(0));
        let job = &common::jobs(&out)[0];
        let charts: Vec<String> =
            names(job, "").into_iter().filter(|name| name.starts_with("gantt.")).collect();
        assert_eq!(charts.len(), written, "{charts:?}");
        if asked {
            let page = std::fs::read_to_string(job.join("gantt.html")).expect("the page");
            assert!(page.contains("read image") && page.contains("Bottleneck: "), "{page}");
        }
    }
}
