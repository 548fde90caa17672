//! Semaphores: a number of permits, given to tasks in the order of asking.

use crate::{
    Cancelled,
    core::cancel::checkpoint::TurnAfterSuccess,
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
    task::{Context, Poll},
};

struct SemaphoreState {
    value: Cell<usize>,
    max: Option<usize>,
    queue: ParkingLot,
}

/// A count that tasks take from and give back to; trio's `Semaphore`. Clones are the same semaphore.
///
/// Often a [`CapacityLimiter`](crate::sync::CapacityLimiter) is the better choice, since it knows its borrowers.
///
/// ```
/// use terzetto::{nursery, sleep, sync::Semaphore};
/// terzetto::run(async {
///     let two_at_once = Semaphore::new(2);
///     nursery(async |n| {
///         for _ in 0..4 {
///             n.start_soon(async {
///                 let _permit = two_at_once.acquire().await?;
///                 Ok(sleep(0.001).await?)
///             });
///         }
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone)]
pub struct Semaphore {
    inner: Rc<SemaphoreState>,
}

impl Semaphore {
    /// A semaphore with `value` permits. The only maximum is that of the type.
    pub fn new(value: usize) -> Semaphore {
        Semaphore::named(value, "waiting for a semaphore")
    }

    /// A semaphore that is part of something else. `what` describes in dumps what a task that waits for it is doing.
    pub(crate) fn named(value: usize, what: &'static str) -> Semaphore {
        let queue = ParkingLot::named(what);
        Semaphore { inner: Rc::new(SemaphoreState { value: Cell::new(value), max: None, queue }) }
    }

    /// A semaphore that never has more than `max` free permits.
    ///
    /// # Panics
    /// If `value` is greater than `max`.
    pub fn with_max(value: usize, max: usize) -> Semaphore {
        assert!(value <= max, "the semaphore's initial value {value} exceeds its maximum {max}");
        Semaphore {
            inner: Rc::new(SemaphoreState {
                value: Cell::new(value),
                max: Some(max),
                queue: ParkingLot::named("waiting for a semaphore"),
            }),
        }
    }

    /// The permits that are free.
    pub fn value(&self) -> usize {
        self.inner.value.get()
    }

    /// The most permits that may be free.
    pub fn max_value(&self) -> Option<usize> {
        self.inner.max
    }

    /// How many tasks wait.
    pub fn tasks_waiting(&self) -> usize {
        self.inner.queue.len()
    }

    fn permit(&self) -> Permit {
        Permit { semaphore: self.clone() }
    }

    /// Takes a permit without waiting.
    ///
    /// # Errors
    /// [`AcquireError::WouldBlock`] if there is none.
    pub fn acquire_nowait(&self) -> Result<Permit, AcquireError> {
        match self.inner.value.get() {
            0 => Err(AcquireError::WouldBlock),
            value => {
                self.inner.value.set(value - 1);
                Ok(self.permit())
            }
        }
    }

    /// Takes a permit, waiting for its turn.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was taken.
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled scope.
    pub async fn acquire(&self) -> Result<Permit, Cancelled> {
        checkpoint_if_cancelled().await?;
        if let Ok(permit) = self.acquire_nowait() {
            TurnAfterSuccess::default().await;
            return Ok(permit);
        }
        match (Taking { semaphore: self, parking: self.inner.queue.parking() }).await {
            Ok(()) => Ok(self.permit()),
            Err(crate::sync::ParkError::Cancelled(cancelled)) => Err(cancelled),
            Err(crate::sync::ParkError::Broken(_)) => unreachable!("nobody breaks the queue of a semaphore"),
        }
    }

    /// Gives a permit back, or adds a new one. If a task waits, the first waiter gets it.
    ///
    /// # Errors
    /// [`NotHeld::AboveMaximum`] if more permits than the maximum, or than [`usize::MAX`], would be free then.
    pub fn release(&self) -> Result<(), NotHeld> {
        if !self.inner.queue.unpark(1).is_empty() {
            return Ok(());
        }
        let more = self.value().checked_add(1);
        let allowed = more.filter(|&more| self.inner.max.is_none_or(|max| more <= max));
        self.inner.value.set(allowed.ok_or(NotHeld::AboveMaximum)?);
        Ok(())
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("value", &self.value())
            .field("tasks_waiting", &self.tasks_waiting())
            .finish()
    }
}

/// A wait that ends when the task has a permit. If it is dropped before it has seen that, it gives the permit back.
struct Taking<'a> {
    semaphore: &'a Semaphore,
    parking: Parking,
}

impl Future for Taking<'_> {
    type Output = Result<(), crate::sync::ParkError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.parking).poll(cx)
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        if self.parking.is_unparked() {
            drop(self.semaphore.permit());
        }
    }
}

/// A permit of a semaphore; dropping it gives it back.
#[must_use = "the permit is given back when it is dropped"]
#[derive(Debug)]
pub struct Permit {
    semaphore: Semaphore,
}

impl Permit {
    /// Drops the guard, and keeps the permit taken. [`Semaphore::release`] can give it back.
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Err(error) = self.semaphore.release() {
            log::warn!("a permit is dropped: {error}");
        }
    }
}
