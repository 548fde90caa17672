//! PROC-04: what Ctrl-C does to a process that the main task waits for. Signals are those of the whole
//! program, so these tests have one of their own, and run one at a time.

use signal_hook::{consts::SIGINT, low_level};
use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use terzetto::{
    Error, fail_after,
    fs::TempDir,
    process::{Command, run_process},
    sleep,
};

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a shell script and presses Ctrl-C, so many times, once the script has made the file `ready`.
/// Returns how the run ended, and whether the script made the file `asked` when it got SIGTERM.
fn press(times: usize, script: &str) -> (Result<(), Error>, bool) {
    let dir = terzetto::run(async { Ok(TempDir::new().await?.keep()) }).unwrap();
    let ready = dir.join("ready").into_std();
    let presses = thread::spawn(move || {
        while !ready.exists() {
            thread::sleep(Duration::from_millis(5));
        }
        for _ in 0..times {
            low_level::raise(SIGINT).unwrap();
            thread::sleep(Duration::from_millis(300));
        }
    });
    let outcome = terzetto::run(async {
        run_process(Command::new("sh").arg("-c").arg(script).current_dir(&dir)).await.map(drop)
    });
    presses.join().unwrap();
    let asked = dir.join("asked").as_std().exists();
    let pid = std::fs::read_to_string(dir.join("ready")).unwrap();
    terzetto::run(fail_after(30.0, async {
        while Path::new("/proc").join(pid.trim()).exists() {
            sleep(0.01).await?;
        }
        Ok(dir.remove_dir_all().await?)
    }))
    .unwrap();
    (outcome, asked)
}

#[test]
fn proc_04_ctrl_c_asks_the_process_to_end_and_waits() {
    let _alone = alone();
    let script = "trap 'echo > asked; exit' TERM; echo $$ > ready; while :; do sleep 0.01; done";
    let (outcome, asked) = press(1, script);
    assert!(outcome.unwrap_err().is_interrupted() && asked);
}

#[test]
fn proc_04_the_second_ctrl_c_kills() {
    let _alone = alone();
    let start = Instant::now();
    let script = "trap 'echo > asked' TERM; echo $$ > ready; while :; do sleep 0.01; done";
    let (outcome, asked) = press(2, script);
    assert!(outcome.unwrap_err().is_interrupted() && asked);
    assert!(start.elapsed() < Duration::from_secs(4), "it did not wait for the five seconds to pass");
}
