//! A bell that wakes a work's loop, from any thread, as often as needed.

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

/// Counts its rings, so that none is lost while its listener is busy.
#[derive(Default)]
pub(crate) struct Bell {
    rings: AtomicUsize,
    listener: Mutex<Option<Waker>>,
}

impl Bell {
    /// Wakes the listener, or lets it not fall asleep.
    pub fn ring(&self) {
        self.rings.fetch_add(1, SeqCst);
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(listener) = listener {
            listener.wake();
        }
    }

    /// Waits for rings and returns how many came since the last call. One listener at a time.
    pub async fn wait(&self) -> Result<usize, Cancelled> {
        // The runtime does not know what a bell is, but it knows how to cancel a sleep.
        let mut sleep = pin!(sleep_forever());
        poll_fn(|context| {
            *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
            // After the waker has been left: a ring in between is seen here.
            match self.rings.swap(0, SeqCst) {
                0 => sleep.as_mut().poll(context).map_ok(|()| 0),
                rings => Poll::Ready(Ok(rings)),
            }
        })
        .await
    }
}
