//! Instruments: hooks into the run loop, for tracing, profiling and debuggers.
//!
//! If no instrument is installed, each hook costs one look at a flag. If one is installed, each tick goes by the run
//! loop, and looks at the system's events. So an instrument sees what the loop does, tick by tick.

use crate::{CancelReason, core::task::handle::Task, error::failure::discard};
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
/// use terzetto::{Builder, Task, checkpoint, lowlevel::Instrument};
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
    /// A task has run until it waits again, or has ended. It is still the [current task](crate::current_task), also if
    /// it has ended. A task that opens a nursery polls the nursery's children. So steps of children may come between
    /// the two hooks of that task, if both run in one tick.
    fn after_task_step(&self, task: &Task) {
        let _ = task;
    }
    /// A task has begun a wait. `what` says what it does meanwhile, as in the [tree of tasks](crate::task_tree). The wait
    /// may be over before the task's step ends. A task that waits for the end of a nursery, or awaits a foreign future,
    /// begins no wait.
    fn task_blocked(&self, task: &Task, what: &'static str) {
        let _ = (task, what);
    }
    /// A cancellation has reached a task that is blocked. Its operation has yet to be asked whether it can be aborted. A
    /// task that is not blocked learns of a cancellation at its next checkpoint, of which instruments are not told.
    fn task_cancelled(&self, task: &Task, reason: &CancelReason) {
        let _ = (task, reason);
    }
    /// A task has ended.
    fn task_exited(&self, task: &Task) {
        let _ = task;
    }
    /// The loop will look for events, as it does once a tick, and sleep up to `timeout` seconds. Infinity means no
    /// limit. Zero means that there is something to do.
    fn before_io_wait(&self, timeout: f64) {
        let _ = timeout;
    }
    /// The loop has looked for events, for which it was ready to sleep up to `timeout` seconds.
    fn after_io_wait(&self, timeout: f64) {
        let _ = timeout;
    }
}

/// A run that is busy looks for the system's events after so many polls: often enough that no socket
/// starves, seldom enough that the system call does not count.
const POLLS_PER_LOOK: usize = 64;

/// The instruments of a run.
pub(crate) struct Instruments {
    any: Cell<bool>,
    /// After so many polls the run looks for the system's events: with an instrument installed after each tick.
    polls_per_look: Cell<usize>,
    list: RefCell<Vec<Rc<dyn Instrument>>>,
}

impl Instruments {
    pub(crate) fn new(list: Vec<Rc<dyn Instrument>>) -> Instruments {
        let any = !list.is_empty();
        let instruments =
            Instruments { any: Cell::new(any), polls_per_look: Cell::new(0), list: RefCell::new(list) };
        instruments.note(any);
        instruments
    }

    /// Takes note of whether there are any.
    fn note(&self, any: bool) {
        self.any.set(any);
        self.polls_per_look.set(if any { 1 } else { POLLS_PER_LOOK });
    }

    #[inline]
    pub(crate) fn polls_per_look(&self) -> usize {
        self.polls_per_look.get()
    }

    pub(crate) fn add(&self, instrument: Rc<dyn Instrument>) {
        let mut list = self.list.borrow_mut();
        if !list.iter().any(|other| Rc::ptr_eq(other, &instrument)) {
            list.push(instrument);
        }
        self.note(true);
    }

    pub(crate) fn remove(&self, instrument: &Rc<dyn Instrument>) -> bool {
        let mut list = self.list.borrow_mut();
        let found = list.iter().position(|other| Rc::ptr_eq(other, instrument));
        let removed = found.map(|index| list.remove(index));
        self.note(!list.is_empty());
        drop(list);
        removed.is_some()
    }

    /// Whether any is installed.
    #[inline]
    pub(crate) fn are_there(&self) -> bool {
        self.any.get()
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
