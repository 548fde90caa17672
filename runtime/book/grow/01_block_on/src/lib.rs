// Step 1: run one future to its end.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// A waker that wakes a sleeping thread.
pub struct Unpark(pub Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future until it is ready. In between, the thread sleeps until the waker is called.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(value) => return value,
            // If the waker was called meanwhile, this returns at once. So no wake-up is lost.
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::block_on;
    use std::{future::poll_fn, task::Poll, thread};

    #[test]
    fn a_future_that_is_ready_returns_its_value() {
        assert_eq!(block_on(async { 40 + 2 }), 42);
    }

    #[test]
    fn a_future_is_polled_again_when_another_thread_has_woken_it() {
        let mut polls = 0;
        block_on(poll_fn(|cx| {
            polls += 1;
            if polls == 1 {
                let waker = cx.waker().clone();
                thread::spawn(move || waker.wake());
                return Poll::Pending;
            }
            Poll::Ready(())
        }));
        // The thread may also wake up for no reason, so there may be more.
        assert!(polls >= 2);
    }
}
