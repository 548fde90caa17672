//! Worker threads that are kept for a while when they have nothing to do.
//!
//! A job goes to the worker that became idle last: its stack and caches are warm, and the others can
//! grow old and leave. If none is idle a new thread is made. How many there may be is not decided
//! here: that is the limiters' affair, as in trio.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// Something for a worker to do. It does not panic: it catches.
pub(crate) trait Work: Send + Sync {
    /// Does it; once.
    fn work(&self);
    /// Tells whoever waits that it is done.
    fn announce(self: Arc<Self>);
    /// What the thread is called meanwhile.
    fn name(&self) -> &str;
}

/// How long an idle worker stays.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it keeps the name of its last job. The next is mostly of the same name, and comes sooner: so
/// names cost a busy worker nothing.
const KEEPS_NAME: Duration = Duration::from_millis(20);

/// The name of an idle worker.
const IDLE: &str = "terzetto idle";

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Work runs outside the locks, so what they guard is whole whatever it does.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place where one worker is handed its next job.
#[derive(Default)]
struct Desk {
    next: Mutex<Option<Arc<dyn Work>>>,
    handed: Condvar,
}

#[derive(Default)]
struct State {
    /// The desks of idle workers, the one that became idle last on top.
    idle: Vec<Arc<Desk>>,
    /// How many workers there are.
    count: usize,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    left: Condvar,
}

impl Shared {
    fn serve(&self, first: Arc<dyn Work>) {
        let desk = Arc::new(Desk::default());
        let mut name = ThreadName::default();
        let mut job = Some(first);
        while let Some(work) = job {
            name.set(work.name());
            work.work();
            // Idle first, then the news: whoever has more work on hearing it finds this worker free.
            let stays = self.sit_down(&desk);
            work.announce();
            job = if stays { self.next(&desk, &mut name) } else { None };
        }
        lock(&self.state).count -= 1;
        self.left.notify_all();
    }

    /// Makes a desk known as one where a job can be handed over; not if there will be none.
    fn sit_down(&self, desk: &Arc<Desk>) -> bool {
        let mut state = lock(&self.state);
        if !state.closed {
            state.idle.push(desk.clone());
        }
        !state.closed
    }

    /// Waits at a desk for the next job; none if there will be none.
    fn next(&self, desk: &Arc<Desk>, name: &mut ThreadName) -> Option<Arc<dyn Work>> {
        let mut next = lock(&desk.next);
        let (mut impatient, mut waits) = (false, KEEPS_NAME);
        loop {
            if let Some(work) = next.take() {
                return Some(work);
            }
            {
                let mut state = lock(&self.state);
                if impatient || state.closed {
                    let place = state.idle.iter().position(|idle| Arc::ptr_eq(idle, desk));
                    // If the desk is not there any more, somebody is about to hand a job over.
                    if let Some(place) = place {
                        state.idle.remove(place);
                        return None;
                    }
                }
            }
            let (woken, timeout) =
                desk.handed.wait_timeout(next, waits).unwrap_or_else(PoisonError::into_inner);
            next = woken;
            if timeout.timed_out() {
                impatient = waits == PATIENCE;
                waits = PATIENCE;
                name.set(IDLE);
            }
        }
    }
}

/// What the thread is called by whoever looks at the process from outside.
#[derive(Default)]
struct ThreadName(String);

impl ThreadName {
    fn set(&mut self, name: &str) {
        // The system takes 15 bytes and a zero.
        let fits = (0..=15.min(name.len())).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
        let name = &name[..fits];
        if self.0 == name {
            return;
        }
        name.clone_into(&mut self.0);
        #[cfg(target_os = "linux")]
        if let Ok(name) = std::ffi::CString::new(name) {
            // A thread without its name works as well.
            let _unnamed = rustix::thread::set_name(&name);
        }
    }
}

/// The worker threads of a run.
pub(crate) struct Workers {
    shared: Arc<Shared>,
    stack_size: Option<usize>,
}

impl Workers {
    /// No workers yet; each will have a stack of this size, or of the system's usual one.
    pub(crate) fn new(stack_size: Option<usize>) -> Workers {
        Workers { shared: Arc::default(), stack_size }
    }

    /// Gives a job to a worker, which starts it at once.
    pub(crate) fn start(&self, work: Arc<dyn Work>) -> io::Result<()> {
        let mut state = lock(&self.shared.state);
        if let Some(desk) = state.idle.pop() {
            drop(state);
            *lock(&desk.next) = Some(work);
            desk.handed.notify_one();
            return Ok(());
        }
        let mut builder = thread::Builder::new().name("terzetto worker".into());
        if let Some(size) = self.stack_size {
            builder = builder.stack_size(size);
        }
        let shared = self.shared.clone();
        builder.spawn(move || shared.serve(work))?;
        state.count += 1;
        Ok(())
    }

    /// Sends idle workers home and waits until they have left. One that is still busy with a job that
    /// nobody waits for leaves when it is done.
    pub(crate) fn close(&self, busy: usize) {
        let idle = {
            let mut state = lock(&self.shared.state);
            state.closed = true;
            // A copy: a worker holds its desk's lock when it asks for this one.
            state.idle.clone()
        };
        for desk in idle {
            // Under the desk's lock, so that the worker is waiting or has yet to see the flag.
            let _at_desk = lock(&desk.next);
            desk.handed.notify_one();
        }
        let mut state = lock(&self.shared.state);
        while state.count > busy {
            state = self.shared.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
