//! Locks: one task at a time, in the order of asking.
//!
//! When a lock is released, the first waiter owns it at that moment, before it has run. So no other task can take the
//! lock in between. A task that acquires a lock gets a guard, which releases the lock when it is dropped. The owner
//! is still a *task*, as in trio. A task cannot acquire the lock twice. If it ends and its guard was forgotten, all
//! waiters fail and do not wait for ever.

use crate::{
    Task,
    core::cancel::checkpoint::TurnAfterSuccess,
    current_task,
    lowlevel::checkpoint_if_cancelled,
    sync::{
        error::{AcquireError, NotHeld},
        parking_lot::{Parking, ParkingLot},
    },
};
use std::{
    cell::Cell,
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

struct LockState {
    /// Counts the holdings, so that an old guard cannot release a new one.
    holding: Cell<u64>,
    /// The waiters. Their lot knows the owner, so that it can say for whom they wait.
    queue: ParkingLot,
}

/// A mutual exclusion between tasks; trio's `Lock`. Clones are the same lock.
///
/// On one thread a lock is needed only for data that is inconsistent during a checkpoint.
///
/// The owner of a lock is a task. Two branches of a `join!` belong to one task. If both acquire the same lock, the
/// second fails with [`AcquireError::AlreadyHeld`] instead of waiting for the first. To avoid this, make each branch
/// a child of a nursery.
///
/// ```
/// use terzetto::{nursery, sleep, sync::Lock};
/// use std::cell::Cell;
/// terzetto::run(async {
///     let (lock, inside) = (Lock::new(), Cell::new(0));
///     nursery(async |n| {
///         for _ in 0..3 {
///             n.start_soon(async {
///                 let _held = lock.acquire().await?;
///                 inside.set(inside.get() + 1);
///                 assert_eq!(inside.get(), 1);
///                 sleep(0.001).await?;
///                 inside.set(0);
///                 Ok(())
///             });
///         }
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone)]
pub struct Lock {
    inner: Rc<LockState>,
}

/// A lock whose waiters are served strictly in order; trio's `StrictFIFOLock`. Here every [`Lock`]
/// is one.
pub type StrictFifoLock = Lock;

impl Default for Lock {
    fn default() -> Self {
        Lock::new()
    }
}

impl Lock {
    /// A lock that is free.
    pub fn new() -> Lock {
        let inner = LockState { holding: Cell::new(0), queue: ParkingLot::named("waiting for a lock") };
        Lock { inner: Rc::new(inner) }
    }

    /// Whether some task holds it.
    pub fn is_locked(&self) -> bool {
        self.inner.queue.owner().borrow().is_some()
    }

    /// The task that holds it.
    pub fn owner(&self) -> Option<Task> {
        self.inner.queue.owner().borrow().clone()
    }

    /// How many tasks wait for it.
    pub fn tasks_waiting(&self) -> usize {
        self.inner.queue.len()
    }

    pub(crate) fn queue(&self) -> &ParkingLot {
        &self.inner.queue
    }

    pub(crate) fn is_held_by(&self, task: &Task) -> bool {
        self.inner.queue.owner().borrow().as_ref() == Some(task)
    }

    fn give_to(&self, task: Task) {
        self.inner.holding.set(self.inner.holding.get() + 1);
        // A lock is never handed to a task that has ended, since its wait has left the wait queue.
        if self.inner.queue.add_breaker(&task).is_err() {
            self.inner.queue.break_lot(&task);
        }
        *self.inner.queue.owner().borrow_mut() = Some(task);
    }

    fn guard(&self) -> LockGuard {
        LockGuard { lock: self.clone(), holding: self.inner.holding.get() }
    }

    /// Acquires without waiting.
    ///
    /// # Errors
    /// [`AcquireError::WouldBlock`] if another task holds it, [`AcquireError::AlreadyHeld`] if this task does.
    ///
    /// # Panics
    /// Outside a task.
    pub fn acquire_nowait(&self) -> Result<LockGuard, AcquireError> {
        let task = current_task();
        let owner = self.owner();
        match owner {
            Some(owner) if owner == task => Err(AcquireError::AlreadyHeld),
            Some(_) => Err(AcquireError::WouldBlock),
            None => {
                self.give_to(task);
                Ok(self.guard())
            }
        }
    }

    /// Acquires, waiting for its turn.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the lock was not acquired. If the future is dropped after the lock was handed to
    /// it, it passes the lock on.
    ///
    /// # Errors
    /// It fails if it is cancelled, if this task holds the lock already, or if the task that held it ended without
    /// releasing it.
    pub async fn acquire(&self) -> Result<LockGuard, AcquireError> {
        checkpoint_if_cancelled().await?;
        match self.acquire_nowait() {
            Ok(guard) => {
                TurnAfterSuccess::default().await;
                Ok(guard)
            }
            Err(AcquireError::WouldBlock) => {
                HandOver { lock: self, parking: self.inner.queue.parking() }.await?;
                Ok(self.guard())
            }
            Err(error) => Err(error),
        }
    }

    /// Releases the lock without its guard, for one that was [forgotten](LockGuard::forget).
    ///
    /// # Errors
    /// If the current task does not hold it.
    ///
    /// # Panics
    /// Outside a task.
    pub fn release(&self) -> Result<(), NotHeld> {
        if !self.is_held_by(&current_task()) {
            return Err(NotHeld::Lock);
        }
        self.pass_on();
        Ok(())
    }

    /// Hands the lock to the first waiter, or leaves it free.
    pub(crate) fn pass_on(&self) {
        // The next task is made the owner before it is woken. So code that is called by the wake does not find the lock
        // free. If that code drops the next task, the lock is passed on.
        if !self.inner.queue.unpark_one(|next| self.move_to(next)) {
            self.take_away();
        }
    }

    fn take_away(&self) {
        let owner = self.inner.queue.owner().take();
        if let Some(owner) = owner {
            let _ = self.inner.queue.remove_breaker(&owner);
        }
    }

    /// Makes another task the owner.
    fn move_to(&self, task: Task) {
        self.take_away();
        self.give_to(task);
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("owner", &self.owner())
            .field("tasks_waiting", &self.tasks_waiting())
            .finish()
    }
}

/// A wait that ends when the task owns the lock. If it is dropped before it has seen that, it passes the lock on.
pub(crate) struct HandOver<'a> {
    pub(crate) lock: &'a Lock,
    pub(crate) parking: Parking,
}

impl Future for HandOver<'_> {
    type Output = Result<(), crate::sync::ParkError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(Pin::new(&mut self.parking).poll(cx));
        // The future may have come from another task since the lock was handed over.
        let task = current_task();
        if outcome.is_ok() && !self.lock.is_held_by(&task) {
            self.lock.move_to(task);
        }
        Poll::Ready(outcome)
    }
}

impl Drop for HandOver<'_> {
    fn drop(&mut self) {
        if self.parking.is_unparked() {
            self.lock.pass_on();
        }
    }
}

/// A lock that is held; dropping it releases the lock.
#[must_use = "the lock is released when its guard is dropped"]
pub struct LockGuard {
    lock: Lock,
    holding: u64,
}

impl LockGuard {
    /// Drops the guard, and keeps the lock held. The same task has to release it by [`Lock::release`].
    pub fn forget(self) {
        std::mem::forget(self);
    }

    /// The lock.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        // While a condition waits, this guard does not hold the lock.
        if self.lock.is_locked() && self.lock.inner.holding.get() == self.holding {
            self.lock.pass_on();
        }
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LockGuard").field(&self.lock).finish()
    }
}

impl Lock {
    /// The number of the present holding, to be restored after a condition's wait.
    pub(crate) fn holding(&self) -> u64 {
        self.inner.holding.get()
    }
}

impl LockGuard {
    /// Whether it is a guard of `lock`, and of its present holding.
    pub(crate) fn is_of(&self, lock: &Lock) -> bool {
        Rc::ptr_eq(&self.lock.inner, &lock.inner) && self.holding == lock.holding()
    }

    /// Makes the guard stand for the present holding.
    pub(crate) fn renew(&mut self) {
        self.holding = self.lock.holding();
    }
}
