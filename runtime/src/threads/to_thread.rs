//! From the loop to a thread; trio's `to_thread`.

use crate::{
    Cancelled, Error,
    core::{run, run::Run, task::context_values::TaskContext},
    lowlevel::checkpoint_if_cancelled,
    sync::{Borrower, CapacityLimiter, Loan},
    threads::{
        job::{Job, JobShared, short_name},
        job_table::Threads,
        waiting_task::{Caller, ToCaller},
    },
};
use std::{
    borrow::Cow,
    cell::Cell,
    panic::resume_unwind,
    rc::Rc,
    sync::{Arc, OnceLock},
};

/// Limits how many jobs run in threads. It is a [`CapacityLimiter`], or another type that can hand out tokens.
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait Limit {
    /// The token that a job holds while its thread is busy. It is dropped on the loop when the thread is done.
    type Token: 'static;

    /// Waits until one more job may run. An error prevents its start.
    ///
    /// # Errors
    /// Cancelled, or an error of the limit itself.
    async fn admit(&self) -> Result<Self::Token, Error>;
}

impl Limit for CapacityLimiter {
    type Token = Loan;

    /// Borrows on behalf of the job and not of the task, since one task may run several jobs at once.
    async fn admit(&self) -> Result<Loan, Error> {
        thread_local!(static NEXT: Cell<u64> = const { Cell::new(0) });
        #[derive(PartialEq, Eq, Hash)]
        struct JobNumber(u64);
        let number = NEXT.replace(NEXT.get() + 1);
        Ok(self.acquire_on_behalf_of(Borrower::new(JobNumber(number))).await?)
    }
}

impl<L: Limit> Limit for &L {
    type Token = L::Token;

    async fn admit(&self) -> Result<L::Token, Error> {
        (**self).admit().await
    }
}

/// The run's own limiter.
#[derive(Debug, Clone, Copy)]
pub struct DefaultLimit;

impl Limit for DefaultLimit {
    type Token = Loan;

    async fn admit(&self) -> Result<Loan, Error> {
        default_limiter().admit().await
    }
}

/// Options for running a job in a thread; made by [`options`].
///
/// ```
/// use terzetto::{sync::CapacityLimiter, to_thread};
/// terzetto::run(async {
///     let one_at_a_time = CapacityLimiter::new(1);
///     let text = to_thread::options()
///         .limiter(&one_at_a_time)
///         .name("greeter")
///         .run_sync(|| "hello".to_owned())
///         .await?;
///     assert_eq!(text, "hello");
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "options do nothing until a job is run with them"]
pub struct Options<L = DefaultLimit> {
    limit: L,
    name: Option<Cow<'static, str>>,
    abandons: bool,
}

/// The default options: the run's limiter, a name made from the function's name, and a task that waits for the thread
/// even if it is cancelled.
pub fn options() -> Options {
    Options { limit: DefaultLimit, name: None, abandons: false }
}

impl<L: Limit> Options<L> {
    /// Uses another limiter instead of the run's.
    pub fn limiter<M: Limit>(self, limit: M) -> Options<M> {
        Options { limit, name: self.name, abandons: self.abandons }
    }

    /// Names the thread while it has the job. Systems cut names off: Linux after 15 bytes.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether a cancelled task abandons the thread instead of waiting for it; trio's `abandon_on_cancel`. The thread
    /// then continues, and holds its limiter's token until its end. Its result is dropped. With this option system
    /// tasks make all its calls back into the run ([`from_thread`](crate::from_thread)), since the task might leave
    /// in the middle of a call.
    pub fn abandon_on_cancel(mut self, abandons: bool) -> Self {
        self.abandons = abandons;
        self
    }

    /// Calls `work` in a worker thread, as [`run_sync`] does, with these options.
    ///
    /// # Cancellation
    /// As [`run_sync`], unless [`Options::abandon_on_cancel`] is set. Then a cancellation takes effect at once.
    ///
    /// # Errors
    /// The errors of [`run_sync`], and the limiter's own error. After an error of the limiter `work` does not run.
    ///
    /// # Panics
    /// As [`run_sync`].
    #[allow(clippy::manual_async_fn, reason = "an `async fn` would hold its argument twice: see `wrap`")]
    pub fn run_sync<T, F>(self, work: F) -> impl Future<Output = Result<T, Error>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        async move {
            checkpoint_if_cancelled().await?;
            let run = run::current();
            let token = self.limit.admit().await?;
            let threads = Threads::of(&run);
            let key = threads.enter(Box::new(token));
            let notes = threads.notes(&run);
            let turn = threads.turn();
            let inbox = run.inbox.clone();
            let shared = JobShared { inbox, key, cancelled: OnceLock::new(), notes, turn: turn.clone() };
            let shared = Arc::new(shared);
            let named = self.name.clone().unwrap_or_else(|| short_name(std::any::type_name::<F>()).into());
            let job = Job::new(self.name, work, TaskContext::current(), shared.clone());
            if let Err(error) = threads.start(job.clone(), turn) {
                threads.job_done(&run, key);
                return Err(error.into());
            }
            let caller = Caller::new(shared, self.abandons, named);
            threads.set_caller(caller.clone());
            let waiting = WaitingCaller { run: run.clone(), caller };
            loop {
                match waiting.caller.receive(&run).await? {
                    ToCaller::Done => break,
                    ToCaller::LoopCall(loop_call) => (loop_call.begin)().await,
                }
            }
            match job.take_result() {
                Some(Ok(value)) => Ok(value),
                Some(Err(payload)) => resume_unwind(payload),
                None => unreachable!("a job tells that it is done after its result is there"),
            }
        }
    }
}

/// Exists while a task waits for a job. If it is dropped early, the job is abandoned.
struct WaitingCaller {
    run: Rc<Run>,
    caller: Rc<Caller>,
}

impl Drop for WaitingCaller {
    fn drop(&mut self) {
        Threads::of(&self.run).abandon(&self.caller);
    }
}

/// Calls `work` in a worker thread and returns its result. The loop continues meanwhile.
///
/// The number of jobs that run at once is limited by the tokens of the run's limiter (see [`default_limiter`]). Other
/// jobs wait for their turn. `work` has a copy of the task's context variables, and may call back by
/// [`from_thread`](crate::from_thread). To change how it runs, see [`options`].
///
/// # Cancellation
/// A checkpoint before the work starts. In a cancelled scope it never starts. After its start it cannot be cancelled:
/// the result is returned, and the next checkpoint fails as cancelled. If the future is dropped, the work continues and
/// its result is dropped.
///
/// # Errors
/// [`Cancelled`] before the start. An `io::Error` if the system cannot make a thread.
///
/// # Panics
/// If `work` panics, the panic continues in the awaiting task. Also outside a run.
///
/// ```
/// # terzetto::run(async {
/// let sum = terzetto::to_thread::run_sync(|| (1..=1_000u64).sum::<u64>()).await?;
/// assert_eq!(sum, 500_500);
/// # Ok(())
/// # }).unwrap();
/// ```
pub fn run_sync<T, F>(work: F) -> impl Future<Output = Result<T, Error>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    options().run_sync(work)
}

/// The limiter for jobs without their own limiter; trio's `current_default_thread_limiter`. It has 40 tokens. This
/// number can be changed.
///
/// # Panics
/// Outside a run.
///
/// ```
/// terzetto::run(async {
///     let limiter = terzetto::to_thread::default_limiter();
///     assert_eq!(limiter.total_tokens(), 40);
///     limiter.set_total_tokens(100);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn default_limiter() -> CapacityLimiter {
    Threads::of(&run::current()).default_limiter().clone()
}

/// How many jobs of this run are in threads, including abandoned ones; trio's `active_thread_count`.
///
/// # Panics
/// Outside a run.
pub fn active_thread_count() -> usize {
    Threads::of(&run::current()).active()
}

/// Waits until no job is in a thread; trio's `wait_all_threads_completed`. This is for tests that abandon threads.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// [`Cancelled`] in a cancelled scope.
///
/// # Panics
/// Outside a run.
pub async fn wait_all_threads_completed() -> Result<(), Cancelled> {
    crate::checkpoint().await?;
    let run = run::current();
    let threads = Threads::of(&run);
    while threads.active() > 0 {
        threads.all_done().park(()).await.1?;
    }
    Ok(())
}
