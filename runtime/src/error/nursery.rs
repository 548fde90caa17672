//! What a nursery itself can say, beside the errors of its tasks.

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
/// trio's block simply ends then. A body that returns `()` ends so here, too; one that returns
/// anything else has nothing to return, and this error says so. A body that expects it returns an
/// `Option` out of a scope inside: `n.cancel_scope()` is then left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyCancelled;

impl fmt::Display for BodyCancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the nursery was cancelled through its own scope before its body had a value")
    }
}

impl std::error::Error for BodyCancelled {}
