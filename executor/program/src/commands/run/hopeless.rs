//! A run that cannot go well ends early: the disk is full, or every item fails for the same reason.

use std::{
    error::Error,
    io,
    sync::{Mutex, PoisonError},
};

use terzetto_executor::{Control, ItemError, Key, Observer, results::WriteError};

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
        let reason = match error {
            Some(error) if error.downcast_ref::<WriteError>().is_some_and(|error| disk_is_full(error)) => {
                Some("the disk for the results is full".to_owned())
            }
            _ => seen.add(error.and_then(|error| error.causes().pop())),
        };
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

/// Has an error, or one below it, been caused by a full disk?
fn disk_is_full(error: &(dyn Error + 'static)) -> bool {
    let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|error| full.contains(&error.kind())) {
            return true;
        }
        next = error.source();
    }
    false
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

    #[test]
    fn a_full_disk_is_told_from_other_errors() {
        assert!(disk_is_full(&io::Error::from(io::ErrorKind::StorageFull)));
        assert!(disk_is_full(&io::Error::from_raw_os_error(28)), "ENOSPC");
        assert!(!disk_is_full(&io::Error::from(io::ErrorKind::PermissionDenied)));
    }
}
