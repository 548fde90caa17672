//! A run that cannot go well ends early: every item fails for the same reason. (A full disk is the executor's own
//! reason to give up.)

use std::sync::{Mutex, PoisonError};
use terzetto_executor::{Control, ItemError, Key, Observer};

/// So many items must fail for the same reason, and none succeed. Fewer could be some bad images at the start.
const SAME: usize = 20;

/// Stops a hopeless run, and says so once.
pub struct Hopeless {
    control: Control,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The reason of all failures so far, and their number. `None` if an item has succeeded, or reasons differ.
    same: Option<(String, usize)>,
    is_mixed: bool,
    is_stopped: bool,
}

impl Hopeless {
    pub fn new(control: Control) -> Hopeless {
        Hopeless { control, seen: Mutex::default() }
    }
}

impl Observer for Hopeless {
    fn arrived(&self, _: &Key, error: Option<&ItemError>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = seen.add(error.and_then(|error| error.causes().pop()));
        if let Some(reason) = reason.filter(|_| !seen.is_stopped) {
            seen.is_stopped = true;
            log::error!("{reason}: the run ends early");
            self.control.stop();
        }
    }
}

impl Seen {
    /// Counts an item, with the reason if it has failed. Returns what makes the run hopeless.
    fn add(&mut self, reason: Option<String>) -> Option<String> {
        let Some(reason) = reason.filter(|_| !self.is_mixed) else {
            self.is_mixed = true;
            return None;
        };
        let (same, count) = self.same.get_or_insert_with(|| (reason.clone(), 0));
        if *same != reason {
            self.is_mixed = true;
            return None;
        }
        *count += 1;
        (*count == SAME)
            .then(|| format!("each of the first {SAME} items has failed for the same reason ({reason})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_reason_for_all_is_hopeless() {
        let failed = |reason: &str| Some(reason.to_owned());
        let mut seen = Seen::default();
        assert!((1..SAME).all(|_| seen.add(failed("too small")).is_none()));
        assert!(seen.add(failed("too small")).is_some_and(|reason| reason.contains("too small")));
        let mut seen = Seen::default();
        seen.add(None);
        assert!((0..100).all(|_| seen.add(failed("too small")).is_none()), "one has succeeded");
        let mut seen = Seen::default();
        seen.add(failed("broken"));
        assert!((0..100).all(|_| seen.add(failed("too small")).is_none()), "two reasons");
    }
}
