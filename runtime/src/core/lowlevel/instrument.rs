//! Instruments: hooks into the run loop, for tracing, profiling and debuggers.
//!
//! If no instrument is installed, each hook costs one look at a flag.

use crate::{core::task::handle::Task, error::failure::discard};
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

/// The hooks of an instrument; trio's `Instrument`. A hook that is not overridden does nothing.
///
/// A hook runs on the run loop and must not block. If a hook panics, its instrument is removed, the log says so, and
/// the run goes on.
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// use terzetto::{Builder, Instrument, Task, checkpoint};
/// #[derive(Default)]
/// struct Steps(Cell<usize>);
/// impl Instrument for Steps {
///     fn before_task_step(&self, _task: &Task) { self.0.set(self.0.get() + 1); }
/// }
/// let steps = Rc::new(Steps::default());
/// Builder::new().instrument(steps.clone()).run(async {
///     checkpoint().await?;
///     Ok(())
/// })?;
/// assert_eq!(steps.0.get(), 2);
/// # Ok::<(), terzetto::Error>(())
/// ```
pub trait Instrument {
    /// The run begins.
    fn before_run(&self) {}
    /// The run has ended.
    fn after_run(&self) {}
    /// A task was started.
    fn task_spawned(&self, task: &Task) {
        let _ = task;
    }
    /// A task has become runnable. It will run in the next tick.
    fn task_scheduled(&self, task: &Task) {
        let _ = task;
    }
    /// A task is about to run.
    fn before_task_step(&self, task: &Task) {
        let _ = task;
    }
    /// A task has run until it waits again, or has ended. A task that opens a nursery polls the nursery's children.
    /// So steps of children may come between the two hooks of that task, if both run in one tick.
    fn after_task_step(&self, task: &Task) {
        let _ = task;
    }
    /// A task has ended.
    fn task_exited(&self, task: &Task) {
        let _ = task;
    }
    /// The loop will look for events, and sleep up to `timeout` seconds. Infinity means no limit.
    fn before_io_wait(&self, timeout: f64) {
        let _ = timeout;
    }
    /// The loop has looked for events.
    fn after_io_wait(&self, timeout: f64) {
        let _ = timeout;
    }
}

/// The instruments of a run.
#[derive(Default)]
pub(crate) struct Instruments {
    any: Cell<bool>,
    list: RefCell<Vec<Rc<dyn Instrument>>>,
}

impl Instruments {
    pub(crate) fn new(list: Vec<Rc<dyn Instrument>>) -> Instruments {
        Instruments { any: Cell::new(!list.is_empty()), list: RefCell::new(list) }
    }

    pub(crate) fn add(&self, instrument: Rc<dyn Instrument>) {
        let mut list = self.list.borrow_mut();
        if !list.iter().any(|other| Rc::ptr_eq(other, &instrument)) {
            list.push(instrument);
        }
        self.any.set(true);
    }

    pub(crate) fn remove(&self, instrument: &Rc<dyn Instrument>) -> bool {
        let mut list = self.list.borrow_mut();
        let found = list.iter().position(|other| Rc::ptr_eq(other, instrument));
        let removed = found.map(|index| list.remove(index));
        self.any.set(!list.is_empty());
        drop(list);
        removed.is_some()
    }

    #[inline]
    pub(crate) fn tell(&self, hook: impl Fn(&dyn Instrument)) {
        if self.any.get() {
            self.tell_all(&hook);
        }
    }

    #[cold]
    fn tell_all(&self, hook: &dyn Fn(&dyn Instrument)) {
        // This is a copy, since hooks may add and remove instruments.
        let list = self.list.borrow().clone();
        for instrument in list {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| hook(&*instrument))) {
                discard(payload);
                log::error!("a hook of an instrument panicked; the instrument is removed");
                self.remove(&instrument);
            }
            // A hook may have removed the instrument, and then this drops the last reference to it.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(instrument))) {
                discard(payload);
            }
        }
    }
}
