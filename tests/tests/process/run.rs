//! PROC-01: a program as a function call.

use super::*;
use std::{os::unix::process::ExitStatusExt, process::ExitStatus};
use terzetto::{
    CancelScope,
    process::{ProcessFailed, Stdio, open_process, run_process},
    testing::assert_checkpoints,
};

#[test]
fn proc_01_run_process_returns_the_status_and_what_was_captured() {
    terzetto::run(async {
        let done = run_process(sh("echo out; echo err >&2").capture_stdout().capture_stderr()).await?;
        assert_eq!((&*done.stdout, &*done.stderr), (&b"out\n"[..], &b"err\n"[..]));
        assert!(done.status.success());

        let done = run_process(sh("echo a; echo b >&2; echo c").capture_stdout().stderr_to_stdout()).await?;
        assert_eq!(done.stdout, b"a\nb\nc\n", "in the order of writing");

        let done = run_process(sh("echo gone").stdout(Stdio::Null).stderr_to_stdout()).await?;
        assert_eq!(done.stdout, b"");

        let done = run_process(sh("exit 3").check(false)).await?;
        assert_eq!(done.status.code(), Some(3));
        let done = run_process(sh("kill -9 $$").check(false)).await?;
        assert_eq!((done.status.code(), done.status.signal()), (None, Some(SIGKILL)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_01_a_failure_is_an_error_with_both_outputs() {
    terzetto::run(async {
        let command = sh("echo partial; echo 'no such queue' >&2; exit 7");
        let error = run_process(command.capture_stdout().capture_stderr()).await.unwrap_err();
        let failed = error.downcast_ref::<ProcessFailed>().unwrap();
        assert_eq!(failed.status(), ExitStatus::from_raw(7 << 8));
        assert_eq!((failed.stdout(), failed.stderr()), (&b"partial\n"[..], &b"no such queue\n"[..]));
        let text = error.to_string();
        assert!(text.starts_with(r#""sh" "-c""#) && text.contains("exit status: 7"), "{text}");
        assert!(text.contains("partial") && text.contains("no such queue"), "{text}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_01_input_is_fed_and_need_not_be_read() {
    terzetto::run(async {
        // More than a pipe holds, through a filter, in both directions at once.
        let input: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let done = run_process(Command::new("cat").input(&input).capture_stdout()).await?;
        assert!(done.stdout == input);
        run_process(Command::new("true").input(&input)).await?;
        // By default there is no input: `cat` ends at once.
        let done = run_process(Command::new("cat").capture_stdout()).await?;
        assert_eq!(done.stdout, b"");
        // An input from a file.
        let file = std::fs::File::open("/proc/self/status").or_else(|_| std::fs::File::open("Cargo.toml"))?;
        let done = run_process(Command::new("cat").stdin(file).capture_stdout()).await?;
        assert!(!done.stdout.is_empty());
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_01_the_childs_surroundings() {
    terzetto::run(async {
        let show = "echo $A-$B-${HOME-none}; pwd; echo \"$1\"";
        let command = sh(show).args(["zero", "one two"]).env_clear().env("A", "1").envs([("B", "2")]);
        let done = run_process(command.current_dir("/").capture_stdout()).await?;
        assert_eq!(String::from_utf8(done.stdout)?, "1-2-none\n/\none two\n");
        let done = run_process(sh("echo ${C-none}").env("C", "3").env_remove("C").capture_stdout()).await?;
        assert_eq!(done.stdout, b"none\n");
        // What only the standard library's command can set.
        let mut std = std::process::Command::new("sh");
        std.args(["-c", "echo $D"]).env("D", "4");
        let done = run_process(Command::from_std(std).capture_stdout()).await?;
        assert_eq!(done.stdout, b"4\n");
        // A group of its own.
        let process = open_process(Command::new("sleep").arg("600").process_group(0)).await?;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.pid()))?;
        let group = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(2)).unwrap();
        assert_eq!(group, process.pid().to_string());
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_01_running_is_a_checkpoint() {
    terzetto::run(async {
        assert_checkpoints(run_process(Command::new("true"))).await?;
        let scope = CancelScope::new();
        scope.cancel();
        // In a cancelled region nothing is started.
        let dir = std::env::temp_dir().join(format!("terzetto-never-{}", std::process::id()));
        scope.run(async { run_process(Command::new("mkdir").arg(&dir)).await }).await?;
        assert!(scope.cancelled_caught() && !dir.exists());
        Ok(())
    })
    .unwrap();
}
