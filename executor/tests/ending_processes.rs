//! Processes that are to end and do not: interrupted, terminated, killed, each after a grace period.
//!
//! These tests hold when SIGINT is ignored from the start, too, as under `nohup`: a shell cannot trap it then.
#![cfg(unix)]

mod common;

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use terzetto_executor::processes::Processes;

use common::Folder;

/// Half a minute and more: not for ever, so that a process nobody ends fails its test and does not hang it.
const LONG: &str = "n=0; while [ $n -lt 3000 ]; do sleep 0.01; n=$((n+1)); done";

/// So long a process that is ended takes at most.
const SHORT: Duration = Duration::from_secs(25);

/// Long enough for a shell to begin, on a busy machine, too.
const BEGUN: f64 = 20.0;

fn shell(script: String, grace: Duration) -> Processes {
    let mut processes = Processes::new(1, move |_| {
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        command
    });
    processes.grace(grace);
    processes
}

/// Runs the processes in a scope that is cancelled when the file `begun` is there.
fn cancelled(processes: Processes, begun: &Path) {
    let start = Instant::now();
    let ended = terzetto::run(terzetto::fail_after(60.0, async {
        let scope = terzetto::CancelScope::new();
        let scope_ = &scope;
        terzetto::nursery(async |nursery| {
            nursery.start_soon(async move {
                while !begun.exists() {
                    assert!(start.elapsed().as_secs_f64() < BEGUN, "the process did not begin");
                    terzetto::sleep(0.005).await?;
                }
                scope_.cancel();
                Ok(())
            });
            scope_.run(processes.run()).await
        })
        .await
    }));
    assert!(ended.expect("no error").is_none(), "the scope was cancelled");
    assert!(start.elapsed() < SHORT, "the process ended by itself");
}

/// Is SIGINT ignored in this process, and so in those that it starts?
fn interruption_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 2 != 0)
}

#[test]
fn a_scope_around_the_run_interrupts_the_processes_and_waits_for_them() {
    let folder = Folder::new();
    let (begun, mark) = (folder.join("begun"), folder.join("ended"));
    let script = format!(
        "trap 'echo INT >{mark}; exit 130' INT; trap 'echo TERM >{mark}; exit 130' TERM; touch {begun}; \
         {LONG}",
        mark = mark.display(),
        begun = begun.display()
    );
    let ignored = interruption_is_ignored();
    let grace = Duration::from_millis(if ignored { 100 } else { 30_000 });
    cancelled(shell(script, grace), &begun);
    let told = fs::read_to_string(&mark).expect("the process has ended by itself");
    assert_eq!(told.trim(), if ignored { "TERM" } else { "INT" });
}

#[test]
fn processes_that_ignore_the_interruption_are_terminated() {
    let folder = Folder::new();
    let (begun, mark) = (folder.join("begun"), folder.join("ended"));
    let script = format!(
        "trap '' INT; trap 'touch {}; exit 130' TERM; touch {}; {LONG}",
        mark.display(),
        begun.display()
    );
    cancelled(shell(script, Duration::from_millis(100)), &begun);
    assert!(mark.exists());
}

#[test]
fn processes_that_ignore_everything_are_killed() {
    let folder = Folder::new();
    let begun = folder.join("begun");
    let script = format!("trap '' INT TERM; touch {}; {LONG}", begun.display());
    cancelled(shell(script, Duration::from_millis(100)), &begun);
}

#[test]
fn a_control_that_cancels_kills_in_the_end_too() {
    let folder = Folder::new();
    let begun = folder.join("begun");
    let script = format!("trap '' INT TERM; touch {}; {LONG}", begun.display());
    let processes = shell(script, Duration::from_millis(100));
    let (control, start) = (processes.control(), Instant::now());
    let outcome = terzetto::run(terzetto::fail_after(60.0, async {
        terzetto::nursery(async |nursery| {
            nursery.start_soon(async move {
                while !begun.exists() {
                    terzetto::sleep(0.005).await?;
                }
                control.cancel();
                Ok(())
            });
            processes.run().await
        })
        .await
    }));
    let outcome = outcome.expect("it ends");
    assert!(start.elapsed() < SHORT, "the process ended by itself");
    assert_eq!((outcome.done, outcome.deaths), (0, 0), "a process that was told to end has not died");
}

/// What a process has started may outlive it and hold its output open: that must not hold up the run.
#[test]
fn a_process_is_not_waited_for_once_it_has_ended() {
    let folder = Folder::new();
    let pid = folder.join("pid");
    let script = format!("printf 'expected\\t1\\ndone\\ta\\n'; sleep 300 & echo $! >{}", pid.display());
    let processes = shell(script, Duration::from_millis(100));
    let outcome = terzetto::run(terzetto::fail_after(60.0, processes.run())).expect("it ends");
    assert_eq!((outcome.done, outcome.given_up.len()), (1, 0));
    let sleeper = fs::read_to_string(pid).expect("the sleeper's number");
    let ended = Command::new("kill").arg(sleeper.trim()).status();
    assert!(ended.expect("`kill` exists").success());
}

#[test]
fn a_process_that_ends_without_a_word_is_given_up() {
    for (script, why) in [
        ("exit 0", "ended without a word about what it had to compute"),
        (
            "printf 'expected\\t3\\ndone\\ta\\n'",
            "ended before everything was computed: 2 of 3 items are missing",
        ),
    ] {
        let processes = shell(script.to_owned(), Duration::from_secs(10));
        let outcome = terzetto::run(terzetto::fail_after(60.0, processes.run())).expect("it ends");
        assert_eq!(outcome.given_up.first().map(|(_, why)| why.as_str()), Some(why));
    }
}
