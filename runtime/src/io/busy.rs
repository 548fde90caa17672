//! Refusing a second task where there is room for one.

use crate::io::StreamError;
use std::cell::Cell;

/// Lets one in at a time and turns the others away, where waiting would hide a mistake: trio's
/// `ConflictDetector`.
#[derive(Debug, Default)]
pub(crate) struct Turnstile(Cell<bool>);

/// Who is inside; leaving is dropping it.
#[derive(Debug)]
pub(crate) struct InsideGuard<'a>(&'a Cell<bool>);

impl Turnstile {
    /// Goes in; `what` says in the error what another task is doing already.
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
