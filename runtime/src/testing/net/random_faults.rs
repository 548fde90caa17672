//! Faults that the seed chooses.

use crate::{Seconds, testing::net::link::checked_times};
use std::ops::RangeInclusive;

/// A kind of faults at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RandomFaultKind {
    Partition,
    Crash,
    Reset,
    HalfOpen,
}

impl RandomFaultKind {
    pub(super) fn describe(self) -> &'static str {
        match self {
            RandomFaultKind::Partition => "partitions at random",
            RandomFaultKind::Crash => "crashes at random",
            RandomFaultKind::Reset => "messages cut by a reset at random",
            RandomFaultKind::HalfOpen => "connections forgotten at random",
        }
    }
}

/// How often a kind of faults happens, and how long each lasts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Often {
    pub(super) kind: RandomFaultKind,
    pub(super) every: f64,
    pub(super) lasts: RangeInclusive<f64>,
    /// Its place in the report.
    pub(super) place: usize,
}

/// Faults at random: the seed chooses when, where and for how long.
///
/// `every` is the mean number of seconds from one fault of a kind to the next. Hosts are chosen among those that
/// [`RandomFaults::among`] names.
///
/// ```
/// use terzetto::testing::net::RandomFaults;
/// let faults = RandomFaults::among(["leader", "first", "second"])
///     .partitions(60.0, 1.0..=30.0)
///     .crashes(300.0, 0.1..=10.0)
///     .resets(20.0);
/// # let _ = faults;
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use]
pub struct RandomFaults {
    pub(super) hosts: Vec<String>,
    pub(super) often: Vec<Often>,
}

impl RandomFaults {
    /// No faults yet, among these hosts.
    pub fn among<S: Into<String>>(hosts: impl IntoIterator<Item = S>) -> RandomFaults {
        RandomFaults { hosts: hosts.into_iter().map(Into::into).collect(), often: Vec::new() }
    }

    fn with(mut self, kind: RandomFaultKind, every: f64, lasts: RangeInclusive<f64>) -> RandomFaults {
        self.often.retain(|often| often.kind != kind);
        self.often.push(Often { kind, every, lasts, place: 0 });
        self
    }

    /// Partitions. Each separates some of the hosts from all others of the network. About half of them stop packets in
    /// one direction only.
    ///
    /// # Panics
    /// If `every` is not positive, or if `lasts` is no range of times.
    pub fn partitions(self, every: impl Seconds, lasts: RangeInclusive<f64>) -> RandomFaults {
        let every = checked_every(every, "the time from one partition to the next");
        self.with(RandomFaultKind::Partition, every, checked_times(lasts, "how long a partition lasts"))
    }

    /// Crashes, and how long each host is down.
    ///
    /// # Panics
    /// As [`RandomFaults::partitions`].
    pub fn crashes(self, every: impl Seconds, down: RangeInclusive<f64>) -> RandomFaults {
        let every = checked_every(every, "the time from one crash to the next");
        self.with(RandomFaultKind::Crash, every, checked_times(down, "how long a host is down"))
    }

    /// [Resets](super::Fault::Reset) in the middle of a message.
    ///
    /// # Panics
    /// As [`RandomFaults::partitions`].
    pub fn resets(self, every: impl Seconds) -> RandomFaults {
        let every = checked_every(every, "the time from one reset to the next");
        self.with(RandomFaultKind::Reset, every, 0.0..=0.0)
    }

    /// [Half-open connections](super::Fault::HalfOpen).
    ///
    /// # Panics
    /// As [`RandomFaults::partitions`].
    pub fn half_open(self, every: impl Seconds) -> RandomFaults {
        let every = checked_every(every, "the time from one half-open connection to the next");
        self.with(RandomFaultKind::HalfOpen, every, 0.0..=0.0)
    }
}

fn checked_every(every: impl Seconds, what: &str) -> f64 {
    let every = every.checked_seconds(what);
    assert!(every > 0.0 && every.is_finite(), "{what} must be positive and finite, and is {every}");
    every
}
