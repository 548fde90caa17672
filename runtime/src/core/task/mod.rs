//! Tasks: nurseries, `start`, and what is known of the current task.

pub(crate) mod context;
pub(crate) mod context_values;
pub(crate) mod context_var;
pub(crate) mod current;
pub(crate) mod handle;
pub(crate) mod in_context;
pub(crate) mod nursery;
pub(crate) mod nursery_errors;
pub(crate) mod poll_children;
pub(crate) mod start;
pub(crate) mod unit;
