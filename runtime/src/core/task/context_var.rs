//! `ContextVar`: a variable of which each task has a value of its own.

use crate::core::task::{context::Value, current_context::with_current_context};
use std::{marker::PhantomData, sync::Arc};

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
        let value = with_current_context(|context| context.get(self.key()))?;
        value.downcast_ref::<T>().cloned()
    }

    /// Sets the value in the current task; returns the former one.
    pub fn set(&'static self, value: T) -> Option<T> {
        let value: Value = Arc::new(value);
        let former = with_current_context(|context| context.set(self.key(), Some(value)))?;
        former.downcast_ref::<T>().cloned()
    }

    /// Takes the value away from the current task; returns it.
    pub fn unset(&'static self) -> Option<T> {
        let former = with_current_context(|context| context.set(self.key(), None))?;
        former.downcast_ref::<T>().cloned()
    }
}
