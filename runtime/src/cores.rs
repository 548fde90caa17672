//! One run on each core: how a program of single-threaded runs uses several processors.
//!
//! A run has one thread, so that its tasks share data without locks. A program that needs more than one processor starts
//! several runs, each in a thread of its own, and divides its work among them. [`Cores`] is a nursery of runs. It
//! returns when all of them have ended. If one of them fails, the others are cancelled. trio has nothing like it, since
//! Python threads share one processor; its documentation advises several processes.
//!
//! What the runs share is `Send`. There are three usual ways to divide work:
//!
//! - Each run listens at the same address, with `SO_REUSEPORT`: the system gives each new connection to one of them. A
//!   socket is set up so with `socket2`, and [`TcpListener::from_std`](crate::io::TcpListener::from_std) takes it. The
//!   example `cores.rs` does this.
//! - One run accepts, and hands connections over. A connection leaves its run as a descriptor.
//! - A channel for threads, such as `async-channel`, between tasks of different runs.
//!   [`cancellable`](crate::cancellable) around its futures makes them stop when their scope is cancelled.
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
//! use terzetto::{checkpoint, cores::Cores};
//! let ticks = AtomicUsize::new(0);
//! let numbers = Cores::new().runs(2).run(async |number| {
//!     for _ in 0..10 {
//!         ticks.fetch_add(1, Relaxed);
//!         checkpoint().await?;
//!     }
//!     Ok(number)
//! })?;
//! assert_eq!(numbers, [0, 1]);
//! assert_eq!(ticks.into_inner(), 20);
//! # Ok::<(), terzetto::Error>(())
//! ```

use crate::{
    Builder, CancelScope, Error, ErrorGroup,
    error::failure::discard,
    lowlevel::{RunVar, Token},
};
use std::{
    any::Any,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

/// The scope around the main function of one of the runs.
static SCOPE: RunVar<CancelScope> = RunVar::new("the scope of one of several runs");

/// How many runs there are, and how each of them is set up.
pub struct Cores<'a> {
    runs: usize,
    builder: Box<dyn Fn(usize) -> Builder + Sync + 'a>,
}

impl Default for Cores<'_> {
    fn default() -> Self {
        Cores::new()
    }
}

impl<'a> Cores<'a> {
    /// As many runs as the process may use processors, each set up by [`Builder::new`].
    pub fn new() -> Cores<'a> {
        let runs = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Cores { runs, builder: Box::new(|_| Builder::new()) }
    }

    /// So many runs, whatever the number of processors. Zero counts as one.
    pub fn runs(mut self, runs: usize) -> Self {
        self.runs = runs.max(1);
        self
    }

    /// Sets each run up with the builder that `builder` returns. It is called in the thread of the run, with the
    /// number of the run.
    ///
    /// ```
    /// use terzetto::{Builder, cores::Cores};
    /// Cores::new().builder(|_| Builder::new().quick_checkpoints(32)).run(async |_| Ok(()))?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn builder(mut self, builder: impl Fn(usize) -> Builder + Sync + 'a) -> Self {
        self.builder = Box::new(builder);
        self
    }

    /// Runs `main` in each of the runs, with the number of the run, from zero. Run zero has the thread of the caller,
    /// and the others have threads of their own. Returns when all have ended, with their values in the order of their
    /// numbers.
    ///
    /// # Cancellation
    /// Ctrl-C is raised in run zero, unless somebody else handles it. That run then fails, and so the others are
    /// cancelled, too. If run zero has ended already, Ctrl-C ends the process.
    ///
    /// # Errors
    /// An [`ErrorGroup`] of the errors of all runs. If one fails, the others are cancelled, and their cancellations are
    /// left out. Also if a thread cannot be started.
    ///
    /// # Panics
    /// If one of the runs panics. The others are cancelled, and the first panic goes on when all have ended.
    pub fn run<T, M>(self, main: M) -> Result<Vec<T>, Error>
    where
        T: Send,
        M: AsyncFn(usize) -> Result<T, Error> + Sync,
    {
        let group = Group::default();
        let Cores { runs, builder } = &self;
        let run = |number: usize| {
            let builder = builder(number);
            #[cfg(feature = "signal")]
            let builder = if number > 0 { builder.ctrl_c(false) } else { builder };
            group.run(builder, main(number))
        };
        let run = &run;
        let ends = thread::scope(|scope| {
            let start = |number| {
                let named = thread::Builder::new().name(format!("terzetto-run-{number}"));
                named.spawn_scoped(scope, move || catch_unwind(AssertUnwindSafe(|| run(number))))
            };
            let mut threads = Vec::new();
            for number in 1..*runs {
                match start(number) {
                    Ok(thread) => threads.push(thread),
                    Err(error) => {
                        group.fail(error.into());
                        break;
                    }
                }
            }
            let mut ends = vec![catch_unwind(AssertUnwindSafe(|| run(0)))];
            // A panic is caught in the thread itself, so joining does not fail.
            ends.extend(threads.into_iter().map(|thread| thread.join().and_then(|end| end)));
            ends
        });
        let mut values = Vec::new();
        let mut panic: Option<Box<dyn Any + Send>> = None;
        for end in ends {
            match end {
                Ok(value) => values.extend(value),
                Err(payload) if panic.is_none() => panic = Some(payload),
                Err(payload) => discard(payload),
            }
        }
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
        match group.into_errors() {
            errors if errors.is_empty() => Ok(values),
            errors => Err(ErrorGroup::new("one of several runs has failed", errors).into()),
        }
    }
}

/// What the runs know of each other.
#[derive(Default)]
struct Group(Mutex<GroupState>);

#[derive(Default)]
struct GroupState {
    /// The runs that have begun and not ended.
    running: Vec<Token>,
    errors: Vec<Error>,
    /// Whether one has failed, so that the others are to end.
    failed: bool,
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, GroupState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of the runs. Returns its value, unless it has failed or was cancelled.
    fn run<T>(&self, builder: Builder, main: impl Future<Output = Result<T, Error>>) -> Option<T> {
        /// Cancels the others if this run panics.
        struct Panics<'a>(&'a Group);
        impl Drop for Panics<'_> {
            fn drop(&mut self) {
                if thread::panicking() {
                    self.0.cancel_all();
                }
            }
        }
        let _panics = Panics(self);
        let outcome = builder.run(async {
            let scope = CancelScope::new();
            SCOPE.set(scope.clone());
            self.enter(Token::current(), &scope);
            let outcome = scope.run(main).await;
            self.leave(&Token::current());
            outcome
        });
        outcome.unwrap_or_else(|error| {
            self.fail(error);
            None
        })
    }

    fn enter(&self, token: Token, scope: &CancelScope) {
        let mut state = self.lock();
        match state.failed {
            true => cancel(scope),
            false => state.running.push(token),
        }
    }

    fn leave(&self, token: &Token) {
        self.lock().running.retain(|running| running != token);
    }

    fn fail(&self, error: Error) {
        self.lock().errors.push(error);
        self.cancel_all();
    }

    fn cancel_all(&self) {
        let mut state = self.lock();
        state.failed = true;
        for token in state.running.drain(..) {
            // Refused by a run that has ended.
            let _ended = token.run_sync_soon(|| {
                SCOPE.get().as_ref().inspect(|scope| cancel(scope));
            });
        }
    }

    fn into_errors(self) -> Vec<Error> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).errors
    }
}

fn cancel(scope: &CancelScope) {
    scope.cancel_with_reason("another of the runs has failed");
}
