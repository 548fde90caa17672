//! The current context: that of the current task, or else that of the thread.

use crate::core::{
    run,
    run::Run,
    task::{context_values::TaskContext, handle::Task},
};
use std::{cell::RefCell, mem};
thread_local! {
    /// The context of a worker thread's job, and of a token's call outside any task.
    static OF_THREAD: RefCell<TaskContext> = const { RefCell::new(TaskContext(None)) };
}

/// Calls `f` with the context of the thread. At the end of the thread, when its locals are gone, calls `f` with an
/// empty one.
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
    /// A copy of the current context.
    pub(crate) fn current() -> TaskContext {
        with_current_context(|context| context.clone())
    }

    /// As [`TaskContext::current`], for callers that have the run.
    #[inline]
    pub(crate) fn current_in(run: &Run) -> TaskContext {
        let of_task = run.tree.with_current(|own| own.with_context(|context| context.clone()));
        of_task.unwrap_or_else(|| with_that_of_thread(|context| context.clone()))
    }

    /// Calls `f` with this context as the current one. The changes that `f` makes are gone afterwards.
    pub(crate) fn enter<R>(mut self, f: impl FnOnce() -> R) -> R {
        // This context is dropped after the swap is undone, with nothing borrowed. The destructor of a value may look
        // at the current context.
        let _exchanged = ContextSwap::new(&mut self);
        f()
    }
}

/// While it lives, the current context and `other` are swapped.
pub(crate) struct ContextSwap<'a> {
    /// The task whose context is swapped; it may end meanwhile. `None` if it is the context of the thread.
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

/// Calls `f` with the current context. `f` must call no foreign code.
pub(crate) fn with_current_context<R>(f: impl FnOnce(&mut TaskContext) -> R) -> R {
    let mut f = Some(f);
    let of_task =
        run::try_with(|run| run.tree.with_current(|info| f.take().map(|f| info.with_context(f))).flatten());
    match (of_task.flatten(), f) {
        (Some(result), _) => result,
        (None, Some(f)) => with_that_of_thread(f),
        (None, None) => unreachable!("`f` was called only if there is a result"),
    }
}
