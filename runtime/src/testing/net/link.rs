//! What the way between two hosts is like.

use crate::{Seconds, testing::net::ids::HostId};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// The way that packets take from one host to another: how long they travel, how many get lost.
///
/// The default is a way without faults, on which each packet takes a millisecond.
///
/// ```
/// use terzetto::testing::net::Link;
/// let far = Link::new().latency(0.08..=0.12).bandwidth(1e6).loss(0.01);
/// # let _ = far;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Link {
    pub(super) latency: RangeInclusive<f64>,
    /// Bytes a second.
    pub(super) bandwidth: f64,
    pub(super) loss: f64,
    pub(super) duplicates: f64,
}

impl Default for Link {
    fn default() -> Link {
        Link::new()
    }
}

impl Link {
    /// A way on which each packet takes a millisecond, and nothing goes wrong.
    pub const fn new() -> Link {
        Link { latency: 0.001..=0.001, bandwidth: f64::INFINITY, loss: 0.0, duplicates: 0.0 }
    }

    /// How many seconds a packet travels: for each packet, a number at random from this range. So a datagram may
    /// overtake another. The bytes of a TCP connection stay in order.
    ///
    /// # Panics
    /// If an end of the range is negative or not finite, or if the range is empty.
    pub fn latency(mut self, seconds: RangeInclusive<f64>) -> Link {
        let (least, most) = (*seconds.start(), *seconds.end());
        let is_time = |time: f64| time >= 0.0 && time.is_finite();
        assert!(
            is_time(least) && is_time(most) && least <= most,
            "the argument `seconds` of a link's latency must be a range of finite times, the smaller one first, \
             and is {least}..={most}"
        );
        self.latency = seconds;
        self
    }

    /// How many bytes a second the way takes. A packet leaves when those before it have left. Infinity, the default, is
    /// no limit.
    ///
    /// # Panics
    /// If the number is not positive.
    pub fn bandwidth(mut self, bytes_a_second: f64) -> Link {
        assert!(
            bytes_a_second > 0.0,
            "the argument `bytes_a_second` of a link's bandwidth must be positive, and is {bytes_a_second}"
        );
        self.bandwidth = bytes_a_second;
        self
    }

    /// Which part of the packets gets lost. A lost datagram never arrives. A lost packet of a TCP connection is sent
    /// again, so its loss is seen as a delay.
    ///
    /// # Panics
    /// If it is not between 0 and 1.
    pub fn loss(mut self, part: f64) -> Link {
        assert_is_part(part, "loss");
        self.loss = part;
        self
    }

    /// Which part of the datagrams arrives twice. TCP never shows its duplicates.
    ///
    /// # Panics
    /// If it is not between 0 and 1.
    pub fn duplicates(mut self, part: f64) -> Link {
        assert_is_part(part, "duplicates");
        self.duplicates = part;
        self
    }
}

fn assert_is_part(part: f64, what: &str) {
    assert!(
        (0.0..=1.0).contains(&part),
        "the argument `part` of a link's {what} must be from 0 to 1, and is {part}"
    );
}

/// One direction of a link in use.
pub(super) struct LinkInUse {
    pub(super) link: Link,
    /// When the last packet has left.
    pub(super) busy_until: f64,
    /// Which faults of the report its loss and its duplicates are.
    pub(super) loss: Option<usize>,
    pub(super) duplicates: Option<usize>,
}

impl LinkInUse {
    /// When a packet of so many bytes arrives that is sent now.
    pub(super) fn arrival(&mut self, now: f64, bytes: usize, random: &mut fastrand::Rng) -> f64 {
        let mut leaves = now;
        if self.link.bandwidth < f64::INFINITY {
            leaves = self.busy_until.max(now) + bytes as f64 / self.link.bandwidth;
            self.busy_until = leaves;
        }
        leaves + between(&self.link.latency, random)
    }
}

/// A number at random from a range.
pub(super) fn between(range: &RangeInclusive<f64>, random: &mut fastrand::Rng) -> f64 {
    let (least, most) = (*range.start(), *range.end());
    if least == most { least } else { least + (most - least) * random.f64() }
}

/// Checks a range of times that a user gives.
pub(super) fn checked_times(range: RangeInclusive<f64>, what: &str) -> RangeInclusive<f64> {
    let (least, most) = (range.start().checked_seconds(what), range.end().checked_seconds(what));
    assert!(
        least <= most && most.is_finite(),
        "{what} must be a range of finite times, the smaller one first, and is {least}..={most}"
    );
    range
}

/// The ways between all hosts.
#[derive(Default)]
pub(super) struct Links {
    /// What new ways are like, with the faults that they have.
    pub(super) usual: Option<(Link, Option<usize>, Option<usize>)>,
    pub(super) in_use: BTreeMap<(HostId, HostId), LinkInUse>,
}

impl Links {
    pub(super) fn get(&mut self, from: HostId, to: HostId) -> &mut LinkInUse {
        let usual = &self.usual;
        self.in_use.entry((from, to)).or_insert_with(|| {
            let (link, loss, duplicates) = usual.clone().unwrap_or((Link::new(), None, None));
            LinkInUse { link, busy_until: 0.0, loss, duplicates }
        })
    }
}
