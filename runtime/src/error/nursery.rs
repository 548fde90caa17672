//! The errors of a nursery itself, beside the errors of its tasks.

use std::fmt;

/// The nursery is closed: its body and all its children have ended, or it is being dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NurseryClosed;

impl fmt::Display for NurseryClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the nursery is closed to new arrivals: its body and all its children have ended")
    }
}

impl std::error::Error for NurseryClosed {}

/// The nursery's own scope was cancelled before its body had a value to return.
///
/// In trio the block simply ends then. Here, too, a body that returns `()` simply ends. A body with any other type has
/// no value to return, so the nursery returns this error. If you expect this, open a scope inside the body, cancel
/// that scope and not `n.cancel_scope()`, and return the scope's `Option`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyCancelled;

impl fmt::Display for BodyCancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the nursery was cancelled through its own scope before its body had a value")
    }
}

impl std::error::Error for BodyCancelled {}
