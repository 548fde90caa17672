//! How many clones of a run's wakers there are.
//!
//! A [waker](super::waker) is a number and owns nothing, so it cannot keep a counter of its run alive. The counters are
//! in a table that is there for ever. Runs whose numbers are equal but for a multiple of the table's length share a
//! counter. A counter is asked only [whether a run that stands still can go on](crate::core::lowlevel::deadlock). A count
//! of another run's clones, or of clones that were forgotten, then hides a deadlock, and never makes one up.

use crate::core::ids::RunId;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many counters there are.
const COUNTERS: usize = 64;

/// A counter with a cache line of its own, since threads of several runs may change counters at once.
#[repr(align(64))]
struct Counter(AtomicUsize);

static CLONES: [Counter; COUNTERS] = [const { Counter(AtomicUsize::new(0)) }; COUNTERS];

fn counter(run: RunId) -> &'static AtomicUsize {
    &CLONES[run as usize % COUNTERS].0
}

/// Notes that a waker of the run was cloned.
pub(crate) fn made(run: RunId) {
    counter(run).fetch_add(1, Ordering::Relaxed);
}

/// Notes that a clone was dropped.
pub(crate) fn dropped(run: RunId) {
    counter(run).fetch_sub(1, Ordering::Release);
}

/// Whether there may be a clone of a waker of this run. If there is none, the wakes that clones have made are in the
/// inbox.
pub(crate) fn are_there(run: RunId) -> bool {
    counter(run).load(Ordering::Acquire) > 0
}
