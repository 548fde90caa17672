//! For tests: a clock that the test owns.

use crate::Clock;
use std::{cell::Cell, rc::Rc};

/// A clock that stands still until it is told to jump; trio's `MockClock`.
///
/// With [`MockClock::autojump`] it jumps to the next deadline whenever all tasks are blocked, so that
/// tests about time take none.
///
/// ```
/// use terzetto::{Builder, current_time, sleep, testing::MockClock};
/// Builder::new().clock(MockClock::autojump()).run(async {
///     let start = current_time();
///     sleep(3600.0).await?;
///     assert_eq!(current_time() - start, 3600.0);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Debug)]
pub struct MockClock {
    now: Cell<f64>,
    autojump: bool,
}

impl MockClock {
    /// A clock that shows zero and stands still.
    pub fn new() -> Rc<MockClock> {
        Rc::new(MockClock { now: Cell::new(0.0), autojump: false })
    }

    /// A clock that shows zero and jumps when all tasks are blocked.
    pub fn autojump() -> Rc<MockClock> {
        Rc::new(MockClock { now: Cell::new(0.0), autojump: true })
    }

    /// Moves the clock forward.
    ///
    /// # Panics
    /// If `seconds` is negative or NaN: time does not go back.
    pub fn jump(&self, seconds: f64) {
        assert!(seconds >= 0.0, "a mock clock cannot jump by {seconds} seconds: time does not go back");
        self.now.set(self.now.get() + seconds);
    }
}

impl Clock for MockClock {
    fn now(&self) -> f64 {
        self.now.get()
    }

    /// A clock that stands still never comes to a deadline by itself.
    fn deadline_to_sleep_time(&self, deadline: f64) -> f64 {
        if deadline <= self.now.get() { 0.0 } else { f64::INFINITY }
    }

    fn autojump_threshold(&self) -> Option<f64> {
        self.autojump.then_some(0.0)
    }

    fn autojump(&self, deadline: f64) {
        self.now.set(self.now.get().max(deadline));
    }
}
