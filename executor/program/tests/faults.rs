//! System calls that fail at any moment, by `strace`: whatever is written is whole, nothing hangs or panics, and
//! `complete` finishes it.
#![cfg(target_os = "linux")]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use common::{Folder, half_written, names, run, synth, terzetto};

/// May this process look at the system calls of its children, and is there `strace`?
#[allow(clippy::print_stdout, reason = "a test says what it cannot try")]
fn may_inject() -> bool {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=rename:error=EIO", "true"]);
    let may = command.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !may {
        println!("no faults here (`strace` is missing or not permitted)");
    }
    may
}

/// A call, the error with which it fails, and when: each thread counts its own calls. `n` means once, `n+` from then
/// on, `n+3` each third time.
fn faults() -> Vec<String> {
    let mut faults = Vec::new();
    for error in ["EIO", "ENOSPC"] {
        for (call, moments) in [
            ("rename", &["1", "2", "3+", "1+2", "1+"][..]),
            ("fsync", &["1", "3+2", "2+"]),
            ("write", &["3", "5+", "4+3", "8"]),
            // Before, the program is being loaded.
            ("openat", &["45+", "50", "48+3"]),
            ("linkat", &["1+"]),
            ("mkdir", &["1+", "2+", "3"]),
            ("unlink", &["1+", "2"]),
        ] {
            faults.extend(moments.iter().map(|moment| format!("{call}:error={error}:when={moment}")));
        }
    }
    faults
}

fn results(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for name in [names(out, ".csv"), names(out, ".nc")].concat() {
        found.insert(name.clone(), fs::read(out.join(name)).expect("a result"));
    }
    found
}

#[test]
fn fault_01_whatever_fails_results_are_whole_and_complete_finishes_them() {
    if !may_inject() {
        return;
    }
    let folder = Folder::new();
    let images = folder.join("series");
    synth(&images, 3, 48);
    let words = |out: &PathBuf| {
        let mut words =
            vec!["piv".into(), images.clone().into_os_string(), "--out".into(), out.clone().into()];
        words.extend(
            ["--complete", "--no-plots", "--quiet", "--window", "16", "--shard", "1/1"].map(Into::into),
        );
        words
    };
    let complete = |out: &PathBuf| run(terzetto().args(words(out)));
    let reference = folder.join("reference");
    assert_eq!(complete(&reference).status, Some(0));
    let whole = results(&reference);
    assert_eq!(whole.len(), 6);
    let mut failed = 0;
    for (index, fault) in faults().iter().enumerate() {
        let out = folder.join(&format!("out{index}"));
        let call = fault.split(':').next().unwrap_or_default();
        let mut command = Command::new("timeout");
        // With it, loading the program takes many more calls.
        command.env_remove("LD_LIBRARY_PATH");
        command.args(["60", "strace", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        command.args(["-e", &format!("inject={fault}")]).arg(terzetto().get_program()).args(words(&out));
        let ended = run(&mut command);
        // 0: nothing that matters has failed; 1: some items; 2: nothing could run.
        assert!(matches!(ended.status, Some(0..=2)), "{fault}: {:?}{}{}", ended.status, ended.out, ended.err);
        assert!(!ended.err.contains("panicked"), "{fault}: {}", ended.err);
        failed += usize::from(ended.status != Some(0));
        // Where writing fails, so does the writing of the error.
        if ended.status != Some(0) && call != "write" {
            assert!(ended.err.contains("error"), "{fault}: it is told: {}{}", ended.out, ended.err);
        }
        if out.is_dir() {
            for (name, bytes) in results(&out) {
                assert!(whole.get(&name) == Some(&bytes), "{fault}: {name} is whole");
            }
        }
        let again = complete(&out);
        assert_eq!(again.status, Some(0), "{fault}: {}{}", again.out, again.err);
        assert!(results(&out) == whole, "{fault}");
        assert_eq!(half_written(&out), Vec::<String>::new(), "{fault}");
    }
    assert!(failed > 10, "{failed} of the faults had an effect");
}

#[test]
fn job_07_no_lock_of_the_file_system_is_used() {
    if !may_inject() {
        return;
    }
    let folder = Folder::new();
    let (images, out, calls) = (folder.join("series"), folder.join("out"), folder.join("calls"));
    synth(&images, 2, 48);
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=flock,fcntl,openat,rename,linkat", "-o"]).arg(&calls);
    command.arg(terzetto().get_program()).arg("piv").arg(&images).arg("--out").arg(&out);
    let ended = run(command.args(["--no-plots", "--quiet", "--shard", "1/1"]));
    assert_eq!(ended.status, Some(0), "{}{}", ended.out, ended.err);
    let calls = fs::read_to_string(calls).expect("strace wrote it");
    // Over NFS, these may be missing or wrong.
    for lock in ["flock(", "F_SETLK", "F_OFD_SETLK"] {
        assert!(!calls.contains(lock), "{lock}");
    }
    // These are what is relied on.
    let exclusive = |line: &&str| line.contains("is_running.lock") && line.contains("O_EXCL");
    assert_eq!(calls.lines().filter(exclusive).count(), 1, "{calls}");
    assert!(calls.lines().any(|line| line.contains("linkat(") && line.contains("parts.toml")), "{calls}");
    let renamed = |line: &&str| line.contains("rename(") && line.contains(".csv");
    assert_eq!(calls.lines().filter(renamed).count(), 2, "{calls}");
}
