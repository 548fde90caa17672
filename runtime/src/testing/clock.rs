//! A clock that the test owns.

use crate::{
    core::{run, run::inbox::Inbox},
    lowlevel::Clock,
};
use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
    sync::{Arc, Weak},
    time::Instant,
};

/// A clock that stands still until it is told to jump; trio's `MockClock`. The host of a
/// [guest run](crate::lowlevel::GuestRun) may change the clock while the run sleeps. The run notices each change.
///
/// With [`MockClock::autojump`] the clock jumps to the next deadline whenever all tasks are blocked, so tests of
/// timeouts need not wait in real time. A wait for a socket, for another descriptor or for a
/// [worker thread](crate::to_thread) counts as blocked. So a time limit around it is over at once, unless
/// [`set_autojump_threshold`](MockClock::set_autojump_threshold) leaves it some real time. Test code that uses the
/// network with [`memory_stream_pair`](crate::testing::memory_stream_pair), or in a
/// [simulated network](crate::testing::net).
///
/// With a rate it runs by itself: the rate is the number of its seconds in one real second.
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
pub struct MockClock {
    /// The time at `since`.
    base: Cell<f64>,
    since: Cell<Instant>,
    rate: Cell<f64>,
    threshold: Cell<f64>,
    /// The runs that use this clock. A guest run may be asleep when its host changes the clock.
    runs: RefCell<Vec<Weak<Inbox>>>,
}

impl MockClock {
    /// A clock that shows zero and stands still.
    pub fn new() -> Rc<MockClock> {
        Rc::new(MockClock {
            base: Cell::new(0.0),
            since: Cell::new(Instant::now()),
            rate: Cell::new(0.0),
            threshold: Cell::new(f64::INFINITY),
            runs: RefCell::default(),
        })
    }

    /// A clock that shows zero and jumps when all tasks are blocked.
    pub fn autojump() -> Rc<MockClock> {
        let clock = MockClock::new();
        clock.set_autojump_threshold(0.0);
        clock
    }

    /// Moves the clock forward.
    ///
    /// # Panics
    /// If `seconds` is negative, infinite or NaN, or if the new time would be infinite. Time does not go back, and
    /// after an infinite time no timeout would ever end.
    pub fn jump(&self, seconds: f64) {
        assert!(
            seconds >= 0.0 && seconds.is_finite(),
            "the argument `seconds` of a mock clock's jump must be finite and not negative, and is {seconds}"
        );
        let base = self.base.get() + seconds;
        assert!(
            base.is_finite(),
            "the argument `seconds` of a mock clock's jump is {seconds}, which leads beyond all numbers"
        );
        self.base.set(base);
        self.tell_sleepers();
    }

    /// How many of its seconds pass in one real second.
    pub fn rate(&self) -> f64 {
        self.rate.get()
    }

    /// Lets the clock run by itself. `rate` is the number of its seconds in one real second. Zero stops it.
    ///
    /// # Panics
    /// If `rate` is negative or not finite.
    pub fn set_rate(&self, rate: f64) {
        assert!(
            rate >= 0.0 && rate.is_finite(),
            "the argument `rate` of a mock clock must be finite and not negative, and is {rate}"
        );
        self.base.set(self.now());
        self.since.set(Instant::now());
        self.rate.set(rate);
        self.tell_sleepers();
    }

    /// For how many real seconds all tasks must be blocked before the clock jumps. Infinity means that it never jumps.
    pub fn autojump_after(&self) -> f64 {
        self.threshold.get()
    }

    /// Sets for how many real seconds all tasks must be blocked before the clock jumps. With infinity it never jumps.
    ///
    /// # Panics
    /// If `seconds` is negative or NaN.
    pub fn set_autojump_threshold(&self, seconds: f64) {
        assert!(
            seconds >= 0.0,
            "the argument `seconds` of a mock clock's autojump threshold must not be negative or NaN, and is {seconds}"
        );
        self.threshold.set(seconds);
        self.tell_sleepers();
    }

    /// Wakes the sleeping runs, so that each computes again how long to sleep.
    fn tell_sleepers(&self) {
        self.runs.borrow().iter().filter_map(Weak::upgrade).for_each(|inbox| inbox.wake_loop_if_asleep());
    }
}

impl Clock for MockClock {
    fn start(&self) {
        let mut runs = self.runs.borrow_mut();
        runs.retain(|inbox| inbox.strong_count() > 0);
        runs.extend(run::try_with(|run| Arc::downgrade(&run.inbox)));
    }

    fn now(&self) -> f64 {
        match self.rate.get() {
            0.0 => self.base.get(),
            // Even with a very large rate the time stays finite.
            rate => (self.base.get() + rate * self.since.get().elapsed().as_secs_f64()).min(f64::MAX),
        }
    }

    /// A clock that stands still never comes to a deadline by itself.
    fn deadline_to_sleep_time(&self, deadline: f64) -> f64 {
        match deadline - self.now() {
            rest if rest <= 0.0 => 0.0,
            rest if self.rate.get() > 0.0 => rest / self.rate.get(),
            _ => f64::INFINITY,
        }
    }

    fn autojump_threshold(&self) -> Option<f64> {
        Some(self.threshold.get()).filter(|threshold| threshold.is_finite())
    }

    fn is_for_tests(&self) -> bool {
        true
    }

    fn autojump(&self, deadline: f64) {
        self.jump((deadline - self.now()).max(0.0));
    }
}

impl fmt::Debug for MockClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockClock").field("now", &self.now()).field("rate", &self.rate()).finish()
    }
}
