//! A job in a worker thread waits for something that never comes.

use super::{assert_says, keep, run_to_end};
use std::sync::mpsc;
use terzetto::{blocked_report, nursery, sleep, to_thread};

#[test]
fn see_28_a_thread_that_never_returns_is_named_by_its_job() {
    run_to_end(async {
        let (end, never) = mpsc::channel::<()>();
        nursery(async |n| {
            n.start_soon_named("reads the meter", async move {
                let job = move || assert!(never.recv().is_err());
                to_thread::options().name("meter").run_sync(job).await
            });
            sleep(10.0).await?;
            let report = blocked_report();
            keep(9, "report of blocked tasks, while it runs", file!(), &report);
            assert_says(
                &report,
                &[
                    "task reads the meter (",
                    "waiting for a worker thread (its job is `meter`)",
                    "the run may also be woken from outside: a worker thread has a job",
                ],
            );
            drop(end);
            Ok(())
        })
        .await
    });
}
