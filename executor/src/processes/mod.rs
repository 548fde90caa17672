//! A series spread over several processes: fluidimage's `multi_exec_async`.
//!
//! Each process runs an executor of its own on its [part](Shard) of the series and reports each item
//! that has reached its end. All write into one folder; since files are whole or absent, that needs
//! no agreement. A process that dies is reported, and another one takes over what is missing of its
//! part. The processes end if their supervisor does, however it ends.
//!
//! What a process runs is a command: usually the same program, told its part, and, when it takes
//! over, to compute only what is missing. In the process, a [`Reporter`] must be among the
//! executor's observers.
//!
//! ```no_run
//! use std::process::Command;
//! use terzetto_executor::processes::Processes;
//!
//! let processes = Processes::new(4, |task| {
//!     let mut command = Command::new("terzetto");
//!     command.args(["piv", "series", "--shard", &task.shard.to_string()]);
//!     command.args(["--saving", if task.again { "complete" } else { "recompute" }]);
//!     command
//! });
//! let outcome = terzetto::run(processes.compute())?;
//! println!("{} items done", outcome.done);
//! # Ok::<(), terzetto::Error>(())
//! ```

mod child;
mod report;

use std::{
    cell::Cell,
    process::{self, Command, ExitStatus},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use terzetto::{CancelScope, Error, nursery, sleep_forever};

use crate::{results::PARENT_VARIABLE, series::Shard};
use child::Pid;
pub use report::{Report, Reporter};

/// How often in a row a part's process may die without having finished a single item.
const MAX_DEATHS: usize = 2;

/// What one process is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Task {
    /// Its part of the series.
    pub shard: Shard,
    /// Has another process died over this part? Then only what is missing is to be computed.
    pub again: bool,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessesOutcome {
    /// How many items have reached their end with a value.
    pub done: usize,
    /// The items that have reached their end as errors: key and error.
    pub failed: Vec<(String, String)>,
    /// How many processes have died.
    pub deaths: usize,
    /// Parts that were given up, and why.
    pub given_up: Vec<(Shard, String)>,
}

type Listener = Arc<dyn Fn(&Report) + Send + Sync>;

/// Several processes that share a series.
pub struct Processes {
    count: usize,
    command: Box<dyn Fn(Task) -> Command>,
    listener: Listener,
    stop_if_error: bool,
    control: ProcessesControl,
}

/// Ends the processes early. Clones end the same run.
#[derive(Clone)]
pub struct ProcessesControl {
    pids: Arc<Vec<Pid>>,
    ending: Arc<AtomicBool>,
}

impl ProcessesControl {
    /// Lets each process finish what runs and start nothing new (SIGUSR2).
    pub fn stop(&self) {
        self.ending.store(true, SeqCst);
        #[cfg(unix)]
        self.pids.iter().for_each(|pid| pid.signal(rustix::process::Signal::USR2));
    }

    /// Interrupts each process (SIGINT).
    pub fn cancel(&self) {
        self.ending.store(true, SeqCst);
        #[cfg(unix)]
        self.pids.iter().for_each(|pid| pid.signal(rustix::process::Signal::INT));
    }
}

/// What has been heard of a part so far.
#[derive(Default)]
struct Part {
    /// How many items there were to compute at first.
    expected: Option<usize>,
    done: usize,
    failed: Vec<(String, String)>,
    /// Has the process that runs now finished anything?
    progress: bool,
}

impl Processes {
    /// So many processes, at least one; `command` makes the command that does a task.
    pub fn new(count: usize, command: impl Fn(Task) -> Command + 'static) -> Processes {
        let count = count.max(1);
        let control = ProcessesControl {
            pids: Arc::new((0..count).map(|_| Pid::default()).collect()),
            ending: Arc::default(),
        };
        Processes {
            count,
            command: Box::new(command),
            listener: Arc::new(|_| ()),
            stop_if_error: false,
            control,
        }
    }

    /// Has `listener` told what the processes report, from their worker threads.
    pub fn listen(&mut self, listener: impl Fn(&Report) + Send + Sync + 'static) {
        self.listener = Arc::new(listener);
    }

    /// Should a process that ends before its part is computed, as one does that is told to stop at the
    /// first error, stop the others? Default: no.
    pub fn stop_if_error(&mut self, stop: bool) {
        self.stop_if_error = stop;
    }

    /// A handle with which the processes can be ended early.
    pub fn control(&self) -> ProcessesControl {
        self.control.clone()
    }

    /// Starts the processes and waits until every part is computed, or given up.
    ///
    /// # Errors
    ///
    /// The system's error if a process cannot be started; a cancellation from outside. The others
    /// are interrupted then, and waited for.
    pub async fn compute(self) -> Result<ProcessesOutcome, Error> {
        let outcome = Mutex::new(ProcessesOutcome::default());
        let (at_work, watching) = (Cell::new(self.count), CancelScope::new());
        let (this, outcome_, at_work_, watching_) = (&self, &outcome, &at_work, &watching);
        nursery(async |nursery| {
            for index in 1..=self.count {
                let shard = Shard::new(index, self.count)?;
                nursery.start_soon_named(format!("process for part {shard}"), async move {
                    let ended = this.see_to(shard, outcome_).await;
                    at_work_.set(at_work_.get() - 1);
                    if at_work_.get() == 0 {
                        watching_.cancel();
                    }
                    ended
                });
            }
            // A process knows nothing of cancellation until it is told.
            let cancelled = watching.run(async { Ok(sleep_forever().await?) }).await;
            if cancelled.is_err() {
                self.control.cancel();
            }
            cancelled.map(|_| ())
        })
        .await?;
        Ok(outcome.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sees to it that a part is computed, by one process after the other if need be.
    async fn see_to(&self, shard: Shard, outcome: &Mutex<ProcessesOutcome>) -> Result<(), Error> {
        let part = Arc::new(Mutex::new(Part::default()));
        let mut fruitless = 0;
        let mut again = false;
        loop {
            let mut command = (self.command)(Task { shard, again });
            command.env(PARENT_VARIABLE, process::id().to_string());
            let (heard, listener) = (part.clone(), self.listener.clone());
            lock(&part).progress = false;
            let pid = self.control.pids[shard.index() - 1].clone();
            let status = child::run(command, pid, move |line| match Report::parse(line) {
                Some(report) => {
                    lock(&heard).hear(&report);
                    listener(&report);
                }
                None => log::info!("part {shard}: {line}"),
            })
            .await?;
            let Some(death) = death(status).filter(|_| !self.control.ending.load(SeqCst)) else {
                break;
            };
            lock(outcome).deaths += 1;
            fruitless = if lock(&part).progress { 0 } else { fruitless + 1 };
            if fruitless == MAX_DEATHS {
                log::error!("the process for part {shard} {death} again: the part is given up");
                lock(outcome).given_up.push((shard, death));
                break;
            }
            log::error!("the process for part {shard} {death}: another one takes over its items");
            again = true;
        }
        let mut part = lock(&part);
        let mut outcome = lock(outcome);
        let missing = part.expected.is_some_and(|expected| part.done + part.failed.len() < expected);
        if missing && fruitless < MAX_DEATHS && !self.control.ending.load(SeqCst) {
            outcome.given_up.push((shard, "ended before everything was computed".to_owned()));
            if self.stop_if_error {
                self.control.stop();
            }
        }
        outcome.done += part.done;
        outcome.failed.append(&mut part.failed);
        Ok(())
    }
}

impl Part {
    fn hear(&mut self, report: &Report) {
        match report {
            Report::Expected(count) => {
                // Whoever takes over counts what is missing: all else is done, told or not.
                let first = *self.expected.get_or_insert(*count);
                self.done = first.saturating_sub(*count);
                self.failed.clear();
            }
            Report::Done(_) => {
                self.done += 1;
                self.progress = true;
            }
            Report::Failed(key, error) => {
                self.failed.push((key.clone(), error.clone()));
                self.progress = true;
            }
        }
    }
}

/// How a process died; `None` if it ended by itself: 0 for all well, 1 for some items failed, 130
/// for an interruption. All else is no way for it to end.
fn death(status: ExitStatus) -> Option<String> {
    match status.code() {
        Some(0 | 1 | 130) => None,
        Some(code) => Some(format!("ended with status {code}")),
        None => Some(format!("was killed ({status})")),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
