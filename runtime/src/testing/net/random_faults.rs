//! Faults that the seed chooses.

use crate::{
    Seconds,
    testing::net::{
        connection::Trap,
        events::Event,
        hosts::HostState,
        link::{between, checked_times},
        state::{HostId, State},
    },
};
use std::{ops::RangeInclusive, rc::Rc};

/// A kind of faults at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RandomFaultKind {
    Partition,
    Crash,
    Reset,
    HalfOpen,
}

impl RandomFaultKind {
    fn describe(self) -> &'static str {
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
struct Often {
    kind: RandomFaultKind,
    every: f64,
    lasts: RangeInclusive<f64>,
    /// Its place in the report.
    place: usize,
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
    hosts: Vec<String>,
    often: Vec<Often>,
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

    /// Partitions. Each separates some of the hosts from all others of the network. Each second one stops packets in one
    /// direction only.
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

impl State {
    /// Begins with faults at random. They take the place of those before.
    pub(super) fn begin_random_faults(&self, mut faults: RandomFaults) {
        faults.hosts.iter().for_each(|host| drop(self.expect_host(host)));
        for often in &mut faults.often {
            often.place = self.record.asks_for(often.kind.describe().to_owned(), self.now());
            self.plan_random_fault(often);
        }
        *self.random_faults.borrow_mut() = faults;
    }

    fn plan_random_fault(&self, often: &Often) {
        // Not the logarithm that a Poisson process needs: its last digit differs between machines.
        let pause = 2.0 * often.every * self.random.borrow_mut().f64();
        self.events.plan(self.now() + pause, Event::RandomFault(often.kind));
    }

    /// Some of the hosts, chosen at random.
    fn some(&self, hosts: &[Rc<HostState>], how_many: usize) -> Vec<Rc<HostState>> {
        let mut rest = hosts.to_vec();
        let mut random = self.random.borrow_mut();
        let mut chosen = Vec::new();
        while chosen.len() < how_many && !rest.is_empty() {
            chosen.push(rest.swap_remove(random.u64(0..rest.len() as u64) as usize));
        }
        chosen
    }

    pub(super) fn random_fault(self: &Rc<Self>, kind: RandomFaultKind) {
        let faults = self.random_faults.borrow().clone();
        let Some(often) = faults.often.iter().find(|often| often.kind == kind) else { return };
        self.plan_random_fault(often);
        let hosts: Vec<_> = faults.hosts.iter().map(|name| self.expect_host(name)).collect();
        if hosts.is_empty() {
            return;
        }
        let lasts = between(&often.lasts, &mut self.random.borrow_mut());
        let chosen = self.some(&hosts, 2);
        match kind {
            RandomFaultKind::Partition => {
                let how_many = self.random.borrow_mut().u64(1..=(hosts.len() as u64 / 2).max(1));
                let one: Vec<HostId> =
                    self.some(&hosts, how_many as usize).iter().map(|host| host.id).collect();
                let all: Vec<HostId> = self.hosts.borrow().iter().map(|host| host.id).collect();
                let other: Vec<HostId> = all.into_iter().filter(|id| !one.contains(id)).collect();
                let (there, back) = match self.random.borrow_mut().u8(0..4) {
                    0 => (true, false),
                    1 => (false, true),
                    _ => (true, true),
                };
                let ends = self.now() + lasts;
                if there {
                    let cut = self.cut(one.clone(), other.clone(), often.place);
                    self.events.plan(ends, Event::CutEnds(cut));
                }
                if back {
                    let cut = self.cut(other, one, often.place);
                    self.events.plan(ends, Event::CutEnds(cut));
                }
            }
            RandomFaultKind::Crash => {
                self.crash_by(&chosen[0], often.place);
                let life = chosen[0].life.get();
                self.events.plan(self.now() + lasts, Event::Restart(chosen[0].id, life));
            }
            RandomFaultKind::Reset | RandomFaultKind::HalfOpen => {
                let Some((one, other)) = self.connected_pair(&hosts) else { return };
                match kind {
                    RandomFaultKind::Reset => {
                        self.traps.borrow_mut().push(Trap { hosts: (one.id, other.id), fault: often.place });
                    }
                    _ => self.forget_connections(&one, &other, often.place),
                }
            }
        }
        self.trace.note(self.now(), kind.describe(), None, None, 0, &[]);
    }

    /// One of these hosts, and a host that it has a connection with.
    fn connected_pair(&self, hosts: &[Rc<HostState>]) -> Option<(Rc<HostState>, Rc<HostState>)> {
        let pairs: Vec<(HostId, HostId)> = hosts
            .iter()
            .flat_map(|host| host.live_connections())
            .map(|connection| (connection.ends[0].host, connection.ends[1].host))
            .filter(|(one, other)| one != other)
            .collect();
        if pairs.is_empty() {
            return None;
        }
        let (one, other) = pairs[self.random.borrow_mut().u64(0..pairs.len() as u64) as usize];
        Some((self.host(one), self.host(other)))
    }
}
