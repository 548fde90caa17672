//! What the worker threads of a run have done, for who records the run.
//!
//! Nothing is kept until somebody asks for the log. Before that, a job costs one look at whether there is one.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::Instant,
};

/// A job that a thread has done, or a part of one.
#[derive(Debug, Clone)]
pub(crate) struct JobSpan {
    pub(crate) name: String,
    /// Which thread: the first that had a job is 0.
    pub(crate) thread: usize,
    /// The task that waits for the job.
    pub(crate) task: Option<u64>,
    pub(crate) from: Instant,
    /// `None` while it goes on.
    pub(crate) to: Option<Instant>,
}

/// The jobs of a run's worker threads.
#[derive(Default)]
pub(crate) struct JobLog(Mutex<LogState>);

#[derive(Default)]
struct LogState {
    /// How many spans are kept. `None` is all.
    keeps: Option<usize>,
    threads: Vec<ThreadId>,
    ended: VecDeque<JobSpan>,
    under_way: Vec<(u64, JobSpan)>,
    next: u64,
}

impl JobLog {
    pub(super) fn new(keeps: Option<usize>) -> JobLog {
        JobLog(Mutex::new(LogState { keeps, ..LogState::default() }))
    }

    fn state(&self) -> MutexGuard<'_, LogState> {
        // No code of the user runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody else wants so many spans, too.
    pub(super) fn keep(&self, keeps: Option<usize>) {
        let mut state = self.state();
        state.keeps = state.keeps.zip(keeps).map(|(one, other)| one.max(other));
    }

    /// All that it knows: what has ended, and then what goes on.
    pub(crate) fn spans(&self) -> Vec<JobSpan> {
        let state = self.state();
        let under_way = state.under_way.iter().map(|(_, span)| span);
        state.ended.iter().chain(under_way).cloned().collect()
    }
}

/// Where a job notes what it does, and for which task it is done.
#[derive(Clone)]
pub(crate) struct JobNotes {
    pub(super) log: Arc<JobLog>,
    pub(super) task: Option<u64>,
}

impl JobNotes {
    /// Something begins in this thread. It goes on until what this returns is dropped.
    pub(crate) fn begin(&self, name: &str) -> Noted {
        let from = Instant::now();
        let mut state = self.log.state();
        let own = thread::current().id();
        let thread = state.threads.iter().position(|known| *known == own).unwrap_or_else(|| {
            state.threads.push(own);
            state.threads.len() - 1
        });
        let number = state.next;
        state.next += 1;
        let span = JobSpan { name: name.to_owned(), thread, task: self.task, from, to: None };
        state.under_way.push((number, span));
        Noted { log: self.log.clone(), number }
    }
}

/// Something that goes on in a worker thread.
pub(crate) struct Noted {
    log: Arc<JobLog>,
    number: u64,
}

impl Drop for Noted {
    fn drop(&mut self) {
        let mut state = self.log.state();
        let Some(place) = state.under_way.iter().position(|(number, _)| *number == self.number) else {
            return;
        };
        let (_, mut span) = state.under_way.remove(place);
        span.to = Some(Instant::now());
        if state.keeps.is_some_and(|keeps| state.ended.len() >= keeps) {
            state.ended.pop_front();
        }
        if state.keeps != Some(0) {
            state.ended.push_back(span);
        }
    }
}
