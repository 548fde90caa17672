//! When the run looks for [tasks that outlast their cancellation](super::stuck).

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// How long a cancelled task may take to end before the run looks for it. This is real time, since the time of a mock
/// clock does not pass while a foreign future is awaited.
const PATIENCE: Duration = Duration::from_secs(3);

/// When the run looks for tasks that outlast their cancellation.
#[derive(Default)]
pub(crate) struct StuckTaskCheck {
    /// Whether a scope was cancelled since the last look.
    armed: Cell<bool>,
    /// When the run first noticed that.
    since: Cell<Option<Instant>>,
}

impl StuckTaskCheck {
    /// Notes that a scope was cancelled.
    #[inline]
    pub(crate) fn arm(&self) {
        self.armed.set(true);
        self.since.set(None);
    }

    /// The time until the next look, if there is to be one.
    pub(crate) fn left(&self) -> Option<Duration> {
        if !self.armed.get() {
            return None;
        }
        let since = self.since.get().unwrap_or_else(Instant::now);
        self.since.set(Some(since));
        Some(PATIENCE.saturating_sub(since.elapsed()))
    }

    pub(crate) fn disarm(&self) {
        self.armed.set(false);
        self.since.set(None);
    }
}
