//! A job: a function on its way to a worker, and its result on the way back.
//!
//! One allocation holds both. The worker and the waiting task share it. The worker tells the loop by a message that
//! the job is done. So the result needs no waker of its own, and the loop learns of the end even if no task waits any
//! more.

use crate::{
    Cancelled,
    core::{
        run::inbox::{Inbox, Message},
        task::context_values::TaskContext,
    },
    error::failure::discard,
    threads::{from_thread::Link, job_log::JobNotes, simulated::Turn},
};
use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
};

/// A job for a worker.
pub(super) trait Work: Send + Sync {
    /// Does the job. It is called once, and does not panic.
    fn work(self: Arc<Self>) -> Done;
    /// The name of the thread meanwhile.
    fn name(&self) -> &str;
}

/// The message that a job is done.
#[must_use]
pub(super) enum Done {
    /// For the loop of a run. It has nothing of the user's in it, so it does not block.
    Job(Arc<JobShared>),
    /// For somebody else, who is told by a call that does not panic.
    Deliver(Box<dyn FnOnce()>),
}

impl Done {
    /// For who is told by a call that does not panic.
    pub(super) fn deliver(call: impl FnOnce() + 'static) -> Done {
        Done::Deliver(Box::new(call))
    }

    /// Tells whoever waits.
    pub(super) fn announce(self) {
        match self {
            Done::Job(job) => {
                let inbox = job.inbox.clone();
                // Refused if the run has ended.
                let _ended = inbox.push(Message::Notice(job));
            }
            Done::Deliver(call) => call(),
        }
    }
}

enum JobState<F, T> {
    Waiting(F, TaskContext),
    Running,
    Done(thread::Result<T>),
}

/// The data of a job that the loop and the job's own thread need, independent of the type of its result.
pub(crate) struct JobShared {
    pub(crate) inbox: Arc<Inbox>,
    /// The job's number in the loop's table.
    pub(crate) key: usize,
    /// Set once a cancellation has been tried on the task that waits.
    pub(crate) cancelled: OnceLock<Cancelled>,
    /// Where it notes what it does, if the run is recorded.
    pub(crate) notes: Option<JobNotes>,
    /// Whether the job or the loop goes on, if the thread is simulated.
    pub(crate) turn: Option<Arc<Turn>>,
}

pub(super) struct Job<F, T> {
    /// The name of its thread meanwhile. `None` means the name of its function.
    name: Option<Cow<'static, str>>,
    state: Mutex<JobState<F, T>>,
    shared: Arc<JobShared>,
}

impl<F, T> Job<F, T> {
    pub(super) fn new(
        name: Option<Cow<'static, str>>,
        work: F,
        context: TaskContext,
        shared: Arc<JobShared>,
    ) -> Arc<Self> {
        Arc::new(Job { name, state: Mutex::new(JobState::Waiting(work, context)), shared })
    }

    fn replace(&self, state: JobState<F, T>) -> JobState<F, T> {
        // No code of the user runs under the lock.
        std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    /// The result, once, when the job is done.
    pub(super) fn take_result(&self) -> Option<thread::Result<T>> {
        match self.replace(JobState::Running) {
            JobState::Done(result) => Some(result),
            other => {
                self.replace(other);
                None
            }
        }
    }
}

impl<F, T> Work for Job<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn work(self: Arc<Self>) -> Done {
        if let JobState::Waiting(work, context) = self.replace(JobState::Running) {
            let noted = self.shared.notes.as_ref().map(|notes| notes.begin(self.name()));
            let result = catch_unwind(AssertUnwindSafe(|| {
                let _link = Link::enter(self.shared.clone());
                context.enter(work)
            }));
            drop(noted);
            self.replace(JobState::Done(result));
        }
        let done = Done::Job(self.shared.clone());
        // A result for which nobody waits is dropped here, before the thread counts as free.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(self))) {
            discard(payload);
        }
        done
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| short_name(std::any::type_name::<F>()))
    }
}

/// The function's own name out of a path: `app::files::hash::{{closure}}` is `hash`.
pub(super) fn short_name(path: &'static str) -> &'static str {
    let mut named = path.split('<').next().unwrap_or(path);
    // Written by hand, since this happens for each job, and a text search costs more than a short job.
    while let Some(outer) = named.strip_suffix("::{{closure}}") {
        named = outer;
    }
    let start = named.bytes().rposition(|byte| byte == b':').map_or(0, |colon| colon + 1);
    &named[start..]
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn a_name_is_the_functions_own() {
        for (path, name) in [
            ("hash", "hash"),
            ("app::files::hash", "hash"),
            ("app::files::hash::{{closure}}", "hash"),
            ("app::files::hash::{{closure}}::{{closure}}", "hash"),
            ("app::größe::{{closure}}", "größe"),
            ("app::files::hash<app::Blake>::{{closure}}", "hash"),
            ("", ""),
        ] {
            assert_eq!(short_name(path), name, "{path}");
        }
    }
}
