//! What the tests of the runtime share.

pub mod differential;
pub mod load;

use std::cell::RefCell;
use terzetto::{Builder, Error, testing::MockClock};

/// Runs `main` on a mock clock that jumps to the next deadline when all tasks are blocked.
///
/// # Errors
/// As `main`.
pub fn run_mock<T>(main: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    Builder::new().clock(MockClock::autojump()).run(main)
}

/// A record of what happened, in order.
#[derive(Debug, Default)]
pub struct Trace(RefCell<Vec<String>>);

impl Trace {
    /// Adds a line.
    pub fn note(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    /// The lines so far, joined by spaces.
    pub fn text(&self) -> String {
        self.0.borrow().join(" ")
    }
}
