//! When the run is to look for [tasks that outlast their cancellation](super::stuck).

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// So long a cancelled task may take to end before it is looked at. In real time: a mock clock's time does not pass
/// while a foreign future is awaited.
const PATIENCE: Duration = Duration::from_secs(3);

/// When the run is to look for tasks that outlast their cancellation.
#[derive(Default)]
pub(crate) struct StuckTaskCheck {
    /// Whether a scope was cancelled since the last look.
    armed: Cell<bool>,
    /// When the run first noticed that.
    since: Cell<Option<Instant>>,
}

impl StuckTaskCheck {
    /// A scope was cancelled.
    #[inline]
    pub(crate) fn arm(&self) {
        self.armed.set(true);
        self.since.set(None);
    }

    /// How long there is until the next look, if there is one.
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
