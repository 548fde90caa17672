//! The names of fluidimage, and what they are called here.
//!
//! fluidimage is the Python library whose `ExecutorAsync` this crate follows. Its names for options and for
//! `compute` are kept as aliases, all in this file:
//!
//! ```
//! use std::time::Duration;
//! use terzetto_executor::{ExecutorAsync, Options, Topology};
//!
//! let options = Options::new().nb_max_workers(4).nb_items_queue_max(16).sleep_time(Duration::from_millis(10));
//! assert_eq!(options, Options::new().max_workers(4).queue_limit(16));
//! let mut topology = Topology::new("count");
//! let numbers = topology.queue::<u64>("numbers");
//! topology.source("list", &numbers, (0..3).map(|n| (n.to_string(), n)));
//! topology.cpu("look", &numbers).each(|_, _| Ok(()));
//! assert_eq!(terzetto::run(ExecutorAsync::new(topology, options)?.compute())?.done, 3);
//! # Ok::<(), terzetto::Error>(())
//! ```
//!
//! # Executors
//!
//! | fluidimage | here |
//! |---|---|
//! | `ExecutorAsync(topology, …)` | [`ExecutorAsync::new`] |
//! | `compute` | [`ExecutorAsync::run`]; alias [`ExecutorAsync::compute`] |
//! | `path_dir_result` | [`Options::results_folder`]; alias [`Options::path_dir_result`] |
//! | `nb_max_workers` | [`Options::max_workers`], with the same default; alias [`Options::nb_max_workers`] |
//! | `nb_items_queue_max` | [`Options::queue_limit`], with the same default. Below the number of workers it also limits calls, because a call reserves the place of its value; alias [`Options::nb_items_queue_max`] |
//! | `sleep_time`: how long a loop sleeps until it looks again whether it may start a work | nothing sleeps here. [`Options::statistics_period`] is how often observers are told; alias [`Options::sleep_time`] |
//! | `path_log`: the path of the log file | `log.txt` in the folder of the job ([`job::LOG`](crate::job::LOG)), which [`Observer::began`](crate::Observer::began) is told |
//! | `logging_level` | [`Options::log_level`]; alias [`Options::logging_level`] |
//! | `stop_if_error` | [`Options::stop_if_error`] |
//! | `exec_sequential` | [`ExecutorSequential`] |
//! | `exec_async_sequential` | [`ExecutorAsync::on_one_thread`] |
//! | `multi_exec_async` | [`Processes`] |
//! | Ctrl-C; signal 12 | [`Control::cancel`](crate::Control::cancel); [`Control::stop`](crate::Control::stop) |
//! | `saving.how` | [`results::Saving`](crate::results::Saving) |
//! | `complete`, which looks whether files exist | [`results::ResultsCheck`](crate::results::ResultsCheck), which also compares their content and parameters |
//! | `job_<time>_<pid>/` | [`job::JobFolder`](crate::job::JobFolder) |
//!
//! # Functions inside `ExecutorAsync`
//!
//! fluidimage makes one async function for each work. Executors that derive from it override these methods. Here they
//! are the methods of a trait, [`ExecutorFunctions`](crate::run::ExecutorFunctions), and [`ExecutorAsync::run_with`]
//! runs a topology with them:
//!
//! | fluidimage | here | public |
//! |---|---|---|
//! | `define_functions`, `start_async_works` | [`define_functions`](crate::run::ExecutorFunctions::define_functions) starts all loops in one nursery | yes |
//! | `def_async_func_work_io` | [`async_func_work_io`](crate::run::ExecutorFunctions::async_func_work_io), which tasks have, too | yes |
//! | `def_async_func_work_cpu` | [`async_func_work_cpu`](crate::run::ExecutorFunctions::async_func_work_cpu) | yes |
//! | `def_async_func_work_global` | [`async_func_work_global`](crate::run::ExecutorFunctions::async_func_work_global), which sources have, too | yes |
//! | the sleep in these loops | [`WorkLoop::wait_for_requests`](crate::run::WorkLoop::wait_for_requests): the scheduler wakes the loop | yes |
//! | `async_run_work_io`, `…_cpu` | [`WorkLoop::run_worker`](crate::run::WorkLoop::run_worker). A worker goes on with other items and does not end after one | yes |
//! | `update_has_to_stop` | [`update_has_to_stop`](crate::run::ExecutorFunctions::update_has_to_stop). The last worker sees that nothing is left to do | yes |
//! | `_has_to_stop` | [`RunLoops::has_to_stop`](crate::run::RunLoops::has_to_stop) | yes |
//! | which work starts next | the scheduler: it is the same for all executors | no |
//!
//! # Topologies
//!
//! | fluidimage | here |
//! |---|---|
//! | a queue, which is a dictionary | [`Queue`](crate::Queue) |
//! | a work of kind `one shot` | [`Topology::one_shot`]; if it only lists a series, [`Topology::source`] |
//! | a work of kind `io`; of no kind | [`Topology::io`]; [`Topology::cpu`] |
//! | a `global` work | [`Topology::global`]; if it makes couples, [`Topology::join`] |
//! | a tuple of input queues | a tuple of references: `topology.cpu("add", (&a, &b))` |
//! | `eat_key_value` | every function is given the key |
//!
//! [`Topology::one_shot`]: crate::Topology::one_shot
//! [`Topology::source`]: crate::Topology::source
//! [`Topology::io`]: crate::Topology::io
//! [`Topology::cpu`]: crate::Topology::cpu
//! [`Topology::global`]: crate::Topology::global
//! [`Topology::join`]: crate::Topology::join

use std::{path::PathBuf, time::Duration};

use log::LevelFilter;
use terzetto::Error;

use crate::{
    ExecutorAsync, ExecutorSequential, Options, Outcome,
    processes::{Processes, ProcessesOutcome},
};

/// Aliases for readers who know fluidimage.
impl Options {
    /// fluidimage's name of [`max_workers`](Options::max_workers).
    #[must_use]
    pub fn nb_max_workers(self, workers: usize) -> Self {
        self.max_workers(workers)
    }

    /// fluidimage's name of [`queue_limit`](Options::queue_limit).
    #[must_use]
    pub fn nb_items_queue_max(self, items: usize) -> Self {
        self.queue_limit(items)
    }

    /// fluidimage's name of [`statistics_period`](Options::statistics_period). There it is how often a loop
    /// looks whether it may start a work. Here nothing polls.
    #[must_use]
    pub fn sleep_time(self, time: Duration) -> Self {
        self.statistics_period(time)
    }

    /// fluidimage's name of [`log_level`](Options::log_level).
    #[must_use]
    pub fn logging_level(self, level: LevelFilter) -> Self {
        self.log_level(level)
    }

    /// fluidimage's name of [`results_folder`](Options::results_folder).
    #[must_use]
    pub fn path_dir_result(self, folder: impl Into<PathBuf>) -> Self {
        self.results_folder(folder)
    }
}

/// An alias for readers who know fluidimage.
impl ExecutorAsync {
    /// fluidimage's name of [`run`](ExecutorAsync::run).
    ///
    /// # Errors
    ///
    /// As [`run`](ExecutorAsync::run).
    pub async fn compute(self) -> Result<Outcome, Error> {
        self.run().await
    }
}

/// An alias for readers who know fluidimage.
impl ExecutorSequential {
    /// fluidimage's name of [`run`](ExecutorSequential::run).
    ///
    /// # Errors
    ///
    /// As [`run`](ExecutorSequential::run).
    pub fn compute(self) -> Result<Outcome, Error> {
        self.run()
    }
}

/// An alias for readers who know fluidimage.
impl Processes {
    /// fluidimage's name of [`run`](Processes::run).
    ///
    /// # Errors
    ///
    /// As [`run`](Processes::run).
    pub async fn compute(self) -> Result<ProcessesOutcome, Error> {
        self.run().await
    }
}
