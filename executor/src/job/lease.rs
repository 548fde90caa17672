//! Renews a lock while its job runs.
//!
//! A thread does it, and not the works: an item may take an hour. A process that was stopped, or whose machine was
//! cut off, may find that its lease has ended in the meantime. If another run has begun since, this one has *lost*
//! its folder and must end. Both would compute the same items otherwise.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    folder::{JobError, other_job, time_of},
    lock::{Lock, age},
};

/// A lock is renewed so many times within its lease. So a few renewals may fail or be late.
const RENEWALS: u32 = 4;

/// A lock that is renewed until this value is dropped.
pub(super) struct Lease {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    results: PathBuf,
    job: PathBuf,
    file: PathBuf,
    lock: Lock,
    state: Mutex<LeaseState>,
    changed: Condvar,
}

#[derive(Default)]
struct LeaseState {
    ends: bool,
    lost: Option<JobError>,
    when_lost: Option<Box<dyn FnOnce() + Send>>,
}

impl Lease {
    /// Renews `lock`, which has been written to `file` in the folder `job` of the folder `results`.
    pub fn start(results: PathBuf, job: PathBuf, file: PathBuf, lock: Lock) -> io::Result<Lease> {
        let (state, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { results, job, file, lock, state, changed });
        let renewing = shared.clone();
        let thread = thread::Builder::new().name("lease of the job".into()).spawn(move || renewing.run())?;
        Ok(Lease { shared, thread: Some(thread) })
    }

    /// Sets the function that is called, in another thread, when another run has taken the folder.
    pub fn when_lost(&self, call: impl FnOnce() + Send + 'static) {
        self.shared.state().when_lost = Some(Box::new(call));
    }

    /// Who has taken the folder, if it is lost.
    pub fn take_lost(&self) -> Option<JobError> {
        self.shared.state().lost.take()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shared.state().ends = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // If the thread has panicked, the lock was not renewed any more, and that is all.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, LeaseState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut warned = false;
        while self.wait(self.lock.lease / RENEWALS) {
            match self.renew() {
                Ok(()) => warned = false,
                Err(Failure::Lost(error)) => {
                    log::error!("{error}: this run ends");
                    let mut state = self.state();
                    state.lost = Some(error);
                    let when_lost = state.when_lost.take();
                    drop(state);
                    if let Some(call) = when_lost {
                        call();
                    }
                    return;
                }
                Err(Failure::Io(error)) if !warned => {
                    warned = true;
                    log::warn!("cannot renew `{}`: {error}; it is tried again", self.file.display());
                }
                Err(Failure::Io(_)) => {}
            }
        }
    }

    /// Waits, and returns whether to go on.
    fn wait(&self, period: Duration) -> bool {
        let state = self.state();
        let waited = self.changed.wait_timeout_while(state, period, |state| !state.ends);
        !waited.unwrap_or_else(PoisonError::into_inner).0.ends
    }

    fn renew(&self) -> Result<(), Failure> {
        let now = time_of(&self.results);
        let missed = age(&self.file, now).is_none_or(|age| age >= self.lock.lease);
        if missed && let Some(other) = other_job(&self.results, &self.job, &self.lock) {
            return Err(Failure::Lost(JobError::TakenOver(Box::new(other))));
        }
        match self.lock.renew(&self.file) {
            // Somebody has removed the lock, and nobody has begun another run.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.lock.write(&self.file)?,
            renewed => renewed?,
        }
        Ok(())
    }
}

enum Failure {
    Lost(JobError),
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}
