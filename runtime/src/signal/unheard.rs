//! A Ctrl-C that nobody hears, since the loop does not come to look.
//!
//! A task that computes for ever or blocks the thread keeps the loop from seeing anything. Then Ctrl-C could not end
//! the program. So the handler itself notes when a Ctrl-C came. If another one comes [a while](SHORTEST) later, and
//! the first has not been heard, it ends the process as if nobody handled it.
//!
//! The handler calls all functions here. They use atomics and read the clock. A handler may do both.

use crate::core::run::clock::monotonic;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// How many milliseconds the loop may take to notice a Ctrl-C. A second Ctrl-C that comes sooner counts as the same.
const SHORTEST: u64 = 1_000;

/// Ctrl-C does not end the process: the run has not claimed it, or a receiver is open.
const OFF: u64 = 0;
/// None has come.
const NONE: u64 = u64::MAX;

/// Whether a Ctrl-C is an error of a run's main task. Then a Ctrl-C that is not heard may end the process. `first` is
/// the time in milliseconds of the first Ctrl-C that was not heard.
pub(super) fn watch(first: &AtomicU64, on: bool) {
    first.store(if on { NONE } else { OFF }, SeqCst);
}

/// A Ctrl-C has come. Returns whether an earlier one exists that was not heard for too long.
pub(super) fn is_too_long(first: &AtomicU64, again: bool) -> bool {
    let since = first.load(SeqCst);
    if since == OFF {
        return false;
    }
    let now = (monotonic() * 1e3) as u64;
    if !again || since == NONE {
        first.store(now, SeqCst);
        return false;
    }
    now.saturating_sub(since) >= SHORTEST
}

#[cfg(test)]
mod tests {
    use super::{SHORTEST, is_too_long, watch};
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    #[test]
    fn only_a_second_one_after_a_while_is_too_much() {
        let first = AtomicU64::default();
        assert!(!is_too_long(&first, true) && !is_too_long(&first, true), "nobody watches");
        watch(&first, true);
        assert!(!is_too_long(&first, false) && !is_too_long(&first, true), "it has just come");
        first.fetch_sub(SHORTEST, SeqCst);
        assert!(!is_too_long(&first, false), "the former one was heard");
        first.fetch_sub(SHORTEST, SeqCst);
        assert!(is_too_long(&first, true));
        watch(&first, false);
        assert!(!is_too_long(&first, true));
    }
}
