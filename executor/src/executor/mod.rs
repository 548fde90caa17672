//! Runs a topology: each work is an async loop, all loops live in one nursery, functions run in
//! worker threads.
//!
//! The loops and all bookkeeping run on one thread, so that no state needs a lock; only the works'
//! functions run elsewhere. As in structured concurrency everywhere, nothing outlives
//! [`ExecutorAsync::run`]: when it returns, no worker works for it any more.

mod bell;
mod options;
mod outcome;
mod scheduler;
mod work_loop;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    time::Instant,
};

use terzetto::{CancelScope, Error};

pub use options::Options;
pub use outcome::{Ending, Observer, OneShotError, Outcome, Stalled};
use scheduler::{OneShot, Scheduler};
use work_loop::work_loop;

use crate::topology::{InvalidTopology, Topology, panic_text};

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
/// let outcome = terzetto::run(executor.run())?;
/// assert_eq!(outcome.done, 1);
/// let (key, error) = &outcome.failed[0];
/// assert_eq!(key.as_str(), "second");
/// assert_eq!(error.to_string(), "work `measure` failed on `second`: an empty word");
/// assert_eq!(lengths.drain().len(), 2);
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct ExecutorAsync {
    one_shots: Vec<OneShot>,
    scheduler: Rc<Scheduler>,
    scope: CancelScope,
}

impl ExecutorAsync {
    /// Checks the topology and makes it ready to run.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`] as [`Topology::check`] tells it.
    pub fn new(topology: Topology, options: Options) -> Result<Self, InvalidTopology> {
        topology.check()?;
        let (one_shots, scheduler) = Scheduler::new(topology, options);
        Ok(ExecutorAsync { one_shots, scheduler: Rc::new(scheduler), scope: CancelScope::new() })
    }

    /// Has `observer` told what happens. There is one observer; a later one replaces it.
    pub fn observe(&mut self, observer: impl Observer + 'static) {
        self.scheduler.observer.replace(Some(Box::new(observer)));
    }

    /// A handle with which the run can be ended early.
    pub fn control(&self) -> Control {
        Control { scheduler: self.scheduler.clone(), scope: self.scope.clone() }
    }

    /// Runs the one-shot works and then the loops, until every queue is empty and no worker works.
    ///
    /// An error of an item is not an error of the run: it is found in [`Outcome::failed`].
    ///
    /// # Errors
    ///
    /// - [`OneShotError`] if a one-shot work failed or panicked.
    /// - [`ItemError`](crate::ItemError), the first one, if
    ///   [`stop_if_error`](Options::stop_if_error) is set.
    /// - [`Cancelled`](terzetto::Cancelled) if an enclosing scope was cancelled. Functions that run
    ///   in worker threads are waited for.
    /// - [`Stalled`] if no work can go on, which should not happen.
    pub async fn run(self) -> Result<Outcome, Error> {
        let start = Instant::now();
        let scheduler = &*self.scheduler;
        for (name, function) in self.one_shots {
            log::debug!("one-shot work `{name}` runs");
            let cause = match catch_unwind(AssertUnwindSafe(function)) {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(payload) => format!("it panicked: {}", panic_text(&*payload)),
            };
            let work = name.to_string();
            return Err(OneShotError { work, cause }.into());
        }
        let scope = &self.scope;
        // `None` if the scope caught its own cancellation; why it was cancelled is known otherwise.
        let _caught = scope
            .run(async {
                terzetto::nursery(async |nursery| {
                    for stage in &scheduler.stages {
                        let loops = work_loop(nursery, scope, scheduler, stage);
                        nursery.start_soon_named(format!("loop of {}", stage.name), loops);
                    }
                    scheduler.settle();
                    Ok(())
                })
                .await
            })
            .await?;
        let tally = &scheduler.tally;
        if scheduler.options.stops_if_error()
            && let Some(error) = tally.first_error.take()
        {
            return Err(error.into());
        }
        if let Some(stalled) = scheduler.take_stalled() {
            return Err(stalled.into());
        }
        Ok(Outcome {
            ending: scheduler.asked.get().unwrap_or(Ending::Finished),
            done: tally.done.get(),
            failed: tally.failed.take(),
            elapsed: start.elapsed(),
        })
    }
}

/// Ends a run early, from another task or from an [`Observer`]. Clones end the same run.
#[derive(Clone)]
pub struct Control {
    scheduler: Rc<Scheduler>,
    scope: CancelScope,
}

impl Control {
    /// Lets running functions finish and starts nothing new. What still waits in queues stays
    /// there. The run ends with [`Ending::Stopped`].
    pub fn stop(&self) {
        self.scheduler.ask(Ending::Stopped);
    }

    /// Cancels the run's nursery: items that wait for a thread are given up; functions that already
    /// run in one cannot be interrupted and are waited for. The run ends with
    /// [`Ending::Cancelled`].
    pub fn cancel(&self) {
        self.scheduler.ask(Ending::Cancelled);
        self.scope.cancel_with_reason("the executor's run was cancelled");
    }
}
