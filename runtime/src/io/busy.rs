//! Refusing a second task where only one task may be active.

use crate::io::StreamError;
use std::cell::Cell;

/// Lets one task in at a time and refuses the others, for places where waiting would hide a mistake. This is trio's
/// `ConflictDetector`.
#[derive(Debug, Default)]
pub(crate) struct Turnstile(Cell<bool>);

/// Proof that a task is inside. Dropping it leaves.
#[derive(Debug)]
pub(crate) struct InsideGuard<'a>(&'a Cell<bool>);

impl Turnstile {
    /// Enters. In the error, `what` describes what the other task is doing.
    pub(crate) fn enter(&self, what: &'static str) -> Result<InsideGuard<'_>, StreamError> {
        if self.0.replace(true) {
            return Err(StreamError::Busy(what));
        }
        Ok(InsideGuard(&self.0))
    }
}

impl Drop for InsideGuard<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
