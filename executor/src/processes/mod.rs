//! A series computed by several processes.
//!
//! Each process runs an executor of its own on its [part](Shard) of the series, and reports each item that has
//! arrived. All processes write into one folder. Files are whole or absent, so the processes need not agree with
//! each other. If a process dies, another one computes what is missing of its part. If the supervisor ends, even
//! if it is killed, the processes that [watch for it](Reporter::cancel_with_supervisor) cancel their runs.
//!
//! A process runs a command. Usually this is the same program with two arguments more: its part, and whether to
//! compute only what is missing. In the process, a [`Reporter`] must be among the executor's observers.
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
//! let outcome = terzetto::run(processes.run())?;
//! println!("{} items done", outcome.done);
//! # Ok::<(), terzetto::Error>(())
//! ```
//!
//! # Ending early
//!
//! A process that must end is interrupted (SIGINT). It may not obey: it may hang, or it may ignore the signal.
//! All processes ignore it that a program without Ctrl-C has started, such as `nohup` or a script in the
//! background. So the process is terminated (SIGTERM) after a [grace period](Processes::grace), and killed
//! (SIGKILL) after another one.
//!
//! # Calls that can be killed
//!
//! A [`ProcessPool`] is another use of processes: not for a part of the series each, but for single calls that may
//! hang or crash. A process of a pool [serves](serve) one request after the other, and is killed if its call takes
//! too long.
//!
//! # Where to read
//!
//! [`Processes::run`] starts a task for each part. `part` is what such a task does, `child` is one process of
//! it. `report` is the language in which processes report, `reporter` the process's side of it. `running` and
//! `signal_queue` bring signals to the processes. `pool` and `serve` are the two sides of a pool, `frames` is what they
//! write to each other.

mod child;
mod frames;
mod part;
mod pool;
mod report;
mod reporter;
mod running;
mod serve;
mod signal_queue;

use std::{
    cell::Cell,
    process::Command,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use terzetto::{CancelScope, Error, move_on_after, nursery, signal::Signal};

use crate::shard::Shard;
pub use pool::{PoolError, ProcessPool};
pub use report::Report;
pub use reporter::Reporter;
use running::RunningProcesses;
pub use serve::serve;
use signal_queue::SignalQueue;

/// The environment variable by which a process knows that it is supervised.
pub const PARENT_VARIABLE: &str = "TERZETTO_SUPERVISOR";

/// The default of [`Processes::grace`].
const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// What one process has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Task {
    /// Its part of the series.
    pub shard: Shard,
    /// Has an earlier process of this part died? Then only what is missing must be computed.
    pub again: bool,
}

/// What has come of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessesOutcome {
    /// How many items have arrived with a value.
    pub done: usize,
    /// The items that have arrived as errors: key and error.
    pub failed: Vec<(String, String)>,
    /// How many processes have died.
    pub deaths: usize,
    /// Parts that were given up, and the reason.
    pub given_up: Vec<(Shard, String)>,
}

type Listener = Arc<dyn Fn(&Report) + Send + Sync>;

/// Several processes that share a series.
pub struct Processes {
    count: usize,
    command: Box<dyn Fn(Task) -> Command>,
    listener: Listener,
    stop_if_error: bool,
    grace: Duration,
    control: ProcessesControl,
}

/// Ends the processes early, from any thread. Clones end the same run.
#[derive(Clone)]
pub struct ProcessesControl {
    signals: SignalQueue,
    is_ending: Arc<AtomicBool>,
}

impl ProcessesControl {
    /// Lets each process finish its running items and start nothing new (SIGUSR2).
    pub fn stop(&self) {
        self.is_ending.store(true, SeqCst);
        self.signals.push(Signal::USR2);
    }

    /// Interrupts each process (SIGINT). A process that does not end is terminated after the
    /// [grace period](Processes::grace), and killed after another one.
    pub fn cancel(&self) {
        self.is_ending.store(true, SeqCst);
        self.signals.push(Signal::INT);
    }
}

impl Processes {
    /// `count` processes, at least one. `command` makes the command that does a task.
    pub fn new(count: usize, command: impl Fn(Task) -> Command + 'static) -> Processes {
        Processes {
            count: count.max(1),
            command: Box::new(command),
            listener: Arc::new(|_| ()),
            stop_if_error: false,
            grace: DEFAULT_GRACE,
            control: ProcessesControl { signals: SignalQueue::default(), is_ending: Arc::default() },
        }
    }

    /// Sets the function that is told each report of a process. It is called on the run's thread.
    pub fn listen(&mut self, listener: impl Fn(&Report) + Send + Sync + 'static) {
        self.listener = Arc::new(listener);
    }

    /// Does a process that ends before its part is computed stop the others? A process ends this way if it is
    /// told to stop at the first error. Default: no.
    pub fn stop_if_error(&mut self, stop: bool) {
        self.stop_if_error = stop;
    }

    /// How long an interrupted process may take to end, before it is terminated. It has as long again before it
    /// is killed. Default: 10 s. There is no such limit after [`ProcessesControl::stop`], which lets running
    /// items finish.
    pub fn grace(&mut self, grace: Duration) {
        self.grace = grace;
    }

    /// See [`stop_if_error`](Processes::stop_if_error).
    pub fn get_stop_if_error(&self) -> bool {
        self.stop_if_error
    }

    /// See [`grace`](Processes::grace).
    pub fn get_grace(&self) -> Duration {
        self.grace
    }

    /// A handle that can end the processes early.
    pub fn control(&self) -> ProcessesControl {
        self.control.clone()
    }

    /// Starts the processes, and waits until every part is computed or given up.
    ///
    /// # Errors
    ///
    /// The system's error if a process cannot be started; a cancellation from outside. In both cases the other
    /// processes are interrupted and waited for.
    ///
    /// # Cancellation
    ///
    /// The processes are interrupted, terminated after a [grace period](Processes::grace), and killed after
    /// another one. All of them have ended when this returns.
    pub async fn run(self) -> Result<ProcessesOutcome, Error> {
        let outcome = Mutex::new(ProcessesOutcome::default());
        let (unfinished_parts, running) = (Cell::new(self.count), RunningProcesses::default());
        // Signals are forwarded until no process is left. Before a cancellation this happens in the first
        // scope. After it, in the second one, which is shielded.
        let (before, after) = (CancelScope::new(), CancelScope::new().shielded(true));
        let (this, running, outcome_, unfinished_, scopes) =
            (&self, &running, &outcome, &unfinished_parts, [&before, &after]);
        nursery(async |nursery| {
            for index in 1..=self.count {
                let shard = Shard::new(index, self.count)?;
                nursery.start_soon_named(format!("process for part {shard}"), async move {
                    let ended = this.run_part(shard, running, outcome_).await;
                    unfinished_.set(unfinished_.get() - 1);
                    if unfinished_.get() == 0 {
                        scopes.iter().for_each(|scope| scope.cancel());
                    }
                    ended
                });
            }
            // A cancellation does not reach a process by itself. So the process is sent a signal.
            let ended = before.run(self.forward_signals(running, None)).await;
            if ended.is_err() {
                self.control.is_ending.store(true, SeqCst);
                after.run(self.forward_signals(running, Some(Signal::INT))).await?;
            }
            ended.map(|_| ())
        })
        .await?;
        Ok(outcome.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends the processes `first`, and then the signals of the queue. After SIGINT and SIGTERM, it sends the
    /// next harsher signal when the grace period is over.
    async fn forward_signals(&self, running: &RunningProcesses, first: Option<Signal>) -> Result<(), Error> {
        let mut sent = first;
        if let Some(first) = first {
            running.signal(first);
        }
        loop {
            let queued = async { Ok(self.control.signals.next().await?) };
            let signal = match sent.and_then(harsher) {
                None => queued.await?,
                Some(harsher) => match move_on_after(self.grace.as_secs_f64(), queued).await? {
                    Some(signal) => signal,
                    None => {
                        log::warn!(
                            "processes go on {:?} after {}: {harsher} is sent",
                            self.grace,
                            sent.map(|signal| signal.to_string()).unwrap_or_default()
                        );
                        harsher
                    }
                },
            };
            running.signal(signal);
            sent = Some(signal);
        }
    }
}

/// The signal for a process that does not end after `signal`.
fn harsher(signal: Signal) -> Option<Signal> {
    match signal {
        Signal::INT => Some(Signal::TERM),
        Signal::TERM => Some(Signal::KILL),
        _ => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
