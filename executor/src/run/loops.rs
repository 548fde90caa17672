//! The loops of [`ExecutorAsync`](super::ExecutorAsync): one for each work, and one that ends the run.
//!
//! All loops are tasks of one nursery. The loop of a work waits until the scheduler requests a worker for that
//! work, and starts it as another task. The worker then goes on with whatever work may start next. It does not
//! leave its thread after each item.
//!
//! The last loop is the monitor. It reports statistics, and lets the scheduler look for items that have waited
//! too long. When the scheduler is closed, all loops end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use terzetto::{CancelScope, Error, ErrorGroup, Nursery, checkpoint, move_on_after, nursery, to_thread};

use super::{Ending, Observer};
use crate::{
    graph::ItemError,
    scheduler::{ScheduledWork, Scheduler, TaskWorker, Worker},
};

/// What the loops share.
#[derive(Clone, Copy)]
pub(super) struct Loops<'a> {
    pub scheduler: &'a Arc<Scheduler>,
    /// Do workers run in threads of their own? Otherwise they take turns on the thread of the loops.
    pub threads: bool,
    pub statistics_period: Duration,
}

impl<'env> Loops<'env> {
    /// Runs all loops in one nursery. Returns when the run has ended and no worker is left.
    ///
    /// # Errors
    /// A group of all errors that ended the run; a cancellation from outside.
    pub async fn run(self, observers: Vec<Box<dyn Observer>>) -> Result<(), Error> {
        let scope = CancelScope::new();
        // `None` means that the scope was cancelled. The scheduler knows the reason.
        let _cancelled = scope
            .run(async {
                nursery(async |nursery| {
                    for (index, work) in self.scheduler.works.iter().enumerate() {
                        let work_loop = WorkLoop { loops: self, index, work };
                        nursery.start_soon_named(format!("loop of {}", work.name), work_loop.run(nursery));
                    }
                    nursery.start_soon_named("monitor", self.monitor(&scope));
                    self.scheduler.open(observers);
                    Ok(())
                })
                .await
            })
            .await?;
        Ok(())
    }

    /// Reports statistics once in a period, until the scheduler is closed. If the run was cancelled, cancels
    /// the scope.
    async fn monitor(self, scope: &CancelScope) -> Result<(), Error> {
        let _guard = CloseOnDrop(self.scheduler);
        let mut last_tick = Instant::now();
        while !self.scheduler.is_closed() {
            let closing = async { Ok(self.scheduler.closing.wait().await?) };
            if move_on_after(self.statistics_period.as_secs_f64(), closing).await?.is_some() {
                continue;
            }
            let now = Instant::now();
            self.scheduler.tick(now - last_tick);
            last_tick = now;
            if !self.scheduler.observers().is_empty() {
                let statistics = self.scheduler.statistics();
                for observer in self.scheduler.observers() {
                    observer.statistics(&statistics);
                }
            }
        }
        if self.scheduler.early_ending() == Some(Ending::Cancelled) {
            scope.cancel_with_reason("the executor's run was cancelled");
        }
        Ok(())
    }
}

/// The loop of one work.
#[derive(Clone, Copy)]
struct WorkLoop<'a> {
    loops: Loops<'a>,
    index: usize,
    work: &'a ScheduledWork,
}

impl<'env> WorkLoop<'env> {
    /// Starts a worker for each request, until the scheduler is closed.
    async fn run<'scope>(self, nursery: &'scope Nursery<'scope, 'env>) -> Result<(), Error> {
        // If this loop ends for any reason, no worker could be started for its work. So the run must end.
        let _guard = CloseOnDrop(self.loops.scheduler);
        loop {
            let requests = self.work.worker_requests.wait().await?;
            if self.loops.scheduler.is_closed() {
                return Ok(());
            }
            for _ in 0..requests {
                nursery.start_soon_named(format!("worker for {}", self.work.name), self.run_worker());
            }
        }
    }

    /// A worker, from its arrival to its departure.
    async fn run_worker(self) -> Result<(), Error> {
        let WorkLoop { loops: Loops { scheduler, threads, .. }, index, .. } = self;
        let errors = if self.work.is_task() {
            TaskWorker::requested(scheduler, index).run().await?
        } else if threads {
            let scheduler = scheduler.clone();
            to_thread::run_sync(move || {
                let mut worker = Worker::requested(&scheduler, index);
                while worker.step() {}
                worker.take_errors()
            })
            .await?
        } else {
            let mut worker = Worker::requested(scheduler, index);
            while worker.step() {
                checkpoint().await?;
            }
            worker.take_errors()
        };
        into_result(errors)
    }
}

/// The error of a worker whose items have ended the run.
pub(super) fn into_result(errors: Vec<ItemError>) -> Result<(), Error> {
    let mut errors: Vec<Error> = errors.into_iter().map(Error::from).collect();
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        _ => Err(ErrorGroup::new("several items of a worker failed", errors).into()),
    }
}

/// Closes the scheduler when a loop is dropped. Otherwise workers in threads would go on without it.
struct CloseOnDrop<'a>(&'a Scheduler);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
