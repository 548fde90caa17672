// Step 5: tasks belong to a block, and may borrow.

use std::{
    future::poll_fn,
    pin::pin,
    rc::{Rc, Weak},
    task::Poll,
};
use step_03::TaskSet;

/// The handle with which tasks are started. It does not keep the tasks: only the future of the block does. So what they
/// borrow may end as soon as that future has ended.
pub struct Nursery<'env> {
    tasks: Weak<TaskSet<'env, ()>>,
}

impl Clone for Nursery<'_> {
    fn clone(&self) -> Self {
        Nursery { tasks: self.tasks.clone() }
    }
}

impl<'env> Nursery<'env> {
    /// Starts a task, which runs in the next tick.
    ///
    /// # Panics
    /// If the block has ended.
    pub fn start_soon(&self, task: impl Future<Output = ()> + 'env) {
        self.tasks.upgrade().expect("the nursery is closed").spawn(task);
    }
}

/// Runs `body` and the tasks that are started in the nursery. Returns when all of them have ended.
///
/// Three things make borrows sound, and none of them needs `unsafe`. The set of tasks is a local variable of this future.
/// It is polled only here. And the compiler lets nobody poll or drop this future after `'env`.
pub async fn nursery<'env, T>(body: impl AsyncFnOnce(Nursery<'env>) -> T) -> T {
    let tasks = Rc::new(TaskSet::default());
    let mut body = pin!(body(Nursery { tasks: Rc::downgrade(&tasks) }));
    let mut value = None;
    poll_fn(|cx| {
        if value.is_none()
            && let Poll::Ready(returned) = body.as_mut().poll(cx)
        {
            value = Some(returned);
        }
        tasks.tick(cx, |()| {});
        if !tasks.is_empty() {
            return Poll::Pending;
        }
        value.take().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::nursery;
    use std::{cell::Cell, future::poll_fn, mem::forget, pin::Pin, task::Poll, time::Duration};
    use step_02::yield_now;
    use step_04::{run, sleep};

    #[test]
    fn the_block_ends_when_body_and_tasks_have_ended_and_tasks_borrow() {
        run(async {
            let total = Cell::new(0);
            let parts = [1, 2, 3];
            let returned = nursery(async |n| {
                for part in &parts {
                    let total = &total;
                    n.start_soon(async move {
                        sleep(Duration::from_millis(5)).await;
                        total.set(total.get() + part);
                    });
                }
                "the body has ended"
            });
            assert_eq!(returned.await, "the body has ended");
            assert_eq!(total.get(), 6);
        });
    }

    #[test]
    fn a_task_may_start_others() {
        run(async {
            let ran = Cell::new(false);
            nursery(async |n| {
                let handle = n.clone();
                let ran = &ran;
                n.start_soon(async move { handle.start_soon(async move { ran.set(true) }) });
            })
            .await;
            assert!(ran.get());
        });
    }

    async fn count(steps: &Cell<u32>) {
        nursery(async |n| {
            n.start_soon(async {
                loop {
                    steps.set(steps.get() + 1);
                    yield_now().await;
                }
            });
        })
        .await;
    }

    async fn poll_three_times(future: &mut Pin<Box<impl Future>>) {
        for _ in 0..3 {
            poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
            yield_now().await;
        }
    }

    #[test]
    fn a_block_that_is_dropped_drops_its_tasks_and_one_that_is_forgotten_stops() {
        run(async {
            let steps = Cell::new(0);
            let mut dropped = Box::pin(count(&steps));
            poll_three_times(&mut dropped).await;
            drop(dropped);
            let mut forgotten = Box::pin(count(&steps));
            poll_three_times(&mut forgotten).await;
            forget(forgotten);
            let before = steps.get();
            sleep(Duration::from_millis(5)).await;
            assert_eq!(steps.get(), before);
        });
    }
}
