//! Worker threads that are kept for a while when they have nothing to do.
//!
//! Which of them does a job, or that none is free for it, is decided by the [pool](super::pool). If none
//! is free a new thread is made. How many there may be is not decided here: that is the limiters' affair,
//! as in trio.

use super::{
    job::Work,
    name::ThreadName,
    pool::{Brought, Pool},
};
use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// How long an idle worker stays.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it keeps the name of its last job. The next is mostly of the same name, and comes sooner: so
/// names cost a busy worker nothing.
const KEEPS_NAME: Duration = Duration::from_millis(20);

/// The name of an idle worker.
const IDLE: &str = "terzetto idle";

type Job = Arc<dyn Work>;

/// The place where one worker sleeps.
struct Bed {
    thread: Thread,
    /// Set when it is taken out of the pool's sleepers, under the pool's lock.
    called: AtomicBool,
}

impl Bed {
    /// Of this thread.
    fn new() -> Arc<Bed> {
        Arc::new(Bed { thread: thread::current(), called: AtomicBool::new(false) })
    }

    /// Wakes the worker, without the pool's lock: it wants that next.
    fn wake(&self) {
        self.called.store(true, Ordering::Release);
        self.thread.unpark();
    }

    /// Sleeps until it is called. Returns whether it was, before that instant.
    fn sleep_until(&self, until: Instant) -> bool {
        loop {
            // Woken by something else, it sleeps on: jobs may unpark their own thread.
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

    /// Sleeps until it is called, which is on the way.
    fn sleep(&self) {
        while !self.called.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

struct State {
    pool: Pool<Job, Arc<Bed>>,
    /// How many workers there are.
    count: usize,
    closed: bool,
}

struct Shared {
    state: Mutex<State>,
    left: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Jobs run outside the lock, so what it guards is whole whatever they do.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a worker.
    fn serve(&self, first: Job) {
        let bed = Bed::new();
        let mut name = ThreadName::default();
        let mut job = Some(first);
        while let Some(work) = job {
            name.set(work.name());
            let done = work.work();
            // Free first, then the news: whoever has more work on hearing it finds this worker.
            let next = self.lock().pool.next();
            done.announce();
            job = match next {
                Some(found) => Some(begin(found)),
                None => self.search(&bed, &mut name),
            };
        }
        self.left.notify_all();
    }

    /// Searches and sleeps until there is a job; none if the worker leaves.
    fn search(&self, bed: &Arc<Bed>, name: &mut ThreadName) -> Option<Job> {
        let mut idle_since = None;
        loop {
            let mut state = self.lock();
            if let Some(found) = state.pool.look() {
                drop(state);
                return Some(begin(found));
            }
            if state.closed {
                state.count -= 1;
                return None;
            }
            state.pool.sleep(bed.clone());
            drop(state);
            // Woken in vain, it has not become younger.
            let since = *idle_since.get_or_insert_with(Instant::now);
            if bed.sleep_until(since + KEEPS_NAME) {
                continue;
            }
            name.set(IDLE);
            if bed.sleep_until(since + PATIENCE) {
                continue;
            }
            let mut state = self.lock();
            if state.pool.wake(|other| Arc::ptr_eq(other, bed)).is_none() {
                drop(state);
                bed.sleep();
                continue;
            }
            match state.pool.look() {
                Some(found) => {
                    drop(state);
                    return Some(begin(found));
                }
                None => {
                    state.count -= 1;
                    return None;
                }
            }
        }
    }
}

/// Wakes the worker that is to be woken before this job begins.
fn begin((job, next): (Job, Option<Arc<Bed>>)) -> Job {
    if let Some(bed) = next {
        bed.wake();
    }
    job
}

/// The worker threads of a run.
pub(crate) struct Workers {
    shared: Arc<Shared>,
    stack_size: Option<usize>,
}

impl Workers {
    /// No workers yet; each will have a stack of this size, or of the system's usual one.
    pub(crate) fn new(stack_size: Option<usize>) -> Workers {
        let state = State { pool: Pool::new(), count: 0, closed: false };
        Workers { shared: Arc::new(Shared { state: Mutex::new(state), left: Condvar::new() }), stack_size }
    }

    /// Gives a job to a worker, which starts it at once.
    pub(crate) fn start(&self, work: Job) -> io::Result<()> {
        let mut state = self.shared.lock();
        let brought = state.pool.bring(work);
        state.count += usize::from(matches!(brought, Brought::Refused(_)));
        drop(state);
        match brought {
            Brought::Queued => Ok(()),
            Brought::Wakes(bed) => {
                bed.wake();
                Ok(())
            }
            Brought::Refused(work) => self.hire(work),
        }
    }

    /// Makes a worker, which is counted already.
    fn hire(&self, first: Job) -> io::Result<()> {
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

    /// Sends idle workers home and waits until they have left. One that is still busy with a job that
    /// nobody waits for leaves when it is done.
    pub(crate) fn close(&self, busy: usize) {
        let mut state = self.shared.lock();
        state.closed = true;
        let asleep = state.pool.wake_all();
        drop(state);
        asleep.iter().for_each(|bed| bed.wake());
        let mut state = self.shared.lock();
        while state.count > busy {
            state = self.shared.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
