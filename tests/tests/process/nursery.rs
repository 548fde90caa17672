//! PROC-05: a process as a task.

use super::*;
use std::{
    os::unix::process::ExitStatusExt,
    time::{Duration, Instant},
};
use terzetto::{
    io::SendStream,
    nursery,
    process::{ProcessFailed, StartError, Stdio, supervise},
};

#[test]
fn proc_05_start_hands_over_the_process() {
    terzetto::run(async {
        nursery(async |n| {
            let command = Command::new("cat").stdin(Stdio::Piped).stdout(Stdio::Piped);
            let mut process = n.start(|status| supervise(command, status)).await?;
            process.stdin.as_ref().unwrap().send_all(b"hello").await?;
            drop(process.stdin.take());
            assert_eq!(read_to_end(process.stdout.as_ref().unwrap()).await?, b"hello");
            assert!(process.wait().await?.success());
            Ok(())
        })
        .await?;
        // Where the input is given and the output captured there are no streams.
        nursery(async |n| {
            let command = Command::new("cat").input("x").capture_stdout();
            let process = n.start(|status| supervise(command, status)).await?;
            assert!(process.stdin.is_none() && process.stdout.is_none());
            Ok(())
        })
        .await?;
        // Who drops the handle does not end the process.
        let start = Instant::now();
        nursery(async |n| {
            drop(n.start(|status| supervise(Command::new("sleep").arg("0.2"), status)).await?);
            Ok(())
        })
        .await?;
        assert!(start.elapsed() >= Duration::from_millis(200));
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_05_a_failure_in_the_background_ends_the_nursery() {
    terzetto::run(async {
        let outcome = fail_after(60.0, async {
            nursery(async |n| {
                let command = sh("echo 'out of paper' >&2; exit 4").capture_stderr();
                n.start(|status| supervise(command, status)).await?;
                Ok(sleep(600.0).await?)
            })
            .await
        });
        let error = outcome.await.unwrap_err();
        let failed = error.find::<ProcessFailed>().unwrap();
        assert_eq!((failed.status().code(), failed.stderr()), (Some(4), &b"out of paper\n"[..]));
        // What cannot be started fails where it is asked for, and the nursery is not cancelled.
        nursery(async |n| {
            let outcome = n.start(|status| supervise(Command::new("/no/such/program"), status)).await;
            assert!(outcome.unwrap_err().downcast_ref::<StartError>().is_some());
            Ok(sleep(0.001).await?)
        })
        .await
    })
    .unwrap();
}

#[test]
fn proc_05_the_end_of_the_nursery_is_the_end_of_the_process() {
    terzetto::run(async {
        let mut kept = None;
        let keep = &mut kept;
        let outcome = nursery(async |n| {
            let command = Command::new("sleep").arg("600");
            *keep = Some(n.start(|status| supervise(command, status)).await?);
            Err::<(), _>(Error::msg("changed my mind"))
        });
        assert!(outcome.await.unwrap_err().to_string().contains("changed my mind"));
        assert_eq!(kept.unwrap().poll()?.unwrap().signal(), Some(SIGTERM));
        Ok(())
    })
    .unwrap();
}
