//! Task-local context: values that a task passes on to the tasks that it starts.
//!
//! A context is a map. It is never changed in place while somebody shares it. So starting a task copies one pointer,
//! and the first change after that copies the map. A child sees the values that its starter had set by then, and its
//! own changes stay its own. trio has this from Python's `contextvars`.

use std::{any::Any, collections::HashMap, sync::Arc};

pub(crate) type Value = Arc<dyn Any + Send + Sync>;
pub(crate) type Values = HashMap<usize, Value>;

/// The values of a task.
#[derive(Clone, Default)]
pub(crate) struct TaskContext(pub(crate) Option<Arc<Values>>);

impl TaskContext {
    /// Sets or removes a value. Returns the former one.
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
