//! PROC-06: what does not start, and what is dropped.

use super::*;
use std::{cell::Cell, io::ErrorKind};
use terzetto::{
    nursery,
    process::{StartError, Stdio, open_process, run_process, supervise},
};

#[test]
fn proc_06_a_missing_program_is_named() {
    terzetto::run(async {
        for name in ["terzetto-no-such-program", "/no/such/program"] {
            let error = run_process(Command::new(name)).await.unwrap_err();
            let start = error.downcast_ref::<StartError>().unwrap();
            assert_eq!((start.program(), start.io_error().kind()), (name.as_ref(), ErrorKind::NotFound));
            assert!(error.to_string().contains(name));
        }
        let error = open_process(Command::new("/etc")).await.unwrap_err();
        assert_eq!(
            error.downcast_ref::<StartError>().unwrap().io_error().kind(),
            ErrorKind::PermissionDenied
        );
        // The system's words are the same when it is the directory that is missing.
        let error = run_process(Command::new("true").current_dir("/no/such/dir")).await.unwrap_err();
        assert!(error.to_string().contains("/no/such/dir"), "{error}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_06_bad_arguments_are_named() {
    let good = || Command::new("true");
    let bad = [
        (Command::new(""), "name is empty"),
        (Command::new("tr\0ue"), "zero byte"),
        (good().arg("fine").arg("b\0d"), "argument 2"),
        (good().env("", "x"), "environment variable"),
        (good().env("A=B", "x"), "A=B"),
        (good().env("A", "x\0"), r#""A""#),
        (good().current_dir("a\0"), "working directory"),
        (good().stdin(Stdio::Null).input("x"), "`stdin`"),
        (good().stdout(Stdio::Null).capture_stdout(), "`stdout`"),
        (good().stderr(Stdio::Null).capture_stderr(), "`stderr`"),
        (good().stderr(Stdio::Null).stderr_to_stdout(), "`stderr_to_stdout`"),
        (good().stdout(Stdio::Piped), "`supervise`"),
        (good().stdin(Stdio::Piped), "`supervise`"),
    ];
    terzetto::run(async {
        for (command, word) in bad {
            let error = run_process(command).await.unwrap_err();
            let start = error.downcast_ref::<StartError>().unwrap();
            assert_eq!(start.io_error().kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(word), "{error}: {word}");
        }
        let error = open_process(good().capture_stdout()).await.unwrap_err();
        assert!(error.to_string().contains("`run_process`"), "{error}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_06_a_dropped_process_is_killed_and_reaped_unless_detached() {
    terzetto::run(async {
        let process = open_process(Command::new("sleep").arg("600")).await?;
        let pid = process.pid();
        drop(process);
        until_gone(pid).await?;

        // So is one whose future is dropped: at any moment of a supervised run.
        let pid = Cell::new(0);
        let running = nursery(async |n| {
            let process = n.start(|status| supervise(Command::new("sleep").arg("600"), status)).await?;
            pid.set(process.pid());
            process.wait().await.map(drop)
        });
        let mut running = Box::pin(running);
        let until_started = std::future::poll_fn(|cx| match running.as_mut().poll(cx) {
            std::task::Poll::Pending if pid.get() == 0 => std::task::Poll::Pending,
            _ => std::task::Poll::Ready(()),
        });
        until_started.await;
        drop(running);
        until_gone(pid.get()).await?;

        let process = open_process(Command::new("sleep").arg("0.3")).await?;
        let pid = process.pid();
        process.detach();
        sleep(0.1).await?;
        assert!(exists(pid), "it goes on");
        until_gone(pid).await
    })
    .unwrap();
}
