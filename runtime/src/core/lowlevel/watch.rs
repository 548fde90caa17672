//! Watches: tests learn from them whether a task comes to a cancel point. So tasks need not count their cancel
//! points.

use crate::core::task::handle::Task;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// Somebody watches whether a task comes to a cancel point.
pub(crate) struct Watch {
    task: Task,
    /// Whether it has come to one.
    pub(crate) seen: Cell<bool>,
}

/// A function that is called at each cancel point.
pub(crate) type Observer = Rc<dyn Fn()>;

/// All watches of a run.
#[derive(Default)]
pub(crate) struct Watches {
    /// Whether there are any watches. Every checkpoint asks.
    any: Cell<bool>,
    list: RefCell<Vec<Rc<Watch>>>,
    /// A test may see every cancel point.
    observer: RefCell<Option<Observer>>,
}

impl Watches {
    pub(crate) fn begin(&self, task: Task) -> Rc<Watch> {
        let watch = Rc::new(Watch { task, seen: Cell::new(false) });
        self.list.borrow_mut().push(watch.clone());
        self.any.set(true);
        watch
    }

    pub(crate) fn end(&self, watch: &Rc<Watch>) {
        let mut list = self.list.borrow_mut();
        list.retain(|other| !Rc::ptr_eq(other, watch));
        self.any.set(!list.is_empty() || self.observer.borrow().is_some());
    }

    /// From now on `observer` is called at each cancel point, before the runtime looks for a cancellation there. It may
    /// cancel a scope, or panic.
    pub(crate) fn observe(&self, observer: Observer) {
        self.any.set(true);
        let former = self.observer.replace(Some(observer));
        drop(former);
    }

    /// Whether there are any watches.
    #[inline]
    pub(crate) fn are_there(&self) -> bool {
        self.any.get()
    }

    /// Notes that a task is at a cancel point. `task` finds out which task, and is called only if somebody watches.
    #[inline]
    pub(crate) fn tell(&self, task: impl FnOnce() -> Option<Task>) {
        if self.any.get() {
            self.tell_each(task());
        }
    }

    #[cold]
    fn tell_each(&self, task: Option<Task>) {
        for watch in self.list.borrow().iter().filter(|watch| Some(&watch.task) == task.as_ref()) {
            watch.seen.set(true);
        }
        let observer = self.observer.borrow().clone();
        if let Some(observer) = observer {
            observer();
        }
    }
}
