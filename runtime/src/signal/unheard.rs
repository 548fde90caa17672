//! A Ctrl-C that nobody hears, since the loop does not come to look.
//!
//! A task that computes for ever, or blocks the thread, keeps the loop from seeing anything. Then Ctrl-C could not end
//! the program. So the handler itself notes when a Ctrl-C came, and one that comes [`PATIENCE`] later, while the first
//! is still there, ends the process as if nobody handled it.
//!
//! All of this is called by the handler: atomics and a reading of the clock, both of which a handler may use.

use crate::core::run::clock::monotonic;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// So many milliseconds the loop may take to look. A second Ctrl-C that comes sooner is one of a hand that trembles.
const PATIENCE: u64 = 1_000;

/// Ctrl-C does not end the process: the run has not claimed it, or a receiver is open.
const OFF: u64 = 0;
/// None has come.
const NONE: u64 = u64::MAX;

/// When the first Ctrl-C came that was not heard, in milliseconds.
#[derive(Default)]
pub(crate) struct Unheard(AtomicU64);

impl Unheard {
    /// Whether a Ctrl-C is an error of this run's main task, so that one that is not heard may end the process.
    pub(super) fn watch(&self, on: bool) {
        self.0.store(if on { NONE } else { OFF }, SeqCst);
    }

    /// A Ctrl-C has come, and another one is there already or not. Returns whether that one was not heard for too long.
    pub(super) fn is_too_long(&self, again: bool) -> bool {
        let since = self.0.load(SeqCst);
        if since == OFF {
            return false;
        }
        let now = (monotonic() * 1e3) as u64;
        if !again || since == NONE {
            self.0.store(now, SeqCst);
            return false;
        }
        now.saturating_sub(since) >= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::{PATIENCE, Unheard};
    use std::sync::atomic::Ordering::SeqCst;

    #[test]
    fn only_a_second_one_after_a_while_is_too_much() {
        let unheard = Unheard::default();
        assert!(!unheard.is_too_long(true) && !unheard.is_too_long(true), "nobody watches");
        unheard.watch(true);
        assert!(!unheard.is_too_long(false) && !unheard.is_too_long(true), "it has just come");
        unheard.0.fetch_sub(PATIENCE, SeqCst);
        assert!(!unheard.is_too_long(false), "the former one was heard");
        unheard.0.fetch_sub(PATIENCE, SeqCst);
        assert!(unheard.is_too_long(true));
        unheard.watch(false);
        assert!(!unheard.is_too_long(true));
    }
}
