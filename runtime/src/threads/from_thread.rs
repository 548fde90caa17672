//! From a thread to the loop; trio's `from_thread`.
//!
//! A worker thread reaches the task that waits for it. A function that is given to [`run`](run()) or [`run_sync`]
//! runs in that task, under its cancel scopes, while the thread waits. A system task runs it instead in two cases: if
//! the waiting task is gone, or if it may leave when it is cancelled
//! ([`abandon_on_cancel`](crate::to_thread::Options::abandon_on_cancel)). Threads that this library did not make have
//! no such task. They use a [`Token`].
//!
//! In each case the function runs with a copy of the thread's [context variables](crate::ContextVar). It sees what
//! the thread has set. Neither the thread nor the task sees what the function sets.

use crate::{
    Cancelled, Error,
    core::{
        cancel::scope::current_cancellation,
        poll_tree::wrap,
        run,
        run::inbox::Inbox,
        task::{context_values::TaskContext, in_context::in_context},
    },
    lowlevel::{RunFinished, Token},
    threads::{
        job::JobShared,
        job_table::deliver,
        simulated::Turn,
        waiting_task::{Begin, LoopCall},
    },
};
use std::{
    cell::RefCell,
    error::Error as StdError,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, mpsc},
    task::Poll,
    thread,
};

thread_local! {
    /// The job that this thread is doing.
    static JOB: RefCell<Option<Arc<JobShared>>> = const { RefCell::new(None) };
}

/// While this value exists, the thread belongs to a job.
pub(super) struct Link;

impl Link {
    pub(super) fn enter(job: Arc<JobShared>) -> Link {
        JOB.set(Some(job));
        Link
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        JOB.set(None);
    }
}

/// Where the job of this thread notes what it does, if its run is recorded.
#[cfg(feature = "observe")]
pub(crate) fn notes_of_this_job() -> Option<crate::threads::job_log::JobNotes> {
    // While the thread ends, there is no job.
    JOB.try_with(|job| job.borrow().as_ref()?.notes.clone()).ok().flatten()
}

/// Why a thread cannot call into a run, or why its call did not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// This thread was not started by [`to_thread`](crate::to_thread), so it belongs to no run. Use a [`Token`] of
    /// the run instead.
    NotAWorker,
    /// This is a run's own thread, or the thread of a guest run's host. Waiting for the loop here would never end.
    OnTheLoop,
    /// The call had begun in the task that waits for this thread, and the future in which that task waited was
    /// dropped.
    Dropped,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CallError::NotAWorker => {
                "this thread was not started by `to_thread`, so it has no run to call into; use a `Token`"
            }
            CallError::OnTheLoop => {
                "a blocking call into the run was made on the run's own thread, which would wait for itself"
            }
            CallError::Dropped => "the call was dropped half-way, with the task that waited for the thread",
        })
    }
}

impl StdError for CallError {}

/// Runs `f` on the loop and waits until it is done. `is_call` means that `f` does not wait for anything. `job` is what this
/// thread does, if it is a worker.
fn call_and_wait<T, F>(inbox: &Inbox, job: Option<Arc<JobShared>>, is_call: bool, f: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: AsyncFnOnce() -> T + Send + 'static,
{
    // Between two ticks of a guest run no run is current on its host's thread. But it is the thread of the loop.
    let would_wait_for_itself = inbox.is_on_loop_thread() && !inbox.is_closed();
    if would_wait_for_itself || run::try_with(|_| ()).is_some() {
        return Err(CallError::OnTheLoop.into());
    }
    let (answer, answered) = mpsc::sync_channel(1);
    let key = job.as_ref().map(|job| job.key);
    // A thread that is simulated takes turns with the loop.
    let turn = JOB.try_with(|job| job.borrow().as_ref()?.turn.clone()).ok().flatten();
    let answer = Answer { to_thread: Some(answer), turn: turn.clone() };
    let begin = loop_call(f, TaskContext::current(), job, answer);
    let message = deliver(key, LoopCall { begin, is_call });
    inbox.push(message).map_err(|_refused| RunFinished)?;
    if let Some(turn) = turn {
        turn.leave_to_loop();
    }
    match answered.recv() {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(payload)) => resume_unwind(payload),
        // The call was dropped before it began or before it ended.
        Err(mpsc::RecvError) if inbox.is_ending() => Err(RunFinished.into()),
        Err(mpsc::RecvError) => Err(CallError::Dropped.into()),
    }
}

/// To do `f` in a context, and to answer.
fn loop_call<T, F>(f: F, context: TaskContext, job: Option<Arc<JobShared>>, answer: Answer<T>) -> Begin
where
    T: Send + 'static,
    F: AsyncFnOnce() -> T + Send + 'static,
{
    Box::new(move || {
        Box::pin(async move {
            let done = in_context(context, wrap::lazy(|| f()));
            let end = wrap::around(done, |done, cx| match catch_unwind(AssertUnwindSafe(|| done.poll(cx))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
                Err(payload) => Poll::Ready(Err(payload)),
            })
            .await;
            // `f` may have cancelled the task that waits for the thread. That task is not blocked while it does `f`, so
            // nothing else would tell the thread before it goes on.
            if let Some(job) = job
                && let Some(cancelled) = run::try_with(|run| current_cancellation(run)).flatten()
            {
                let _known = job.cancelled.set(cancelled);
            }
            // Locals are dropped before the thread continues. If the thread is gone, nothing needs the answer.
            answer.send(end);
        })
    })
}

/// The way back to the thread that has made a call. If it is dropped, the thread notices that.
struct Answer<T> {
    to_thread: Option<mpsc::SyncSender<thread::Result<T>>>,
    turn: Option<Arc<Turn>>,
}

impl<T> Answer<T> {
    fn send(mut self, end: thread::Result<T>) {
        if let Some(turn) = &self.turn {
            turn.give_to_job();
        }
        if let Some(to_thread) = self.to_thread.take() {
            let _gone = to_thread.send(end);
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let Some(turn) = &self.turn else { return };
        if self.to_thread.is_some() {
            turn.give_to_job();
        }
        self.to_thread = None;
        turn.wait_for_loop();
    }
}

fn job() -> Result<Arc<JobShared>, Error> {
    match JOB.try_with(|job| job.borrow().clone()).ok().flatten() {
        Some(job) => Ok(job),
        None if run::try_with(|_| ()).is_some() => Err(CallError::OnTheLoop.into()),
        None => Err(CallError::NotAWorker.into()),
    }
}

/// Runs `f` on the loop, in the task that waits for this thread, and blocks until it has ended;
/// trio's `from_thread.run`.
///
/// If that task is gone, or may [abandon](crate::to_thread::Options::abandon_on_cancel) the thread, `f` runs in a
/// system task instead. In both cases `f` has a copy of this thread's [context variables](crate::ContextVar).
///
/// # Cancellation
/// Blocks the thread. `f` runs under the cancel scopes of the waiting task. In a system task it is cancelled when the
/// main task has ended.
///
/// # Errors
/// The errors of `f`, including [`Cancelled`]. [`RunFinished`] if the run has ended. A [`CallError`] in a thread that
/// is not a worker of a run, or if `f` was dropped before it ended.
///
/// # Panics
/// If `f` does.
///
/// ```
/// use terzetto::{from_thread, sleep, to_thread};
/// terzetto::run(async {
///     let answer = to_thread::run_sync(|| {
///         from_thread::run(async || {
///             sleep(0.001).await?;
///             Ok(42)
///         })
///     });
///     assert_eq!(answer.await??, 42);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn run<T, F>(f: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: AsyncFnOnce() -> Result<T, Error> + Send + 'static,
{
    let job = job()?;
    let inbox = job.inbox.clone();
    call_and_wait(&inbox, Some(job), false, f)?
}

/// Calls `f` on the loop and blocks until it has returned; trio's `from_thread.run_sync`. `f` is called in the task
/// that waits for this thread, or, in the same cases as for [`run`](run()), in a system task. It has a copy of this
/// thread's context variables.
///
/// # Errors
/// [`RunFinished`] if the run has ended. A [`CallError`] in a thread that is not a worker of a run.
///
/// # Panics
/// If `f` does.
///
/// ```
/// use terzetto::{current_task, from_thread, to_thread};
/// terzetto::run(async {
///     let name = to_thread::run_sync(|| from_thread::run_sync(|| current_task().name().to_owned()));
///     assert_eq!(name.await??, "main");
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn run_sync<T, F>(f: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let job = job()?;
    let inbox = job.inbox.clone();
    call_and_wait(&inbox, Some(job), true, async move || f())
}

/// Fails once a cancellation of the task that waits for this thread has been tried, whether the task abandons the
/// thread or not; trio's `from_thread.check_cancelled`. This is for work that can stop early.
///
/// # Errors
/// [`Cancelled`]. A [`CallError`] in a thread that is not a worker of a run, since there it cannot be known.
///
/// ```
/// use terzetto::{from_thread, move_on_after, to_thread};
/// terzetto::run(async {
///     let worked = move_on_after(0.01, async {
///         to_thread::run_sync(|| while from_thread::check_cancelled().is_ok() { /* … work … */ }).await
///     });
///     worked.await?;
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn check_cancelled() -> Result<(), Error> {
    let cancelled: Option<Cancelled> = job()?.cancelled.get().cloned();
    cancelled.map_or(Ok(()), |cancelled| Err(cancelled.into()))
}

/// For threads that belong to no run, and for workers that act outside the waiting task.
impl Token {
    /// Runs `f` on the loop in a system task, and blocks this thread until it has ended; trio's
    /// `from_thread.run` with a token. `f` has a copy of this thread's [context variables](crate::ContextVar).
    ///
    /// # Errors
    /// What `f` fails with; [`RunFinished`]; [`CallError::OnTheLoop`] on a run's own thread.
    ///
    /// # Panics
    /// If `f` does.
    pub fn run<T, F>(&self, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: AsyncFnOnce() -> Result<T, Error> + Send + 'static,
    {
        call_and_wait(&self.inbox, None, false, f)?
    }

    /// Calls `f` on the loop in a system task, and blocks this thread until it has returned; trio's
    /// `from_thread.run_sync` with a token. While the run is ending and starts no more tasks, `f` is called all the
    /// same, outside any task. `f` has a copy of this thread's [context variables](crate::ContextVar).
    ///
    /// # Errors
    /// [`RunFinished`]; [`CallError::OnTheLoop`] on a run's own thread.
    ///
    /// # Panics
    /// If `f` does.
    ///
    /// ```
    /// use terzetto::{sync::Event, lowlevel::Token};
    /// terzetto::run(async {
    ///     let token = Token::current();
    ///     let (done, heard) = std::sync::mpsc::channel();
    ///     std::thread::spawn(move || done.send(token.run_sync(terzetto::current_time)));
    ///     let time = terzetto::to_thread::run_sync(move || heard.recv()).await??;
    ///     assert!(time? > 0.0);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn run_sync<T, F>(&self, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        call_and_wait(&self.inbox, None, true, async move || f())
    }
}
