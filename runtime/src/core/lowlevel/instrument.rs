//! Instruments: hooks into the run loop, for tracing, profiling and debuggers.
//!
//! With none installed each hook costs one look at a flag.

use crate::{core::task::handle::Task, error::failure::discard};
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

/// What an instrument can be told; trio's `Instrument`. All hooks do nothing unless overridden.
///
/// A hook runs on the run loop and must not block. One that panics is removed and logged, and the
/// run goes on.
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
    /// A task has become runnable: it will run in the next tick.
    fn task_scheduled(&self, task: &Task) {
        let _ = task;
    }
    /// A task is about to run.
    fn before_task_step(&self, task: &Task) {
        let _ = task;
    }
    /// A task has run up to where it waits next, or to its end. Steps of a nursery's children may
    /// come between the two hooks of its parent when both run in one tick.
    fn after_task_step(&self, task: &Task) {
        let _ = task;
    }
    /// A task has ended.
    fn task_exited(&self, task: &Task) {
        let _ = task;
    }
    /// The loop will look for events, and sleep up to `timeout` seconds (infinity: no limit).
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
        // A copy: hooks may add and remove instruments.
        let list = self.list.borrow().clone();
        for instrument in list {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| hook(&*instrument))) {
                discard(payload);
                log::error!("a hook of an instrument panicked; the instrument is removed");
                self.remove(&instrument);
            }
            // It may have been removed, and this the last that there is of it.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(instrument))) {
                discard(payload);
            }
        }
    }
}
