//! PROC-04: how a cancellation reaches a process.

use super::*;
use std::{
    cell::{Cell, RefCell},
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    time::{Duration, Instant},
};
use terzetto::{
    CancelScope, current_time, move_on_after, nursery,
    process::{Process, Stdio, run_process, supervise},
};
use terzetto_tests::run_mock;

/// Starts a program in the background and cancels it when it has said `ready`.
async fn cancel_when_ready(command: Command<'_>) -> Result<ExitStatus, Error> {
    let mut of_process = None;
    let kept = &mut of_process;
    nursery(async |n| {
        let process = n.start(|status| supervise(command.stdout(Stdio::Piped), status)).await?;
        assert_eq!(read_line(process.stdout.as_ref().unwrap()).await?, "ready");
        *kept = Some(process);
        n.cancel_scope().cancel();
        Ok(())
    })
    .await?;
    let status = of_process.unwrap().poll()?;
    status.ok_or_else(|| Error::msg("the nursery ended before the process"))
}

#[test]
fn proc_04_cancelling_terminates_and_waits() {
    logged::begin();
    terzetto::run(async {
        let start = Instant::now();
        let outcome = move_on_after(0.05, run_process(Command::new("sleep").arg("600"))).await?;
        assert!(outcome.is_none() && start.elapsed() < Duration::from_secs(4));
        // A program may take its time to clean up, and is waited for.
        let status =
            cancel_when_ready(sh("trap 'sleep 0.1; exit 11' TERM; echo ready; while :; do sleep 0.01; done"));
        assert_eq!(status.await?.code(), Some(11));
        Ok(())
    })
    .unwrap();
    assert_eq!(logged::taken(), [""; 0]);
}

#[test]
fn proc_04_what_ignores_sigterm_is_killed_after_five_seconds_with_a_warning() {
    logged::begin();
    // The clock jumps when nothing else happens.
    run_mock(async {
        let start = current_time();
        let command = sh("trap '' TERM; echo ready; while :; do sleep 0.05; done");
        assert_eq!(cancel_when_ready(command).await?.signal(), Some(SIGKILL));
        assert_eq!(current_time() - start, 5.0);
        Ok(())
    })
    .unwrap();
    let logged = logged::taken();
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert!(
        logged[0].starts_with("WARN process ") && logged[0].contains("has ignored SIGTERM"),
        "{logged:?}"
    );
}

#[test]
fn proc_04_a_custom_delivery_takes_the_place_of_the_usual_one() {
    logged::begin();
    run_mock(async {
        let said = RefCell::new(String::new());
        let command = sh("trap '' TERM; trap 'exit 12' INT; echo ready; while :; do sleep 0.01; done");
        let status = cancel_when_ready(command.deliver_cancel(async |process: Process| {
            process.send_signal(Signal::INT)?;
            said.borrow_mut().push_str("interrupted");
            process.wait().await?;
            // It is cancelled when the process has ended.
            sleep(1e9).await?;
            said.borrow_mut().push_str(" and more");
            Ok(())
        }));
        assert_eq!(status.await?.code(), Some(12));
        assert_eq!(*said.borrow(), "interrupted");
        assert!(current_time() < 1e9);
        Ok(())
    })
    .unwrap();
    assert_eq!(logged::taken(), [""; 0]);
}

#[test]
fn proc_04_the_error_of_a_delivery_comes_out_and_the_kill_comes() {
    logged::begin();
    let pid = Cell::new(0);
    let outcome = terzetto::run(async {
        let scope = CancelScope::new();
        let command =
            sh("trap '' TERM; while :; do sleep 0.05; done").deliver_cancel(async |process: Process| {
                pid.set(process.pid());
                Err(Error::msg("no line"))
            });
        nursery(async |n| {
            n.start_soon(async { scope.run(run_process(command)).await.map(drop) });
            sleep(0.05).await?;
            scope.cancel();
            Ok(())
        })
        .await
    });
    // As it is inside the nursery of this test: the scope has swallowed the cancellation alone.
    let error = outcome.unwrap_err().into_group().unwrap().into_errors().pop().unwrap();
    assert!(error.group().is_none() && error.to_string() == "no line", "{error:?}");
    terzetto::run(until_gone(pid.get())).unwrap();
    let logged = logged::taken();
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert!(logged[0].starts_with("WARN") && logged[0].contains("no line"), "{logged:?}");
}

#[test]
fn proc_04_a_delivery_that_panics_does_not_save_the_process() {
    let pid = Cell::new(0);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        terzetto::run(async {
            let command = Command::new("sleep").arg("600").deliver_cancel(async |process: Process| {
                pid.set(process.pid());
                panic!("a mistake")
            });
            move_on_after(0.05, run_process(command)).await
        })
    }));
    assert_eq!(*outcome.unwrap_err().downcast_ref::<&str>().unwrap(), "a mistake");
    assert_ne!(pid.get(), 0);
    terzetto::run(until_gone(pid.get())).unwrap();
}
