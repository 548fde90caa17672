//! One io or cpu work as an async loop, and one item of it as a task.

use std::time::Instant;

use terzetto::{CancelScope, Error, Nursery, to_thread};

use super::scheduler::{Busy, Scheduler, Stage};
use crate::topology::{Begun, Job};

/// Starts an item whenever one may start, until the run is closed.
pub(super) async fn work_loop<'scope, 'env>(
    nursery: &'scope Nursery<'scope, 'env>,
    run: &'scope CancelScope,
    scheduler: &'scope Scheduler,
    stage: &'scope Stage,
) -> Result<(), Error> {
    while !scheduler.is_closed() {
        if !scheduler.may_start(stage) {
            stage.bell.wait().await?;
            continue;
        }
        let Some((begun, busy)) = scheduler.begin(stage) else {
            continue;
        };
        match begun {
            Begun::Job(job) => {
                let name = format!("{} {}", stage.name, job.key);
                nursery.start_soon_named(name, work_on(run, scheduler, stage, job, busy));
            }
            Begun::PassedOn(delivery) => {
                drop(busy);
                scheduler.count(delivery);
            }
        }
        // An item was taken: there is room for another, and it may be another work's turn.
        scheduler.settle();
    }
    Ok(())
}

/// Works on one item in a thread and delivers what comes of it.
async fn work_on(
    run: &CancelScope,
    scheduler: &Scheduler,
    stage: &Stage,
    job: Job,
    busy: Busy<'_>,
) -> Result<(), Error> {
    scheduler.announce_start(stage, &job.key);
    let start = Instant::now();
    to_thread::run_sync(job.run).await?;
    let delivery = (job.deliver)();
    drop(busy);
    scheduler.announce_finish(stage, &delivery, start.elapsed());
    if let Some(error) = &delivery.error {
        scheduler.note_error(error);
        if scheduler.options.stops_if_error() {
            run.cancel_with_reason(format!("stop_if_error: {error}"));
        }
    }
    scheduler.count(delivery);
    scheduler.settle();
    Ok(())
}
