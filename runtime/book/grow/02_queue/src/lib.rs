// Step 2: several tasks take turns.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker},
};

type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Tasks that wait for their turn. They may borrow what outlives the queue.
#[derive(Default)]
pub struct Queue<'a>(RefCell<VecDeque<Task<'a>>>);

impl<'a> Queue<'a> {
    /// Adds a task. Tasks may add tasks.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'a) {
        self.0.borrow_mut().push_back(Box::pin(task));
    }

    /// Polls the tasks in turn, until all have ended. A task that waits is polled again and again: the processor is
    /// busy all the time. Step 3 mends that.
    pub fn run(&self) {
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            // In a statement of its own: the borrow must have ended when the task is polled.
            let task = self.0.borrow_mut().pop_front();
            let Some(mut task) = task else { return };
            if task.as_mut().poll(&mut cx).is_pending() {
                self.0.borrow_mut().push_back(task);
            }
        }
    }
}

/// Lets others run: pending once, and then ready.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::{Queue, yield_now};
    use std::cell::RefCell;

    #[test]
    fn tasks_take_turns() {
        let trace = RefCell::new(String::new());
        let queue = Queue::default();
        for name in ['a', 'b'] {
            let trace = &trace;
            queue.spawn(async move {
                for _ in 0..3 {
                    trace.borrow_mut().push(name);
                    yield_now().await;
                }
            });
        }
        queue.run();
        assert_eq!(*trace.borrow(), "ababab");
    }

    #[test]
    fn a_task_that_does_not_yield_keeps_the_others_waiting() {
        let trace = RefCell::new(String::new());
        let queue = Queue::default();
        queue.spawn(async {
            for _ in 0..3 {
                trace.borrow_mut().push('a');
            }
        });
        queue.spawn(async { trace.borrow_mut().push('b') });
        queue.run();
        assert_eq!(*trace.borrow(), "aaab");
    }
}
