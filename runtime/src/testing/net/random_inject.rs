//! Letting faults happen at random.

use crate::testing::net::{
    events::Event,
    hosts::HostState,
    ids::HostId,
    link::between,
    random_faults::{Often, RandomFaultKind, RandomFaults},
    state::{State, Trap},
};
use std::rc::Rc;

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
