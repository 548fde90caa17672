//! PROC-03: waiting, polling, signals.

use super::*;
use std::{cell::Cell, io::ErrorKind, os::unix::process::ExitStatusExt, time::Duration};
use terzetto::{
    CancelScope, nursery,
    process::{Stdio, open_process},
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};

#[test]
fn proc_03_several_tasks_wait_and_again_after_the_end() {
    terzetto::run(async {
        let mut process = open_process(sh("read x; exit 5").stdin(Stdio::Piped)).await?;
        let stdin = process.stdin.take();
        let ended = Cell::new(0);
        nursery(async |n| {
            for _ in 0..3 {
                n.start_soon(async {
                    assert_eq!(process.wait().await?.code(), Some(5));
                    ended.set(ended.get() + 1);
                    Ok(())
                });
            }
            // One task, two waits at once.
            n.start_soon(async {
                let (a, b) = futures_util::join!(process.wait(), process.wait());
                assert_eq!((a?.code(), b?.code()), (Some(5), Some(5)));
                ended.set(ended.get() + 1);
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            assert_eq!(ended.get(), 0);
            drop(stdin);
            Ok(())
        })
        .await?;
        assert_eq!(ended.get(), 4);
        assert_eq!(assert_checkpoints(process.wait()).await?.code(), Some(5));
        assert_eq!(process.poll()?.unwrap().code(), Some(5));
        // Signals to what is no more do nothing.
        process.kill()?;
        process.terminate()?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_03_a_cancelled_waiter_hands_over_to_the_next() {
    terzetto::run(async {
        let process = open_process(Command::new("sleep").arg("600")).await?;
        let (first, seen) = (CancelScope::new(), Cell::new(false));
        nursery(async |n| {
            n.start_soon(async { first.run(async { process.wait().await }).await.map(drop) });
            wait_all_tasks_blocked(0.01).await?;
            n.start_soon(async {
                assert_eq!(process.wait().await?.signal(), Some(SIGTERM));
                seen.set(true);
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            first.cancel();
            wait_all_tasks_blocked(0.01).await?;
            Ok(process.terminate()?)
        })
        .await?;
        assert!(first.cancelled_caught() && seen.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn proc_03_a_poll_that_sees_the_end_wakes_the_waiters() {
    terzetto::run(async {
        let process = open_process(Command::new("sleep").arg("600")).await?;
        nursery(async |n| {
            n.start_soon(async {
                assert_eq!(process.wait().await?.signal(), Some(SIGKILL));
                Ok(())
            });
            wait_all_tasks_blocked(0.01).await?;
            process.kill()?;
            while process.poll()?.is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn proc_03_signals_are_sent_by_number() {
    terzetto::run(async {
        let script = "trap 'echo caught' INT; echo ready; while :; do sleep 0.01; done";
        let process = open_process(sh(script).stdout(Stdio::Piped)).await?;
        let stdout = process.stdout.as_ref().unwrap();
        assert_eq!(read_line(stdout).await?, "ready");
        process.send_signal(Signal::from_raw(0))?;
        process.send_signal(Signal::INT)?;
        assert_eq!(read_line(stdout).await?, "caught");
        let refused = process.send_signal(Signal::from_raw(12_345)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        process.kill()?;
        assert_eq!(process.wait().await?.signal(), Some(SIGKILL));
        Ok(())
    })
    .unwrap();
}
