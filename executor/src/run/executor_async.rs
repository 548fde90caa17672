//! The executor with async loops.

use terzetto::{CancelScope, Error};

use super::{
    Control, ExecutorFunctions, Observer, Options, Outcome, RunLoops, lifecycle::PreparedRun,
    loops::DefaultFunctions,
};
use crate::graph::{InvalidTopology, Topology};

/// Runs one topology, once: each work is an async loop, and functions run in worker threads.
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
/// let outcome = terzetto::run(executor.run())?;
/// assert_eq!(outcome.done, 1);
/// let (key, error) = &outcome.failed[0];
/// assert_eq!(key.as_str(), "second");
/// assert_eq!(error.to_string(), "work `measure` failed on `second`: an empty word");
/// assert_eq!(lengths.drain().len(), 2);
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct ExecutorAsync {
    prepared: PreparedRun,
    threads: bool,
}

impl ExecutorAsync {
    /// Checks the topology and prepares the run.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`], as from [`Topology::check`].
    pub fn new(topology: Topology, options: Options) -> Result<Self, InvalidTopology> {
        Ok(ExecutorAsync {
            prepared: PreparedRun::new(topology, options, "async", false, true)?,
            threads: true,
        })
    }

    /// An executor without threads: the same loops, but functions run one after the other on the thread of the loops.
    /// Only tasks take turns with each other and with them, where they await. It helps to find an error, and works
    /// where a program may not start threads.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`], as from [`Topology::check`].
    pub fn on_one_thread(topology: Topology, options: Options) -> Result<Self, InvalidTopology> {
        let prepared = PreparedRun::new(topology, options, "async-sequential", true, true)?;
        Ok(ExecutorAsync { prepared, threads: false })
    }

    /// Adds an observer, which is told what happens in the run.
    pub fn observe(&mut self, observer: impl Observer + 'static) {
        self.prepared.observe(observer);
    }

    /// A handle that can end the run early.
    pub fn control(&self) -> Control {
        self.prepared.control()
    }

    /// Makes the job's folder if one is wanted, runs the one-shot works, and then the loops until every queue is
    /// empty and no worker runs.
    ///
    /// An error of an item is not an error of the run. It is in [`Outcome::failed`].
    ///
    /// # Errors
    ///
    /// - [`JobError`](crate::job::JobError) if the job's folder cannot be made or is in use.
    /// - [`OneShotError`](super::OneShotError) if a one-shot work failed or panicked.
    /// - A group of all [`ItemError`](crate::ItemError)s, if
    ///   [`stop_if_error`](Options::stop_if_error) is set.
    /// - [`Cancelled`](terzetto::Cancelled) if an enclosing scope was cancelled.
    /// - [`Stalled`](super::Stalled) if no work can go on, but items wait.
    ///
    /// # Cancellation
    ///
    /// A function that runs in a worker thread cannot be interrupted. The run waits for it. Nothing new starts.
    pub async fn run(self) -> Result<Outcome, Error> {
        self.run_with(&DefaultFunctions).await
    }

    /// As [`run`](ExecutorAsync::run), with loops of your own: see [`ExecutorFunctions`].
    ///
    /// # Errors
    ///
    /// As [`run`](ExecutorAsync::run), and the errors of the loops.
    ///
    /// # Cancellation
    ///
    /// As [`run`](ExecutorAsync::run).
    pub async fn run_with(self, functions: &impl ExecutorFunctions) -> Result<Outcome, Error> {
        let ExecutorAsync { prepared, threads } = self;
        let mut started = prepared.start()?;
        let observers = started.take_observers();
        let (scheduler, statistics_period) = (&started.scheduler.clone(), started.statistics_period);
        let scope = &CancelScope::new();
        let ran = RunLoops { scheduler, threads, statistics_period, scope }.run(functions, observers).await;
        started.finish(ran)
    }
}
