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
//! # Ending early
//!
//! A process that is to end is interrupted (SIGINT). It may not obey: it hangs, or ignores the signal, as all do that
//! a program without Ctrl-C has started (with `nohup`, in the background of a script). So after a
//! [grace period](Processes::grace) it is terminated (SIGTERM), and after another one killed (SIGKILL).
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

mod child;
mod report;

use std::{
    cell::Cell,
    process::{self, Command, ExitStatus},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use terzetto::{CancelScope, Error, move_on_after, nursery, signal::Signal};

use crate::shard::Shard;

/// The variable by which a process tells those that it supervises that they belong to it.
pub const PARENT_VARIABLE: &str = "TERZETTO_SUPERVISOR";
use child::{Mail, Running};
pub use report::{Report, Reporter};

/// See [`Processes::grace`].
const GRACE: Duration = Duration::from_secs(10);

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
    grace: Duration,
    control: ProcessesControl,
}

/// Ends the processes early. Clones end the same run.
#[derive(Clone)]
pub struct ProcessesControl {
    mail: Mail,
    ending: Arc<AtomicBool>,
}

impl ProcessesControl {
    /// Lets each process finish what runs and start nothing new (SIGUSR2).
    pub fn stop(&self) {
        self.ending.store(true, SeqCst);
        self.mail.send(Signal::USR2);
    }

    /// Interrupts each process (SIGINT); one that does not end is terminated after the
    /// [grace period](Processes::grace), and killed after another.
    pub fn cancel(&self) {
        self.ending.store(true, SeqCst);
        self.mail.send(Signal::INT);
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
        let control = ProcessesControl { mail: Mail::default(), ending: Arc::default() };
        Processes {
            count,
            command: Box::new(command),
            listener: Arc::new(|_| ()),
            stop_if_error: false,
            grace: GRACE,
            control,
        }
    }

    /// Has `listener` told what the processes report, on the run's thread.
    pub fn listen(&mut self, listener: impl Fn(&Report) + Send + Sync + 'static) {
        self.listener = Arc::new(listener);
    }

    /// Should a process that ends before its part is computed, as one does that is told to stop at the
    /// first error, stop the others? Default: no.
    pub fn stop_if_error(&mut self, stop: bool) {
        self.stop_if_error = stop;
    }

    /// How long a process that was interrupted may take to end until it is terminated, and then until it is killed.
    /// Default: 10 s. It is no limit for [`ProcessesControl::stop`], which lets running work finish.
    pub fn grace(&mut self, grace: Duration) {
        self.grace = grace;
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
    ///
    /// # Cancellation
    ///
    /// The processes are interrupted, terminated after a [grace period](Processes::grace), and killed after another; all
    /// of them have ended when this returns.
    pub async fn run(self) -> Result<ProcessesOutcome, Error> {
        let outcome = Mutex::new(ProcessesOutcome::default());
        let (at_work, running) = (Cell::new(self.count), Running::default());
        // What passes signals on is done when no process is left: before a cancellation, and after one.
        let (watching, ending) = (CancelScope::new(), CancelScope::new().shielded(true));
        let (this, outcome_, at_work_, scopes) = (&self, &outcome, &at_work, [&watching, &ending]);
        let running = &running;
        nursery(async |nursery| {
            for index in 1..=self.count {
                let shard = Shard::new(index, self.count)?;
                nursery.start_soon_named(format!("process for part {shard}"), async move {
                    let ended = this.see_to(shard, running, outcome_).await;
                    at_work_.set(at_work_.get() - 1);
                    if at_work_.get() == 0 {
                        scopes.iter().for_each(|scope| scope.cancel());
                    }
                    ended
                });
            }
            // A process knows nothing of cancellation until it is told.
            let ended = watching.run(self.pass_on(running, None)).await;
            if ended.is_err() {
                self.control.ending.store(true, SeqCst);
                ending.run(self.pass_on(running, Some(Signal::INT))).await?;
            }
            ended.map(|_| ())
        })
        .await?;
        Ok(outcome.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends the processes `first`, and the signals that come by mail; after an interruption, what a process cannot
    /// overhear.
    async fn pass_on(&self, running: &Running, first: Option<Signal>) -> Result<(), Error> {
        let mut sent = first;
        if let Some(first) = first {
            running.signal(first);
        }
        loop {
            let mail = async { Ok(self.control.mail.next().await?) };
            let signal = match sent.and_then(harsher) {
                None => mail.await?,
                Some(harsher) => match move_on_after(self.grace.as_secs_f64(), mail).await? {
                    Some(signal) => signal,
                    None => {
                        log::warn!(
                            "processes go on {:?} after {}: {harsher} is sent",
                            self.grace,
                            name(sent)
                        );
                        harsher
                    }
                },
            };
            running.signal(signal);
            sent = Some(signal);
        }
    }

    /// Sees to it that a part is computed, by one process after the other if need be.
    async fn see_to(
        &self,
        shard: Shard,
        running: &Running,
        outcome: &Mutex<ProcessesOutcome>,
    ) -> Result<(), Error> {
        let part = Arc::new(Mutex::new(Part::default()));
        let mut fruitless = 0;
        let mut again = false;
        loop {
            let mut command = (self.command)(Task { shard, again });
            command.env(PARENT_VARIABLE, process::id().to_string());
            let (heard, listener) = (part.clone(), self.listener.clone());
            lock(&part).progress = false;
            let status = child::run(command, running, self.grace, |line| match Report::parse(line) {
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
        let unfinished = match part.expected {
            None => Some("ended without a word about what it had to compute".to_owned()),
            Some(expected) if part.done + part.failed.len() < expected => {
                let missing = expected - part.done - part.failed.len();
                Some(format!(
                    "ended before everything was computed: {missing} of {expected} items are missing"
                ))
            }
            Some(_) => None,
        };
        if let Some(why) = unfinished
            && fruitless < MAX_DEATHS
            && !self.control.ending.load(SeqCst)
        {
            log::error!("the process for part {shard} {why}");
            outcome.given_up.push((shard, why));
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

/// What is sent to a process that does not end after a signal.
fn harsher(signal: Signal) -> Option<Signal> {
    match signal {
        Signal::INT => Some(Signal::TERM),
        Signal::TERM => Some(Signal::KILL),
        _ => None,
    }
}

fn name(signal: Option<Signal>) -> String {
    signal.map(|signal| signal.to_string()).unwrap_or_default()
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
