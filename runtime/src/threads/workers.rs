//! Worker threads that stay for a while when they have nothing to do.
//!
//! The [pool](crate::threads::pool) decides which of them does a job. If none is free, a new thread is made. The
//! number of threads is not limited here. As in trio, limiters do that.

use crate::threads::{
    job::Work,
    name::ThreadName,
    pool::{Brought, Pool},
};
use std::{
    io, process,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// How long an idle worker stays, usually.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it keeps the name of its last job. The next job usually has the same name, and comes before that time. So
/// names cost a busy worker nothing.
const KEEPS_NAME: Duration = Duration::from_millis(20);

/// The name of an idle worker.
const IDLE: &str = "terzetto idle";

type AnyJob = Arc<dyn Work>;

/// The place where one worker sleeps.
struct Sleeper {
    thread: Thread,
    /// Set by the thread that has taken it out of the pool's sleepers.
    called: AtomicBool,
}

impl Sleeper {
    /// Of this thread.
    fn new() -> Arc<Sleeper> {
        Arc::new(Sleeper { thread: thread::current(), called: AtomicBool::new(false) })
    }

    /// Wakes the worker. Do not call this under the pool's lock, since the worker takes that lock next.
    fn wake(&self) {
        self.called.store(true, Ordering::Release);
        self.thread.unpark();
    }

    /// Sleeps until it is called, or until that instant. Returns whether it was called.
    fn sleep_until(&self, until: Instant) -> bool {
        loop {
            // If something else has woken it, it sleeps on. Jobs may unpark their own thread.
            if self.called.swap(false, Ordering::Acquire) {
                return true;
            }
            let now = Instant::now();
            if now >= until {
                return false;
            }
            thread::park_timeout(until - now);
        }
    }

    /// Sleeps until the call, which will come soon.
    fn sleep(&self) {
        while !self.called.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

struct PoolState {
    pool: Pool<AnyJob, Arc<Sleeper>>,
    /// How many workers there are.
    count: usize,
    closed: bool,
}

struct WorkersShared {
    state: Mutex<PoolState>,
    left: Condvar,
    /// How long an idle worker stays.
    idle_timeout: Duration,
}

impl WorkersShared {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        // Jobs run outside the lock, so the data under it is consistent even if a job panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a worker.
    fn serve(&self, first: AnyJob) {
        let sleeper = Sleeper::new();
        let mut name = ThreadName::default();
        let mut job = Some(first);
        while let Some(work) = job {
            name.set(work.name());
            let done = work.work();
            // The worker becomes free first, and then reports the end of its job. So if the receiver of the report
            // has more work, it finds this worker free.
            let found = self.lock().pool.next();
            let next = found.map(begin);
            done.announce();
            job = next.or_else(|| self.search(&sleeper, &mut name));
        }
        self.left.notify_all();
    }

    /// Searches and sleeps until there is a job. Returns `None` if the worker leaves.
    fn search(&self, sleeper: &Arc<Sleeper>, name: &mut ThreadName) -> Option<AnyJob> {
        let mut idle_since = None;
        loop {
            let mut state = self.lock();
            if let Some(found) = state.pool.look() {
                drop(state);
                return Some(begin(found));
            }
            // It was woken without getting a job, so its idle time goes on.
            let since = *idle_since.get_or_insert_with(Instant::now);
            if state.closed || since.elapsed() >= self.idle_timeout {
                state.count -= 1;
                return None;
            }
            state.pool.sleep(sleeper.clone());
            drop(state);
            self.sleep(sleeper, since, name);
        }
    }

    /// Sleeps until it must search again, because it was called or has waited for too long.
    fn sleep(&self, sleeper: &Arc<Sleeper>, since: Instant, name: &mut ThreadName) {
        if sleeper.sleep_until(since + KEEPS_NAME) {
            return;
        }
        name.set(IDLE);
        if sleeper.sleep_until(since + self.idle_timeout) {
            return;
        }
        let woken = self.lock().pool.wake(|other| Arc::ptr_eq(other, sleeper));
        if woken.is_none() {
            // Called in the meantime.
            sleeper.sleep();
        }
    }
}

/// Wakes the worker that must be woken before this job begins.
fn begin((job, next): (AnyJob, Option<Arc<Sleeper>>)) -> AnyJob {
    if let Some(sleeper) = next {
        sleeper.wake();
    }
    job
}

/// The worker threads of a run.
pub(crate) struct Workers {
    shared: Arc<WorkersShared>,
    stack_size: Option<usize>,
    /// The process to which the threads belong.
    process: u32,
}

impl Workers {
    /// A set without workers. Each worker will have a stack of this size, or of the system's usual size.
    pub(crate) fn new(stack_size: Option<usize>) -> Workers {
        Workers::with_idle_timeout(stack_size, IDLE_TIMEOUT)
    }

    fn with_idle_timeout(stack_size: Option<usize>, idle_timeout: Duration) -> Workers {
        let state = PoolState { pool: Pool::new(), count: 0, closed: false };
        let shared = WorkersShared { state: Mutex::new(state), left: Condvar::new(), idle_timeout };
        Workers { shared: Arc::new(shared), stack_size, process: process::id() }
    }

    /// Gives a job to a worker, which starts it at once.
    pub(crate) fn start(&self, work: AnyJob) -> io::Result<()> {
        let mut state = self.shared.lock();
        let brought = state.pool.bring(work);
        state.count += usize::from(matches!(brought, Brought::Refused(_)));
        drop(state);
        match brought {
            Brought::Queued => Ok(()),
            Brought::Wakes(sleeper) => {
                sleeper.wake();
                Ok(())
            }
            Brought::Refused(work) => self.hire(work),
        }
    }

    /// Makes a worker, which is counted already.
    fn hire(&self, first: AnyJob) -> io::Result<()> {
        let mut builder = thread::Builder::new().name("terzetto worker".into());
        if let Some(size) = self.stack_size {
            builder = builder.stack_size(size);
        }
        let shared = self.shared.clone();
        let hired = builder.spawn(move || shared.serve(first));
        if hired.is_err() {
            self.shared.lock().count -= 1;
        }
        hired.map(drop)
    }

    /// Makes idle workers end, and waits until they have ended. A worker that is still busy with an abandoned job ends
    /// when the job is done.
    pub(crate) fn close(&self, busy: usize) {
        // A forked child has none of its parent's threads, so there is no thread to wait for.
        if self.process != process::id() {
            return;
        }
        let mut state = self.shared.lock();
        state.closed = true;
        let asleep = state.pool.wake_all();
        drop(state);
        asleep.iter().for_each(|sleeper| sleeper.wake());
        let mut state = self.shared.lock();
        while state.count > busy {
            state = self.shared.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{super::job, Workers};
    use crate::core::{run::inbox::Inbox, task::context_values::TaskContext};
    use std::{
        sync::{Arc, Barrier, OnceLock},
        thread,
        time::{Duration, Instant},
    };

    /// Starts so many jobs that all wait for each other.
    fn meet(workers: &Workers, size: usize) {
        let poll = mio::Poll::new().unwrap();
        let inbox = Arc::new(Inbox::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap()));
        let barrier = Arc::new(Barrier::new(size + 1));
        for key in 0..size {
            let shared = job::JobShared {
                inbox: inbox.clone(),
                key,
                cancelled: OnceLock::new(),
                notes: None,
                turn: None,
            };
            let attends = barrier.clone();
            let job = job::Job::new(None, move || attends.wait(), TaskContext::default(), Arc::new(shared));
            workers.start(job).unwrap();
        }
        barrier.wait();
        let mut done = 0;
        while done < size {
            done += inbox.take().count();
            thread::yield_now();
        }
    }

    fn count(workers: &Workers) -> usize {
        workers.shared.lock().count
    }

    #[test]
    fn idle_workers_leave_after_a_while() {
        let workers = Workers::with_idle_timeout(None, Duration::from_millis(50));
        for _ in 0..2 {
            meet(&workers, 4);
            let start = Instant::now();
            while count(&workers) > 0 {
                assert!(start.elapsed() < Duration::from_secs(20), "{} are still there", count(&workers));
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    #[test]
    fn idle_workers_stay_until_the_run_ends() {
        let workers = Workers::new(None);
        for _ in 0..100 {
            meet(&workers, 4);
        }
        thread::sleep(super::KEEPS_NAME * 2);
        assert_eq!(count(&workers), 4, "whose job is known to be done is free");
        workers.close(0);
        assert_eq!(count(&workers), 0);
    }
}
