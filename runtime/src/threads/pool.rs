//! The pool: worker threads that are kept for a while when they are idle.
//!
//! A job goes to an idle worker, or to a new one if there is none and the limit allows, or into the
//! queue. Workers end after some seconds without work, and with the run.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// As many threads at most, as trio's default limiter has it: jobs that wait for the system are
/// cheap, and a limit so high only guards against thousands.
const MAX_WORKERS: usize = 40;

/// How long a worker waits for more work.
const IDLE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    workers: usize,
    idle: usize,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Jobs run outside the lock, so the state is whole whatever they do.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.lock();
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let (woken, timeout) =
                self.changed.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                break;
            }
        }
        state.workers -= 1;
        drop(state);
        self.changed.notify_all();
    }
}

/// The worker threads of a run.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

impl Pool {
    pub(crate) fn new() -> Pool {
        Pool { shared: Arc::default() }
    }

    /// Gives a job to a worker. Jobs do not panic: they catch.
    pub(crate) fn submit(&self, job: Job) -> io::Result<()> {
        let mut state = self.shared.lock();
        state.jobs.push_back(job);
        if state.idle < state.jobs.len() && state.workers < MAX_WORKERS {
            let shared = self.shared.clone();
            let spawned = thread::Builder::new().name("terzetto worker".into()).spawn(move || shared.work());
            match spawned {
                Ok(_) => state.workers += 1,
                Err(error) if state.workers == 0 => {
                    state.jobs.pop_back();
                    return Err(error);
                }
                Err(error) => log::warn!("could not start another worker thread: {error}"),
            }
        }
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Sends idle workers home and waits until they have left. A worker that is still busy with a
    /// job that nobody waits for leaves when it is done.
    pub(crate) fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.jobs.clear();
        self.shared.changed.notify_all();
        while state.idle > 0 {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
