//! Task-local context: values that a task hands down to the tasks it starts.
//!
//! A context is a map that is never changed in place while somebody shares it: starting a task
//! copies one pointer, and the first change after that copies the map. So a child sees what its
//! starter had set by then, and nothing leaks back. trio has this from Python's `contextvars`.

use crate::core::{run, run::Run, task::handle::Task};
use std::{any::Any, cell::RefCell, collections::HashMap, marker::PhantomData, mem, sync::Arc};

type Value = Arc<dyn Any + Send + Sync>;
type Values = HashMap<usize, Value>;

/// The values of a task.
#[derive(Clone, Default)]
pub(crate) struct TaskContext(Option<Arc<Values>>);

thread_local! {
    /// The context of a worker thread's job.
    static OF_THREAD: RefCell<TaskContext> = const { RefCell::new(TaskContext(None)) };
}

/// Calls `f` with the context of the thread; at the thread's end, when its locals are gone, with an empty one.
fn with_that_of_thread<R>(f: impl FnOnce(&mut TaskContext) -> R) -> R {
    let mut f = Some(f);
    let mut call = |context: &mut TaskContext| f.take().map(|f| f(context));
    let result = OF_THREAD.try_with(|context| call(&mut context.borrow_mut()));
    match result.ok().flatten().or_else(|| call(&mut TaskContext::default())) {
        Some(result) => result,
        None => unreachable!("`f` is called once"),
    }
}

impl TaskContext {
    /// Sets or takes away a value; returns the former one.
    fn set(&mut self, key: usize, value: Option<Value>) -> Option<Value> {
        let values = Arc::make_mut(self.0.get_or_insert_default());
        match value {
            Some(value) => values.insert(key, value),
            None => values.remove(&key),
        }
    }

    fn get(&self, key: usize) -> Option<Value> {
        self.0.as_ref()?.get(&key).cloned()
    }

    /// The context of the code that calls.
    pub(crate) fn current() -> TaskContext {
        with_current(|context| context.clone())
    }

    /// As [`TaskContext::current`], within a run.
    #[inline]
    pub(crate) fn current_in(run: &Run) -> TaskContext {
        let of_task = run.tree.with_current(|own| own.with_context(|context| context.clone()));
        of_task.unwrap_or_else(|| with_that_of_thread(|context| context.clone()))
    }

    /// Calls `f` with this context; what it sets is gone afterwards.
    pub(crate) fn enter<R>(mut self, f: impl FnOnce() -> R) -> R {
        // The context is dropped after the exchange is undone, with nothing borrowed: what a value does when it is
        // dropped may be to look at the context.
        let _exchanged = ContextSwap::new(&mut self);
        f()
    }
}

/// While it lives, the code that calls has another context, and the other place has that code's.
pub(crate) struct ContextSwap<'a> {
    /// Whose contexts they are: a task's, which may end meanwhile, or the thread's.
    task: Option<Task>,
    other: &'a mut TaskContext,
}

impl<'a> ContextSwap<'a> {
    pub(crate) fn new(other: &'a mut TaskContext) -> ContextSwap<'a> {
        let task = run::try_with(|run| run.tree.current_task()).flatten();
        let mut exchanged = ContextSwap { task, other };
        exchanged.swap();
        exchanged
    }

    fn swap(&mut self) {
        let swap = |own: &mut TaskContext| mem::swap(own, self.other);
        match &self.task {
            Some(task) => task.own().with_context(swap),
            None => with_that_of_thread(swap),
        }
    }
}

impl Drop for ContextSwap<'_> {
    fn drop(&mut self) {
        self.swap();
    }
}

/// Calls `f` with the context of the code that calls. `f` calls nothing foreign.
fn with_current<R>(f: impl FnOnce(&mut TaskContext) -> R) -> R {
    let mut f = Some(f);
    let of_task =
        run::try_with(|run| run.tree.with_current(|info| f.take().map(|f| info.with_context(f))).flatten());
    match (of_task.flatten(), f) {
        (Some(result), _) => result,
        (None, Some(f)) => with_that_of_thread(f),
        (None, None) => unreachable!("`f` was called only if there is a result"),
    }
}

/// A value that each task has of its own; Python's `ContextVar`.
///
/// A task starts with what was set where it was started, and what it sets is seen by itself and by
/// the tasks that it starts from then on. A nursery's body belongs to the task around it. Jobs of
/// worker threads get a copy, too, and what they call on the loop gets a copy of theirs, which is why values must
/// be `Send + Sync`.
///
/// ```
/// use terzetto::{ContextVar, nursery};
/// static REQUEST: ContextVar<u32> = ContextVar::new("request");
/// terzetto::run(async {
///     REQUEST.set(7);
///     nursery(async |n| {
///         n.start_soon(async {
///             assert_eq!(REQUEST.get(), Some(7));
///             REQUEST.set(8); // seen by this task and its children only
///             Ok(())
///         });
///         Ok(())
///     }).await?;
///     assert_eq!(REQUEST.get(), Some(7));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct ContextVar<T> {
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T: Clone + Send + Sync + 'static> ContextVar<T> {
    /// A variable that is set nowhere; to be kept in a `static`.
    pub const fn new(name: &'static str) -> ContextVar<T> {
        ContextVar { name, value: PhantomData }
    }

    /// Its name, for messages.
    pub fn name(&'static self) -> &'static str {
        self.name
    }

    /// A static's address is its own: the struct is not empty.
    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The value in the current task, if one was set there or above.
    pub fn get(&'static self) -> Option<T> {
        let value = with_current(|context| context.get(self.key()))?;
        value.downcast_ref::<T>().cloned()
    }

    /// Sets the value in the current task; returns the former one.
    pub fn set(&'static self, value: T) -> Option<T> {
        let value: Value = Arc::new(value);
        let former = with_current(|context| context.set(self.key(), Some(value)))?;
        former.downcast_ref::<T>().cloned()
    }

    /// Takes the value away from the current task; returns it.
    pub fn unset(&'static self) -> Option<T> {
        let former = with_current(|context| context.set(self.key(), None))?;
        former.downcast_ref::<T>().cloned()
    }
}
