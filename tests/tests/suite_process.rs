//! What trio's own tests of processes assert, where `process` does not: a process whose end nobody can tell.

use std::{env, process};
use terzetto::{
    Error, fail_after, nursery,
    process::{Command, open_process, run_process},
    testing::wait_all_tasks_blocked,
};

/// Says that this is the process in which SIGCHLD is ignored.
const IGNORED: &str = "TERZETTO_SIGCHLD_IGNORED";

async fn without_sigchld() -> Result<(), Error> {
    let process = open_process(Command::new("sleep").arg("3600")).await?;
    nursery(async |n| {
        n.start_soon(async {
            // Nobody knows how it has ended.
            assert!(process.wait().await?.success());
            Ok(())
        });
        wait_all_tasks_blocked(0.02).await?;
        assert_eq!(process.poll()?, None);
        Ok(process.kill()?)
    })
    .await?;
    assert!(process.poll()?.is_some_and(|status| status.success()));
    // It is gone for good: its number may be another's.
    process.kill()?;
    let done = run_process(Command::new("sh").args(["-c", "echo x; exit 3"]).capture_stdout()).await?;
    assert!(done.status.success() && done.stdout == b"x\n");
    Ok(())
}

#[test]
#[cfg(target_os = "linux")]
fn trio_subprocess_wait_reapable_fails() {
    const NAME: &str = "trio_subprocess_wait_reapable_fails";
    if env::var_os(IGNORED).is_some() {
        return terzetto::run(fail_after(30.0, without_sigchld())).unwrap();
    }
    // What is ignored is so across the start of another program.
    let again = process::Command::new("env")
        .args(["--ignore-signal=CHLD", &format!("{IGNORED}=1")])
        .arg(env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&again.stderr));
}
