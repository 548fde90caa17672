// Step 3: only tasks that were woken are polled.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

/// The numbers of the tasks that were woken, and the waker of the task that polls the set.
struct Ready {
    queue: Mutex<VecDeque<usize>>,
    parent: Mutex<Waker>,
}

/// The waker of one task: its number, and where to put it.
struct TaskWaker {
    id: usize,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut queue = self.ready.queue.lock().unwrap();
        if !queue.contains(&self.id) {
            queue.push_back(self.id);
        }
        drop(queue);
        // The trail goes on upwards: the task that polls the set must be polled.
        let parent = self.ready.parent.lock().unwrap().clone();
        parent.wake();
    }
}

type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Tasks that are polled when they were woken. The set is no runtime: it is polled like a future, so it can be a part
/// of one.
pub struct TaskSet<'a, T> {
    tasks: RefCell<HashMap<usize, Task<'a, T>>>,
    alive: Cell<usize>,
    next: Cell<usize>,
    ready: Arc<Ready>,
}

impl<T> Default for TaskSet<'_, T> {
    fn default() -> Self {
        let ready = Ready { queue: Mutex::default(), parent: Mutex::new(Waker::noop().clone()) };
        TaskSet {
            tasks: RefCell::default(),
            alive: Cell::default(),
            next: Cell::default(),
            ready: Arc::new(ready),
        }
    }
}

impl<'a, T> TaskSet<'a, T> {
    /// Adds a task. It is polled in the next tick.
    pub fn spawn(&self, task: impl Future<Output = T> + 'a) {
        let id = self.next.replace(self.next.get() + 1);
        self.tasks.borrow_mut().insert(id, Box::pin(task));
        self.alive.set(self.alive.get() + 1);
        self.waker(id).wake();
    }

    fn waker(&self, id: usize) -> Waker {
        Waker::from(Arc::new(TaskWaker { id, ready: self.ready.clone() }))
    }

    /// Whether all tasks have ended.
    pub fn is_empty(&self) -> bool {
        self.alive.get() == 0
    }

    /// A tick: polls each task that was woken before it, once. Calls `ended` with the values of those that end.
    pub fn tick(&self, cx: &mut Context<'_>, mut ended: impl FnMut(T)) {
        *self.ready.parent.lock().unwrap() = cx.waker().clone();
        let batch: Vec<usize> = self.ready.queue.lock().unwrap().drain(..).collect();
        for id in batch {
            // Out of the table while it is polled, since it may add tasks. A late wake finds nothing.
            let task = self.tasks.borrow_mut().remove(&id);
            let Some(mut task) = task else { continue };
            match task.as_mut().poll(&mut Context::from_waker(&self.waker(id))) {
                Poll::Ready(value) => {
                    self.alive.set(self.alive.get() - 1);
                    ended(value);
                }
                Poll::Pending => drop(self.tasks.borrow_mut().insert(id, task)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TaskSet;
    use std::{cell::Cell, future::poll_fn, rc::Rc, task::Poll};
    use step_01::block_on;
    use step_02::yield_now;

    fn run(set: &TaskSet<'_, ()>) {
        block_on(poll_fn(|cx| {
            set.tick(cx, |()| {});
            if set.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        }));
    }

    #[test]
    fn a_task_that_was_not_woken_is_not_polled() {
        let (polls, steps) = (Cell::new(0), Cell::new(0));
        let set = TaskSet::default();
        let mut done = false;
        set.spawn(poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::<()>::Pending
        }));
        set.spawn(async {
            for _ in 0..10 {
                yield_now().await;
                steps.set(steps.get() + 1);
            }
        });
        block_on(poll_fn(|cx| {
            set.tick(cx, |()| done = true);
            if done { Poll::Ready(()) } else { Poll::Pending }
        }));
        assert_eq!((polls.get(), steps.get()), (1, 10));
    }

    #[test]
    fn a_tick_polls_each_task_once_and_what_it_starts_comes_in_the_next() {
        let trace = std::cell::RefCell::new(Vec::new());
        let set = Rc::new(TaskSet::default());
        // A weak handle: the set must not borrow itself.
        let (handle, trace_ref) = (Rc::downgrade(&set), &trace);
        set.spawn(async move {
            trace_ref.borrow_mut().push("first");
            let set = handle.upgrade().unwrap();
            set.spawn(async move { trace_ref.borrow_mut().push("started by the first") });
        });
        set.spawn(async move { trace_ref.borrow_mut().push("second") });
        run(&set);
        assert_eq!(*trace.borrow(), ["first", "second", "started by the first"]);
    }

    #[test]
    fn sets_nest_and_a_wake_climbs() {
        let inner = TaskSet::default();
        inner.spawn(yield_now());
        let outer = TaskSet::default();
        outer.spawn(poll_fn(|cx| {
            inner.tick(cx, |()| {});
            if inner.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        }));
        run(&outer);
    }
}
