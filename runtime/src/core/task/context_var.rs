//! `ContextVar`: a variable that has its own value in each task.

use crate::core::task::{context::with_current_context, context_values::Value};
use std::{marker::PhantomData, sync::Arc};

/// A variable that has its own value in each task; Python's `ContextVar`.
///
/// A task begins with the values that are set where it is started. What a task sets is seen by itself, and by the
/// tasks that it starts after that. A nursery's body belongs to the task around it. Jobs of worker threads get a copy
/// too. A function that a job calls on the loop gets a copy of the job's context. That is why values must be `Send + Sync`.
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
    /// A variable that has no value yet. Keep it in a `static`.
    pub const fn new(name: &'static str) -> ContextVar<T> {
        ContextVar { name, value: PhantomData }
    }

    /// The name of the variable, for messages.
    pub fn name(&'static self) -> &'static str {
        self.name
    }

    /// The address of the static. No two statics share one, since the struct is not empty.
    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The value in the current task. `None` if neither the task nor those that have started it have set one.
    pub fn get(&'static self) -> Option<T> {
        let value = with_current_context(|context| context.get(self.key()))?;
        value.downcast_ref::<T>().cloned()
    }

    /// Sets the value in the current task. Returns the former one.
    pub fn set(&'static self, value: T) -> Option<T> {
        let value: Value = Arc::new(value);
        let former = with_current_context(|context| context.set(self.key(), Some(value)))?;
        former.downcast_ref::<T>().cloned()
    }

    /// Removes the value from the current task. Returns it.
    pub fn unset(&'static self) -> Option<T> {
        let former = with_current_context(|context| context.set(self.key(), None))?;
        former.downcast_ref::<T>().cloned()
    }
}
