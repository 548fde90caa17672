//! Letting a fault happen.

use crate::testing::net::{
    connection::EndState,
    fault::Fault,
    hosts::HostState,
    ids::HostId,
    state::{Cut, State, Trap},
};
use std::rc::Rc;

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
