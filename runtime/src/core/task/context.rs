//! Task-local context: values that a task hands down to the tasks it starts.
//!
//! A context is a map that is never changed in place while somebody shares it: starting a task
//! copies one pointer, and the first change after that copies the map. So a child sees what its
//! starter had set by then, and nothing leaks back. trio has this from Python's `contextvars`.

use std::{any::Any, collections::HashMap, sync::Arc};

pub(crate) type Value = Arc<dyn Any + Send + Sync>;
pub(crate) type Values = HashMap<usize, Value>;

/// The values of a task.
#[derive(Clone, Default)]
pub(crate) struct TaskContext(pub(crate) Option<Arc<Values>>);

impl TaskContext {
    /// Sets or takes away a value; returns the former one.
    pub(crate) fn set(&mut self, key: usize, value: Option<Value>) -> Option<Value> {
        let values = Arc::make_mut(self.0.get_or_insert_default());
        match value {
            Some(value) => values.insert(key, value),
            None => values.remove(&key),
        }
    }

    pub(crate) fn get(&self, key: usize) -> Option<Value> {
        self.0.as_ref()?.get(&key).cloned()
    }
}
