//! A disk that is full, on a small file system that the test mounts where only it sees it.
#![cfg(target_os = "linux")]

mod common;

use std::process::{Command, Stdio};

use common::{Folder, run, synth, terzetto};

/// May this process mount file systems that only it and its children see?
#[allow(clippy::print_stdout, reason = "a test says what it cannot try")]
fn may_mount() -> bool {
    let mut command = Command::new("unshare");
    command.args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::null());
    let may = command.status().is_ok_and(|status| status.success());
    if !may {
        // `executor/tests/giving_up.rs` has the same with errors that a work returns.
        println!("no file systems here (`unshare -m` is not permitted)");
    }
    may
}

#[test]
fn end_05_a_run_on_a_full_disk_stops_after_a_few_items_and_goes_on_when_there_is_room() {
    if !may_mount() {
        return;
    }
    let folder = Folder::new();
    let (images, out) = (folder.join("series"), folder.join("out"));
    synth(&images, 100, 64);
    std::fs::create_dir(&out).expect("the test's own folder");
    let piv = terzetto();
    let script = r#"
        mount -t tmpfs -o size=200k none "$2" || exit 77
        run() { "$0" piv "$1" --out "$2" --complete --no-plots --quiet --workers 2; }
        run "$1" "$2" >"$3.first" 2>&1; echo "status $?" >>"$3.first"
        ls "$2" >"$3.files"
        mount -o remount,size=100m "$2" || exit 77
        run "$1" "$2" >"$3.second" 2>&1; echo "status $?" >>"$3.second"
        find "$2" -name '.*.part' >"$3.parts"
    "#;
    let notes = folder.join("notes");
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script]).arg(piv.get_program()).args([&images, &out, &notes]);
    let ended = run(&mut command);
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let read =
        |ending: &str| std::fs::read_to_string(notes.with_extension(ending)).expect("the script wrote it");
    let first = read("first");
    assert!(first.contains("status 1"), "{first}");
    assert!(first.contains("ended by an error: "), "{first}");
    assert_eq!(first.matches("nothing can be written any more").count(), 1, "{first}");
    assert!(first.contains("--saving complete goes on"), "{first}");
    assert!(first.lines().count() < 20, "{first}");
    let done = read("files").lines().filter(|name| name.ends_with(".csv")).count();
    assert!((1..100).contains(&done), "{done} of 100");
    let second = read("second");
    assert!(second.contains("status 0") && second.contains("of them done before"), "{second}");
    assert_eq!(read("parts"), "");
}
