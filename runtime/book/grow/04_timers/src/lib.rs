// Step 4: time. The thread sleeps until the next deadline.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};
use step_01::Unpark;

thread_local! {
    /// The deadlines of this thread, the next one first. The number tells equal times apart.
    static TIMERS: RefCell<BTreeMap<(Instant, u64), Waker>> = const { RefCell::new(BTreeMap::new()) };
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// A sleep. It may be polled again after its end.
pub struct Sleep {
    key: (Instant, u64),
}

pub fn sleep(time: Duration) -> Sleep {
    Sleep { key: (Instant::now() + time, NEXT.replace(NEXT.get() + 1)) }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.key.0 {
            return Poll::Ready(());
        }
        TIMERS.with_borrow_mut(|timers| timers.insert(self.key, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    /// A sleep that is cut short leaves nothing in the table.
    fn drop(&mut self) {
        TIMERS.with_borrow_mut(|timers| timers.remove(&self.key));
    }
}

/// Wakes the tasks whose time has come. Returns the time until the next deadline.
pub fn expire() -> Option<Duration> {
    loop {
        let now = Instant::now();
        let first = TIMERS.with_borrow_mut(|timers| {
            let entry = timers.first_entry()?;
            let due = entry.key().0;
            Some(if due <= now { Ok(entry.remove()) } else { Err(due - now) })
        });
        match first? {
            Ok(waker) => waker.wake(),
            Err(left) => return Some(left),
        }
    }
}

/// `block_on`, with time.
pub fn run<T>(main: impl Future<Output = T>) -> T {
    let mut main = pin!(main);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = main.as_mut().poll(&mut cx) {
            return value;
        }
        // A waker that is called here makes the sleep below end at once.
        match expire() {
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TIMERS, run, sleep};
    use std::{
        future::poll_fn,
        task::Poll,
        time::{Duration, Instant},
    };
    use step_03::TaskSet;

    #[test]
    fn sleeps_end_in_the_order_of_their_times_and_overlap() {
        let set = TaskSet::default();
        for millis in [60, 20, 40] {
            set.spawn(async move {
                sleep(Duration::from_millis(millis)).await;
                millis
            });
        }
        let mut order = Vec::new();
        let began = Instant::now();
        run(poll_fn(|cx| {
            set.tick(cx, |millis| order.push(millis));
            if set.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        }));
        assert_eq!(order, [20, 40, 60]);
        assert!(began.elapsed() >= Duration::from_millis(60));
    }

    #[test]
    fn a_sleep_that_is_dropped_leaves_nothing() {
        run(async {
            let mut long = sleep(Duration::from_secs(3600));
            poll_fn(|cx| {
                assert!(std::pin::Pin::new(&mut long).poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            TIMERS.with_borrow(|timers| assert_eq!(timers.len(), 1));
            drop(long);
            TIMERS.with_borrow(|timers| assert!(timers.is_empty()));
        });
    }
}
