//! Signals for the processes, pushed from any thread and read on the run's thread.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
};

use terzetto::{Cancelled, cancellable, signal::Signal};

use super::lock;

/// A queue of signals. Clones are the same queue.
#[derive(Clone, Default)]
pub(super) struct SignalQueue(Arc<Mutex<SignalQueueState>>);

#[derive(Default)]
struct SignalQueueState {
    signals: VecDeque<Signal>,
    reader: Option<Waker>,
}

impl SignalQueue {
    /// Adds a signal and wakes the reader.
    pub fn push(&self, signal: Signal) {
        let reader = {
            let mut state = lock(&self.0);
            state.signals.push_back(signal);
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Waits for the next signal. One task may read at a time.
    pub async fn next(&self) -> Result<Signal, Cancelled> {
        cancellable(poll_fn(|context| {
            let mut state = lock(&self.0);
            match state.signals.pop_front() {
                Some(signal) => Poll::Ready(signal),
                None => {
                    state.reader = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        }))
        .await
    }
}
