//! Faults that somebody asks for: by a script, or at once.

use crate::testing::net::{
    connection::{EndState, Trap},
    hosts::HostState,
    state::{Cut, HostId, State},
};
use std::{fmt, rc::Rc};

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

impl State {
    /// The host of this name, which must be there.
    ///
    /// # Panics
    /// If there is no such host.
    pub(super) fn expect_host(&self, name: &str) -> Rc<HostState> {
        let known =
            || self.hosts.borrow().iter().map(|host| host.name.clone()).collect::<Vec<_>>().join(", ");
        match self.find_host(name) {
            Some(host) => host,
            None => panic!("the simulated network has no host {name:?}; it has {}", known()),
        }
    }

    fn expect_hosts(&self, names: &[String]) -> Vec<HostId> {
        names.iter().map(|name| self.expect_host(name).id).collect()
    }

    /// Stops packets in one direction. Returns the number of the cut.
    pub(super) fn cut(&self, from: Vec<HostId>, to: Vec<HostId>, fault: usize) -> u64 {
        let number = self.next_cut.replace(self.next_cut.get() + 1);
        self.cuts.borrow_mut().push(Cut { number, from, to, fault });
        number
    }

    /// Lets a fault happen. `place` is its place in the report.
    ///
    /// # Panics
    /// If it names a host that is not there.
    pub(super) fn inject(self: &Rc<Self>, fault: &Fault, place: usize) {
        self.trace.note(self.now(), "fault", Some(&fault.to_string()), None, 0, &[]);
        match fault {
            Fault::Cut { from, to } => drop(self.cut(self.expect_hosts(from), self.expect_hosts(to), place)),
            Fault::Partition { one, other } => {
                let (one, other) = (self.expect_hosts(one), self.expect_hosts(other));
                self.cut(one.clone(), other.clone(), place);
                self.cut(other, one, place);
            }
            Fault::Heal => self.cuts.borrow_mut().clear(),
            Fault::Crash { host } => self.crash_by(&self.expect_host(host), place),
            Fault::Restart { host } => self.restart(&self.expect_host(host)),
            Fault::Reset { one, other } => {
                let hosts = (self.expect_host(one).id, self.expect_host(other).id);
                self.traps.borrow_mut().push(Trap { hosts, fault: place });
            }
            Fault::HalfOpen { one, other } => {
                self.forget_connections(&self.expect_host(one), &self.expect_host(other), place);
            }
        }
    }

    /// Lets a host crash, and notes whether that has stopped a program.
    pub(super) fn crash_by(&self, host: &HostState, place: usize) {
        if host.is_up.get() && host.programs.get() > 0 {
            self.record.happened(place);
        }
        self.crash(host);
    }

    /// From now on nothing arrives of the connections that there are between two hosts.
    pub(super) fn forget_connections(&self, one: &HostState, other: &HostState, place: usize) {
        for connection in one.live_connections() {
            let is_open = |end: usize| connection.ends[end].state.get() == EndState::Open;
            if connection.is_between(one.id, other.id) && (is_open(0) || is_open(1)) {
                connection.forgotten.set(Some(place));
            }
        }
    }
}
