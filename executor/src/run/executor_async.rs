//! Runs a topology: each work is an async loop, all loops live in one nursery, functions run in
//! worker threads.
//!
//! `board` says who may start, `stage` what is known of a work, `worker` goes from item to item, `loops`
//! starts workers; `sequential` does without loops. As in structured concurrency everywhere, nothing outlives
//! [`ExecutorAsync::compute`]: when it returns, no worker works for it any more.
//!
//! # fluidimage's `ExecutorAsync`, piece by piece
//!
//! | fluidimage | here |
//! |---|---|
//! | `ExecutorAsync(topology, …)` | [`ExecutorAsync::new`] |
//! | `path_dir_result` | [`Options::path_dir_result`] |
//! | `nb_max_workers` | [`Options::nb_max_workers`], the same default |
//! | `nb_items_queue_max` | [`Options::nb_items_queue_max`], the same default |
//! | `sleep_time` | [`Options::sleep_time`]: the period of statistics, since loops wake on events |
//! | `logging_level` | [`Options::logging_level`], of the job's log file |
//! | `stop_if_error` | [`Options::stop_if_error`] |
//! | `compute` | [`ExecutorAsync::compute`] |
//! | `start_async_works` | `loops.rs`, `Loops::start_async_works` |
//! | `define_functions` | `loops.rs`, `Loops::define_functions` |
//! | `def_async_func_work_io`, `def_async_func_work_cpu` | `loops.rs`, `Loop::async_func_work_io`, `…_cpu` |
//! | `async_run_work_io`, `async_run_work_cpu` | `loops.rs`, `Loop::async_run_work_io`, `…_cpu` |
//! | `update_has_to_stop` | `loops.rs`, `Loops::update_has_to_stop`; the end itself is seen by the last worker, `board.rs`, `Board::next` |
//! | signals | [`Control::cancel`] (Ctrl-C), [`Control::stop`] (SIGUSR2) |
//! | `exec_sequential` | [`ExecutorSequential`] |
//! | `exec_async_sequential` | [`ExecutorAsync::on_one_thread`] |
//! | `multi_exec_async` | [`processes`](crate::processes) |

use std::sync::Arc;

use terzetto::Error;

use super::{Control, Observer, Options, Outcome, lifecycle::Prepared, loops::Loops};
use crate::graph::{InvalidTopology, Topology};

/// Runs one topology, once.
///
/// ```
/// use terzetto_executor::{ExecutorAsync, Options, Topology};
///
/// let mut topology = Topology::new("lengths");
/// let words = topology.queue::<String>("words");
/// let lengths = topology.results::<usize>("lengths");
/// topology.one_shot("fill", (), &words, |(), words| {
///     words.push("first", "nursery".to_owned());
///     words.push("second", String::new());
///     Ok(())
/// });
/// topology.cpu("measure", &words).to(&lengths).each(|_, word| {
///     if word.is_empty() { Err("an empty word".into()) } else { Ok(word.len()) }
/// });
///
/// let executor = ExecutorAsync::new(topology, Options::new())?;
/// let outcome = terzetto::run(executor.compute())?;
/// assert_eq!(outcome.done, 1);
/// let (key, error) = &outcome.failed[0];
/// assert_eq!(key.as_str(), "second");
/// assert_eq!(error.to_string(), "work `measure` failed on `second`: an empty word");
/// assert_eq!(lengths.drain().len(), 2);
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct ExecutorAsync {
    prepared: Prepared,
    threads: bool,
}

impl ExecutorAsync {
    /// Checks the topology and makes it ready to run.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`] as [`Topology::check`] tells it.
    pub fn new(topology: Topology, options: Options) -> Result<Self, InvalidTopology> {
        Ok(ExecutorAsync { prepared: Prepared::new(topology, options, "async", false)?, threads: true })
    }

    /// As [`ExecutorAsync::new`], for an executor without threads: the same loops, but each item is
    /// worked on where the loops run, one after the other. To find an error, or where threads are
    /// not to be had.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`] as [`Topology::check`] tells it.
    pub fn on_one_thread(topology: Topology, options: Options) -> Result<Self, InvalidTopology> {
        let prepared = Prepared::new(topology, options, "async-sequential", true)?;
        Ok(ExecutorAsync { prepared, threads: false })
    }

    /// Has `observer` told what happens, beside those told already.
    pub fn observe(&mut self, observer: impl Observer + 'static) {
        self.prepared.observe(observer);
    }

    /// A handle with which the run can be ended early.
    pub fn control(&self) -> Control {
        self.prepared.control()
    }

    /// Makes the job's folder if one is wanted, runs the one-shot works and then the loops, until
    /// every queue is empty and no worker works.
    ///
    /// An error of an item is not an error of the run: it is found in [`Outcome::failed`].
    ///
    /// # Errors
    ///
    /// - [`JobError`](crate::job::JobError) if the job's folder cannot be made or is in use.
    /// - [`OneShotError`] if a one-shot work failed or panicked.
    /// - A group of [`ItemError`](crate::ItemError)s, all there were, if
    ///   [`stop_if_error`](Options::stop_if_error) is set.
    /// - [`Cancelled`](terzetto::Cancelled) if an enclosing scope was cancelled. Functions that run
    ///   in worker threads are waited for.
    /// - [`Stalled`] if no work can go on, but items wait.
    pub async fn compute(self) -> Result<Outcome, Error> {
        let ExecutorAsync { prepared, threads } = self;
        let started = prepared.start()?;
        let sleep_time = started.sleep_time;
        let board: &Arc<_> = &started.board.clone();
        let loops = Loops { board, threads, sleep_time };
        let (observers, started) = started.split();
        let ran = loops.start_async_works(observers).await;
        started.finish(ran)
    }

    /// The same as [`ExecutorAsync::compute`].
    ///
    /// # Errors
    ///
    /// As [`ExecutorAsync::compute`].
    pub async fn run(self) -> Result<Outcome, Error> {
        self.compute().await
    }
}
