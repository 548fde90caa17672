//! The loops of [`ExecutorAsync`](super::ExecutorAsync): one for each work, and one that ends the run.
//!
//! All loops are tasks of one nursery. The loop of a work waits until the scheduler requests a worker for that
//! work, and starts it as another task. The worker then goes on with whatever work may start next. It does not
//! leave its thread after each item.
//!
//! The last loop is the monitor. It reports statistics, and lets the scheduler look for items that have waited
//! too long. When the scheduler is closed, all loops end.
//!
//! [`ExecutorFunctions`] has the loops as methods, under the names that fluidimage gives them. An executor of your
//! own overrides what it wants to do otherwise, and calls the methods of [`RunLoops`] and [`WorkLoop`] for the rest.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use terzetto::{CancelScope, Error, ErrorGroup, Nursery, checkpoint, move_on_after, nursery, to_thread};

use super::{Ending, Observer};
use crate::{
    graph::{ItemError, Kind},
    scheduler::{ScheduledWork, Scheduler, TaskWorker, Worker},
};

/// The async functions of an executor: one loop for each work, and one that ends the run. Each has a default, which
/// is what [`ExecutorAsync::run`](super::ExecutorAsync::run) does.
/// [`ExecutorAsync::run_with`](super::ExecutorAsync::run_with) runs a topology with others.
///
/// ```
/// use std::cell::Cell;
/// use terzetto::{Error, Nursery, sleep};
/// use terzetto_executor::{
///     ExecutorAsync, Options, Topology,
///     run::{ExecutorFunctions, WorkLoop},
/// };
///
/// /// Starts the workers of cpu works only after a moment, and counts them.
/// #[derive(Default)]
/// struct Patient {
///     workers: Cell<usize>,
/// }
///
/// impl ExecutorFunctions for Patient {
///     async fn async_func_work_cpu<'scope, 'env>(
///         &'env self,
///         work: WorkLoop<'env>,
///         nursery: &'scope Nursery<'scope, 'env>,
///     ) -> Result<(), Error> {
///         while let Some(requests) = work.wait_for_requests().await? {
///             sleep(0.001).await?;
///             for _ in 0..requests {
///                 self.workers.set(self.workers.get() + 1);
///                 nursery.start_soon(work.run_worker());
///             }
///         }
///         Ok(())
///     }
/// }
///
/// let mut topology = Topology::new("count");
/// let numbers = topology.queue::<u64>("numbers");
/// topology.source("list", &numbers, (0..3).map(|n| (n.to_string(), n)));
/// topology.cpu("look", &numbers).each(|_, _| Ok(()));
/// let functions = Patient::default();
/// let executor = ExecutorAsync::new(topology, Options::new())?;
/// assert_eq!(terzetto::run(executor.run_with(&functions))?.done, 3);
/// # Ok::<(), terzetto::Error>(())
/// ```
pub trait ExecutorFunctions {
    /// Starts all loops in `nursery`, with [`RunLoops::start`]. fluidimage: `define_functions` and
    /// `start_async_works`.
    fn define_functions<'scope, 'env>(
        &'env self,
        run: RunLoops<'env>,
        nursery: &'scope Nursery<'scope, 'env>,
    ) {
        for work in run.works() {
            let name = format!("loop of {}", work.name());
            match work.kind() {
                Kind::Cpu => run.start(nursery, name, self.async_func_work_cpu(work, nursery)),
                Kind::Source | Kind::Global => {
                    run.start(nursery, name, self.async_func_work_global(work, nursery))
                }
                _ => run.start(nursery, name, self.async_func_work_io(work, nursery)),
            }
        }
        run.start(nursery, "monitor".to_owned(), self.update_has_to_stop(run));
    }

    /// The loop of an io work or a task. fluidimage: `def_async_func_work_io`.
    fn async_func_work_io<'scope, 'env>(
        &'env self,
        work: WorkLoop<'env>,
        nursery: &'scope Nursery<'scope, 'env>,
    ) -> impl Future<Output = Result<(), Error>> {
        work.run(nursery)
    }

    /// The loop of a cpu work. fluidimage: `def_async_func_work_cpu`.
    fn async_func_work_cpu<'scope, 'env>(
        &'env self,
        work: WorkLoop<'env>,
        nursery: &'scope Nursery<'scope, 'env>,
    ) -> impl Future<Output = Result<(), Error>> {
        work.run(nursery)
    }

    /// The loop of a global work or a source. fluidimage: `def_async_func_work_global`.
    fn async_func_work_global<'scope, 'env>(
        &'env self,
        work: WorkLoop<'env>,
        nursery: &'scope Nursery<'scope, 'env>,
    ) -> impl Future<Output = Result<(), Error>> {
        work.run(nursery)
    }

    /// The loop that ends the run: when it returns, the run ends. fluidimage: `update_has_to_stop`.
    fn update_has_to_stop<'env>(&'env self, run: RunLoops<'env>) -> impl Future<Output = Result<(), Error>> {
        run.monitor()
    }
}

/// The functions of [`ExecutorAsync::run`](super::ExecutorAsync::run): every default.
pub(super) struct DefaultFunctions;

impl ExecutorFunctions for DefaultFunctions {}

/// What the loops of a run share.
#[derive(Clone, Copy)]
pub struct RunLoops<'a> {
    pub(super) scheduler: &'a Arc<Scheduler>,
    /// Do workers run in threads of their own? Otherwise they take turns on the thread of the loops.
    pub(super) threads: bool,
    pub(super) statistics_period: Duration,
    pub(super) scope: &'a CancelScope,
}

impl<'env> RunLoops<'env> {
    /// Runs all loops in one nursery. Returns when the run has ended and no worker is left.
    ///
    /// # Errors
    /// A group of all errors that ended the run; a cancellation from outside.
    pub(super) async fn run(
        self,
        functions: &'env impl ExecutorFunctions,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<(), Error> {
        // `None` means that the scope was cancelled. The scheduler knows the reason.
        let _cancelled = self
            .scope
            .run(async {
                nursery(async |nursery| {
                    functions.define_functions(self, nursery);
                    self.scheduler.open(observers);
                    Ok(())
                })
                .await
            })
            .await?;
        Ok(())
    }

    /// The works that have loops.
    pub fn works(self) -> impl Iterator<Item = WorkLoop<'env>> {
        self.scheduler.works.iter().enumerate().map(move |(index, work)| WorkLoop { run: self, index, work })
    }

    /// Starts a loop. If it ends for any reason, no worker could be started for its work any more. So the run ends,
    /// too.
    pub fn start<'scope>(
        self,
        nursery: &'scope Nursery<'scope, 'env>,
        name: String,
        run_loop: impl Future<Output = Result<(), Error>> + 'scope,
    ) where
        'env: 'scope,
    {
        let guard = CloseOnDrop(self.scheduler);
        nursery.start_soon_named(name, async move {
            let _guard = guard;
            run_loop.await
        });
    }

    /// Is the run about to end? Then nothing new starts, and all loops end. fluidimage: `_has_to_stop`.
    pub fn has_to_stop(self) -> bool {
        self.scheduler.is_closed()
    }

    /// Reports statistics once in a period, until the run is about to end. If the run was cancelled, cancels
    /// the scope around the loops.
    ///
    /// # Errors
    /// A cancellation.
    pub async fn monitor(self) -> Result<(), Error> {
        let mut last_tick = Instant::now();
        while !self.has_to_stop() {
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
            self.scope.cancel_with_reason("the executor's run was cancelled");
        }
        Ok(())
    }
}

/// The loop of one work.
#[derive(Clone, Copy)]
pub struct WorkLoop<'a> {
    run: RunLoops<'a>,
    index: usize,
    work: &'a ScheduledWork,
}

impl<'env> WorkLoop<'env> {
    /// The work's name.
    pub fn name(self) -> &'env str {
        &self.work.name
    }

    /// How the work is run.
    pub fn kind(self) -> Kind {
        self.work.kind
    }

    /// Waits until the scheduler requests workers for this work, and returns how many. Each of them must be
    /// [run](WorkLoop::run_worker). `None` if the run is about to end, and the loop must return.
    ///
    /// # Errors
    /// A cancellation.
    pub async fn wait_for_requests(self) -> Result<Option<usize>, Error> {
        let requests = self.work.worker_requests.wait().await?;
        Ok((!self.run.has_to_stop()).then_some(requests))
    }

    /// Starts a worker for each request, until the run is about to end.
    ///
    /// # Errors
    /// A cancellation.
    pub async fn run<'scope>(self, nursery: &'scope Nursery<'scope, 'env>) -> Result<(), Error> {
        while let Some(requests) = self.wait_for_requests().await? {
            for _ in 0..requests {
                nursery.start_soon_named(format!("worker for {}", self.work.name), self.run_worker());
            }
        }
        Ok(())
    }

    /// A worker, from its arrival to its departure. It begins with this work and goes on with whatever may start
    /// next. fluidimage: `async_run_work_io`, `async_run_work_cpu`.
    ///
    /// # Errors
    /// The errors of items that end the run; a cancellation.
    pub async fn run_worker(self) -> Result<(), Error> {
        let WorkLoop { run: RunLoops { scheduler, threads, .. }, index, .. } = self;
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

/// Closes the scheduler when a loop ends or is dropped. Otherwise workers in threads would go on without it.
struct CloseOnDrop<'a>(&'a Scheduler);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
