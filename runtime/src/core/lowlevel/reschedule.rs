//! The bottom of every blocking operation, for users who build their own: [`wait_task_rescheduled`].

use crate::{
    Cancelled, Error, InternalError,
    core::{
        block::{
            operation::{Aborted, Operation},
            wait::{Blocked, Ticket},
        },
        run,
        run::Run,
    },
};
use std::{
    cell::{Cell, RefCell},
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::{Rc, Weak},
    task::Poll,
};

type AbortFn<'a> = Box<dyn FnOnce(&Cancelled) -> Aborted + 'a>;

struct RescheduleState<T> {
    outcome: RefCell<Option<Result<T, Error>>>,
    wait: Cell<Option<Ticket>>,
    operation: Weak<Custom>,
}

/// Wakes a blocked task; trio's `reschedule`.
pub struct Rescheduler<T> {
    shared: Rc<RescheduleState<T>>,
}

impl<T> Clone for Rescheduler<T> {
    fn clone(&self) -> Self {
        Rescheduler { shared: self.shared.clone() }
    }
}

impl<T> fmt::Debug for Rescheduler<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rescheduler").finish_non_exhaustive()
    }
}

/// The task that was to be rescheduled is not blocked, or not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotBlocked;

impl fmt::Display for NotBlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task is not blocked: it was rescheduled or cancelled before")
    }
}

impl std::error::Error for NotBlocked {}

impl<T> Rescheduler<T> {
    /// Makes the blocked task runnable. Its wait returns `outcome`.
    ///
    /// # Errors
    /// If the task is not blocked. Then nothing happens.
    pub fn reschedule(&self, outcome: Result<T, Error>) -> Result<(), NotBlocked> {
        let wait = self.shared.wait.take().ok_or(NotBlocked)?;
        if let Err(error) = &outcome
            && let Some(operation) = self.shared.operation.upgrade()
            && operation.interrupted.get()
            && error.is_interrupted()
        {
            operation.interrupt_taken();
        }
        let former = self.shared.outcome.replace(Some(outcome));
        drop(former);
        if wait.reschedule() { Ok(()) } else { Err(NotBlocked) }
    }
}

/// A user's abort function as an operation of the core.
struct Custom {
    run: Weak<Run>,
    abort: RefCell<Option<AbortFn<'static>>>,
    /// Whether it was for a Ctrl-C that the abort function was called.
    interrupted: Cell<bool>,
}

impl Custom {
    /// The task is rescheduled with the Ctrl-C that the abort function was given.
    #[cold]
    fn interrupt_taken(&self) {
        if let Some(run) = self.run.upgrade() {
            run.interrupt.was_taken();
        }
    }
}

impl Operation for Custom {
    fn abort(&self, _key: u32, cancelled: &Cancelled) -> Aborted {
        let Some(abort) = self.abort.take() else { return Aborted::Failed };
        self.interrupted.set(cancelled.is_interrupt());
        match catch_unwind(AssertUnwindSafe(|| abort(cancelled))) {
            Ok(answer) => answer,
            Err(payload) => {
                if let Some(run) = self.run.upgrade() {
                    run.crashed(InternalError::of_panic("an abort function panicked", payload));
                }
                Aborted::Succeeded
            }
        }
    }

    fn describe(&self) -> &'static str {
        "blocked in an operation of its own"
    }
}

/// Blocks the current task until it is rescheduled; trio's `wait_task_rescheduled`.
///
/// `begin` is called with a [`Rescheduler`] for the task, and must put it where the operation will find it. If the
/// task is cancelled, `abort` is called, once, on the run loop. Its answer decides: either the task gets `Cancelled`
/// at once, or it stays blocked until it is rescheduled. In the second case the operation may reschedule the task
/// with the cancellation that `abort` was given, as its error.
///
/// # Cancellation
/// A checkpoint, since it always blocks. `abort` decides what a cancellation does. If the future is dropped,
/// `abort` is not called, nor is `begin` if it was not called before.
///
/// # Errors
/// The error with which the task is rescheduled. `Cancelled`.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use std::cell::RefCell;
/// use terzetto::{nursery, lowlevel::{Aborted, Rescheduler, wait_task_rescheduled}};
/// terzetto::run(async {
///     let parked = RefCell::new(None::<Rescheduler<u32>>);
///     nursery(async |n| {
///         n.start_soon(async {
///             let value = wait_task_rescheduled(
///                 |waiter| *parked.borrow_mut() = Some(waiter),
///                 |_cancelled| Aborted::Succeeded,
///             ).await?;
///             assert_eq!(value, 7);
///             Ok(())
///         });
///         terzetto::checkpoint().await?;
///         parked.take().unwrap().reschedule(Ok(7))?;
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn wait_task_rescheduled<T>(
    begin: impl FnOnce(Rescheduler<T>),
    abort: impl FnOnce(&Cancelled) -> Aborted + 'static,
) -> Result<T, Error> {
    let run = run::current();
    let operation = Rc::new(Custom {
        run: Rc::downgrade(&run),
        abort: RefCell::new(Some(Box::new(abort))),
        interrupted: Cell::new(false),
    });
    let shared = Rc::new(RescheduleState {
        outcome: RefCell::new(None),
        wait: Cell::new(None),
        operation: Rc::downgrade(&operation),
    });
    let blocked = poll_fn(|cx| Poll::Ready(Blocked::new(&run, cx, operation.clone(), 0))).await;
    shared.wait.set(Some(blocked.ticket()));
    let _forget = Forget(&shared.wait);
    begin(Rescheduler { shared: shared.clone() });
    blocked.arm(&run);
    let mut is_first = true;
    let outcome = poll_fn(|cx| match std::mem::take(&mut is_first) {
        // This holds even if `begin` has rescheduled the task: every wait lets other tasks run.
        true => Poll::Pending,
        false => blocked.poll(&run, cx),
    });
    match outcome.await {
        Err(cancelled) => Err(cancelled.into()),
        Ok(()) => match shared.outcome.take() {
            Some(outcome) => outcome,
            None => Err(NotBlocked.into()),
        },
    }
}

/// Forgets the wait when this is dropped. A wait that is over must not be rescheduled, since its number may belong to
/// another.
struct Forget<'a>(&'a Cell<Option<Ticket>>);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
