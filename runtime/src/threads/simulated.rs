//! Jobs for threads in a test that must repeat itself: one at a time, on the run's clock.
//!
//! Real threads finish in an order that nobody controls. A test that tries schedules needs to control it. Here each job
//! gets a time on the run's clock. When that time has come, a worker thread does the whole job, and the loop waits for
//! it. So exactly one of them runs at any moment, and the order of everything is decided by the clock and by the order
//! of the batch.
//!
//! A job may call back into the loop. Then the turn goes to the loop, which does the call in its usual place, and back
//! to the job with the answer. A job must not wait for anything else of the run, such as another job that has not
//! begun: the loop would wait for it for ever. That is noticed after [`PATIENCE`], and fails the run.

use crate::{
    CancelScope, Error,
    lowlevel::spawn_system_task,
    sleep,
    threads::{
        job::{Done, Work},
        job_table::Threads,
    },
};
use std::{
    rc::Rc,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How many seconds of the run's clock the next job takes.
pub(crate) type JobDuration = Rc<dyn Fn() -> f64>;

/// How long, in real time, a job may keep the loop waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whose turn it is: a job's or the loop's.
#[derive(Default)]
pub(crate) struct Turn {
    is_jobs: Mutex<bool>,
    passed: Condvar,
}

impl Turn {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The job goes on. The caller is the loop, which then [waits](Turn::wait_for_loop).
    pub(super) fn give_to_job(&self) {
        *self.lock() = true;
    }

    /// The loop goes on. The caller is the job's thread.
    pub(super) fn leave_to_loop(&self) {
        *self.lock() = false;
        self.passed.notify_all();
    }

    /// Blocks the loop until it is its turn.
    ///
    /// # Panics
    /// If the job keeps the turn for too long.
    pub(super) fn wait_for_loop(&self) {
        let waited = self.passed.wait_timeout_while(self.lock(), PATIENCE, |is_jobs| *is_jobs);
        let (is_jobs, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *is_jobs && !thread::panicking() {
            drop(is_jobs);
            panic!(
                "a job of `to_thread` took more than {} s. In this test the loop waits for each job, so a job must not \
                 wait for another job, or for anything that the run does, except through `from_thread`",
                PATIENCE.as_secs()
            );
        }
    }
}

/// A job that gives the turn back to the loop when it is done.
struct InTurn {
    job: Arc<dyn Work>,
    turn: Arc<Turn>,
}

impl Work for InTurn {
    fn work(self: Arc<Self>) -> Done {
        // The loop is told first, so that it finds the message when its turn comes.
        self.job.clone().work().announce();
        self.turn.leave_to_loop();
        Done::deliver(|| ())
    }

    fn name(&self) -> &str {
        self.job.name()
    }
}

/// Does a job in a worker thread, and waits for it or for its first call to the loop.
fn work_in_turn(threads: &Threads, job: Arc<dyn Work>, turn: &Arc<Turn>) -> Result<(), Error> {
    turn.give_to_job();
    threads.workers.start(Arc::new(InTurn { job, turn: turn.clone() }))?;
    turn.wait_for_loop();
    Ok(())
}

/// Starts a job that is done after so many seconds of the run's clock.
pub(super) fn start_simulated(threads: Rc<Threads>, job: Arc<dyn Work>, turn: Arc<Turn>, seconds: f64) {
    let (later, its_turn, its_threads) = (job.clone(), turn.clone(), threads.clone());
    let started = spawn_system_task("a simulated thread", async move {
        // As a real thread, it does its job even if nobody waits for it any more.
        CancelScope::new().shielded(true).run(async { Ok(sleep(seconds).await?) }).await?;
        work_in_turn(&its_threads, later, &its_turn)
    });
    // A run that is about to end starts no more tasks.
    if started.is_err()
        && let Err(error) = work_in_turn(&threads, job, &turn)
    {
        log::error!("a job was not done, since no thread could be started for it: {error}");
    }
}
