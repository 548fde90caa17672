//! Faults that somebody asks for: by a script, or at once.

use std::fmt;

/// Something that goes wrong in a simulated network. Hosts are named.
///
/// A fault counts as having happened when it has had an effect: a packet was stopped by a partition, a program ran on
/// the host that crashed, a message was cut. See [`Report`](super::Report).
///
/// ```
/// use terzetto::testing::net::Fault;
/// let between = Fault::partition(["leader"], ["first", "second"]);
/// assert_eq!(between.to_string(), "no packets between leader and first, second");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No packet goes from the first hosts to the others, until [`Fault::Heal`]. The other way stays open.
    Cut {
        /// The hosts whose packets do not arrive.
        from: Vec<String>,
        /// The hosts that do not get them.
        to: Vec<String>,
    },
    /// No packet goes between the hosts of one side and those of the other, until [`Fault::Heal`].
    Partition {
        /// The hosts of one side.
        one: Vec<String>,
        /// The hosts of the other side.
        other: Vec<String>,
    },
    /// All cuts and partitions end. This repairs something, so it need not have an effect.
    Heal,
    /// The power of a host fails: its programs stop where they are, and its connections are gone. Its peers are told
    /// nothing. They learn of it when they send, and the host is up again; or when they give up.
    Crash {
        /// The host.
        host: String,
    },
    /// A host that has crashed is started again, and its [programs](super::Host::serve) begin anew. This repairs
    /// something, so it need not have an effect.
    Restart {
        /// The host.
        host: String,
    },
    /// The next message on a TCP connection between the two hosts arrives only in part, up to a place that the seed
    /// chooses. Then the connection is reset.
    Reset {
        /// One of the hosts.
        one: String,
        /// The other.
        other: String,
    },
    /// The network forgets the TCP connections that there are between the two hosts, as a firewall does that starts
    /// again. Nothing of them arrives any more, and nobody is told. New connections are not affected.
    HalfOpen {
        /// One of the hosts.
        one: String,
        /// The other.
        other: String,
    },
}

fn names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}

impl Fault {
    /// [`Fault::Cut`].
    pub fn cut<A: Into<String>, B: Into<String>>(
        from: impl IntoIterator<Item = A>,
        to: impl IntoIterator<Item = B>,
    ) -> Fault {
        Fault::Cut { from: names(from), to: names(to) }
    }

    /// [`Fault::Partition`].
    pub fn partition<A: Into<String>, B: Into<String>>(
        one: impl IntoIterator<Item = A>,
        other: impl IntoIterator<Item = B>,
    ) -> Fault {
        Fault::Partition { one: names(one), other: names(other) }
    }

    /// [`Fault::Crash`].
    pub fn crash(host: impl Into<String>) -> Fault {
        Fault::Crash { host: host.into() }
    }

    /// [`Fault::Restart`].
    pub fn restart(host: impl Into<String>) -> Fault {
        Fault::Restart { host: host.into() }
    }

    /// [`Fault::Reset`].
    pub fn reset(one: impl Into<String>, other: impl Into<String>) -> Fault {
        Fault::Reset { one: one.into(), other: other.into() }
    }

    /// [`Fault::HalfOpen`].
    pub fn half_open(one: impl Into<String>, other: impl Into<String>) -> Fault {
        Fault::HalfOpen { one: one.into(), other: other.into() }
    }

    /// Whether it repairs something.
    pub(super) fn is_repair(&self) -> bool {
        matches!(self, Fault::Heal | Fault::Restart { .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Cut { from, to } => write!(f, "no packets from {} to {}", from.join(", "), to.join(", ")),
            Fault::Partition { one, other } => {
                write!(f, "no packets between {} and {}", one.join(", "), other.join(", "))
            }
            Fault::Heal => f.write_str("all partitions end"),
            Fault::Crash { host } => write!(f, "{host} crashes"),
            Fault::Restart { host } => write!(f, "{host} is started again"),
            Fault::Reset { one, other } => write!(f, "a message between {one} and {other} is cut by a reset"),
            Fault::HalfOpen { one, other } => {
                write!(f, "the connections between {one} and {other} are forgotten")
            }
        }
    }
}
