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

/// Whether the tests run under a sanitizer.
pub fn sanitized() -> bool {
    std::env::var_os("TERZETTO_SANITIZED").is_some()
}

/// So many levels of nesting; under a sanitizer a hundredth of them: the stack that ThreadSanitizer keeps for
/// itself has room for some 65,000 calls and does not grow.
pub fn levels(many: u32) -> u32 {
    if sanitized() { many / 100 } else { many }
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
