//! Wakes a task of the run's thread, from any thread.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Poll, Waker},
};

use terzetto::{Cancelled, sleep_forever};

/// Wakes one waiting task. Notifications are counted, so none is lost while the task is busy.
#[derive(Default)]
pub(crate) struct Notify {
    count: AtomicUsize,
    waiter: Mutex<Option<Waker>>,
}

impl Notify {
    /// Wakes the waiting task. If no task waits, the next call of [`wait`](Notify::wait) returns at once.
    pub fn notify(&self) {
        self.count.fetch_add(1, SeqCst);
        let waiter = self.waiter.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    /// Waits for notifications, and returns how many came since the last call. One task may wait at a time.
    pub async fn wait(&self) -> Result<usize, Cancelled> {
        // The runtime cancels the sleep, and so this future.
        let mut sleep = pin!(sleep_forever());
        poll_fn(|context| {
            *self.waiter.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
            // The count is read after the waker is stored, so a notification in between is seen here.
            match self.count.swap(0, SeqCst) {
                0 => sleep.as_mut().poll(context).map_ok(|()| 0),
                count => Poll::Ready(Ok(count)),
            }
        })
        .await
    }
}
