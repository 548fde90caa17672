//! Conditions: a task that holds a lock waits until another says that something has changed.
//!
//! A task that is notified still has to wait for the lock. If its wait is dropped before it has seen the
//! notification, the notification goes to the next waiter, since the program has notified one waiter and one must
//! hear it. If its wait is cancelled instead, the task keeps the notification, as in trio. It returns with the lock
//! held, and can notify another.

use crate::{
    CancelScope, Cancelled, Error, current_task,
    sync::{
        error::{AcquireError, NotHeld},
        lock::{HandOver, Lock, LockGuard},
        parking_lot::{ParkError, ParkingLot},
    },
};
use std::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// A condition variable; trio's `Condition`. Clones are the same condition.
///
/// ```
/// use terzetto::{nursery, sync::Condition};
/// use std::cell::Cell;
/// terzetto::run(async {
///     let (condition, ready) = (Condition::new(), Cell::new(false));
///     nursery(async |n| {
///         n.start_soon(async {
///             let mut held = condition.acquire().await?;
///             while !ready.get() { condition.wait(&mut held).await?; }
///             Ok(())
///         });
///         let held = condition.acquire().await?;
///         ready.set(true);
///         condition.notify(1)?;
///         drop(held);
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Condition {
    lock: Lock,
    queue: ParkingLot,
}

/// Why a wait on a condition failed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ConditionError {
    /// The task was cancelled. The lock is held again.
    Cancelled(Cancelled),
    /// The task does not hold the condition's lock by this guard. The guard may belong to another lock, or to an
    /// earlier holding.
    NotHeld,
    /// The lock could not be acquired again, since the task that held it ended without releasing it.
    Broken(crate::sync::BrokenResource),
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConditionError::Cancelled(cancelled) => cancelled.fmt(f),
            ConditionError::NotHeld => {
                f.write_str("the task does not hold the condition's lock by this guard")
            }
            ConditionError::Broken(broken) => broken.fmt(f),
        }
    }
}

impl StdError for ConditionError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            ConditionError::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }
}

impl From<ParkError> for ConditionError {
    fn from(error: ParkError) -> ConditionError {
        match error {
            ParkError::Cancelled(cancelled) => ConditionError::Cancelled(cancelled),
            ParkError::Broken(broken) => ConditionError::Broken(broken),
        }
    }
}

impl Condition {
    /// A condition with a lock of its own.
    pub fn new() -> Condition {
        Condition::default()
    }

    /// A condition on a lock that is used for other things, too.
    pub fn with_lock(lock: Lock) -> Condition {
        Condition { lock, queue: ParkingLot::named("waiting for a condition") }
    }

    /// Its lock.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// How many tasks wait to be notified.
    pub fn tasks_waiting(&self) -> usize {
        self.queue.len()
    }

    /// Acquires the lock.
    ///
    /// # Cancellation
    /// As [`Lock::acquire`].
    ///
    /// # Errors
    /// As [`Lock::acquire`].
    pub async fn acquire(&self) -> Result<LockGuard, AcquireError> {
        self.lock.acquire().await
    }

    /// Releases the lock, waits until notified, and acquires the lock again.
    ///
    /// # Cancellation
    /// A checkpoint. When it returns, the lock is held again, even if the wait was cancelled. After a cancellation
    /// the lock is acquired again under a shield, so further cancellations do not stop that. If a Ctrl-C comes, the
    /// wait fails with it. If the lock breaks meanwhile, it is not held. If the future is dropped before it has
    /// returned, the guard does not hold the lock any more. A notification that came before then goes to the next
    /// waiter.
    ///
    /// # Errors
    /// It fails if it is cancelled, if the current task does not hold this condition's lock by this guard, or if the
    /// lock is broken.
    ///
    /// # Panics
    /// Outside a task.
    pub async fn wait(&self, held: &mut LockGuard) -> Result<(), ConditionError> {
        if !self.lock.is_held_by(&current_task()) || !held.is_of(&self.lock) {
            return Err(ConditionError::NotHeld);
        }
        self.lock.pass_on();
        let outcome = self.notification().await;
        let Err(error) = outcome else {
            held.renew();
            return Ok(());
        };
        let mut error = ConditionError::from(error);
        loop {
            match self.acquire_shielded().await {
                Ok(guard) => {
                    guard.forget();
                    held.renew();
                    return Err(error);
                }
                // Only a Ctrl-C passes the shield, and it comes once.
                Err(AcquireError::Cancelled(interrupt)) => error = ConditionError::Cancelled(interrupt),
                Err(AcquireError::Broken(broken)) => return Err(ConditionError::Broken(broken)),
                // The task has acquired the lock elsewhere meanwhile, in another branch of a `join!`.
                Err(_) => return Err(error),
            }
        }
    }

    fn notification(&self) -> Notification<'_> {
        let wait = HandOver { lock: &self.lock, parking: self.queue.parking() };
        Notification { condition: self, wait }
    }

    /// Notifies the next waiter instead of one that was notified but has gone.
    fn notify_another(&self) {
        // If the lock is broken, no task waits any more.
        if self.lock.queue().is_broken() {
            return;
        }
        self.queue.repark(self.lock.queue(), 1);
        if !self.lock.is_locked() {
            self.lock.pass_on();
        }
    }

    async fn acquire_shielded(&self) -> Result<LockGuard, AcquireError> {
        let shield = CancelScope::new().shielded(true);
        match shield.run(async { Ok::<_, Error>(self.lock.acquire().await) }).await {
            Ok(Some(outcome)) => outcome,
            _ => {
                unreachable!("nobody else has this scope, and what runs in it returns its errors as a value")
            }
        }
    }

    /// Wakes up to `count` waiting tasks. Each wakes when it gets the lock. If the wait of one of them is dropped
    /// before that, the next task is woken in its place.
    ///
    /// # Errors
    /// If the current task does not hold the lock.
    ///
    /// # Panics
    /// Outside a task.
    pub fn notify(&self, count: usize) -> Result<(), NotHeld> {
        if !self.lock.is_held_by(&current_task()) {
            return Err(NotHeld::Lock);
        }
        self.queue.repark(self.lock.queue(), count);
        Ok(())
    }

    /// Wakes all tasks that wait.
    ///
    /// # Errors
    /// If the current task does not hold the lock.
    pub fn notify_all(&self) -> Result<(), NotHeld> {
        self.notify(self.queue.len())
    }
}

/// A wait for a notification and then for the lock. A notified task moves into the lock's wait queue, and wakes when
/// the lock has been handed to it. If the wait is dropped in between, the notification is passed on.
struct Notification<'a> {
    condition: &'a Condition,
    wait: HandOver<'a>,
}

impl Future for Notification<'_> {
    type Output = Result<(), ParkError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.wait).poll(cx)
    }
}

impl Drop for Notification<'_> {
    fn drop(&mut self) {
        if self.wait.parking.was_moved() {
            // This comes before the lock is passed on, since the next waiter may get it.
            self.condition.notify_another();
        }
    }
}
