//! What a simulated network knows. It belongs to one run, and all of it is on the clock of that run.

use crate::{
    ContextVar,
    core::run,
    lowlevel::Clock,
    testing::net::{
        connection::Trap,
        events::{Event, Events},
        fault::Fault,
        hosts::HostState,
        link::Links,
        random_faults::RandomFaults,
        report::Record,
        trace::Trace,
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io,
    net::IpAddr,
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
};

/// The place of a host in the network's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct HostId(pub(super) u32);

/// The host that a task belongs to, and which life of that host. Tasks inherit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) network: u64,
    pub(super) host: HostId,
    pub(super) life: u64,
}

pub(super) static HOME: ContextVar<Home> = ContextVar::new("the host of a simulated network");

/// Packets in one direction between groups of hosts that do not arrive.
pub(super) struct Cut {
    pub(super) number: u64,
    pub(super) from: Vec<HostId>,
    pub(super) to: Vec<HostId>,
    /// Which fault of the report it is.
    pub(super) fault: usize,
}

pub(super) struct State {
    /// Tells networks apart. It is in no trace.
    pub(super) number: u64,
    pub(super) seed: u64,
    clock: Rc<dyn Clock>,
    pub(super) random: RefCell<fastrand::Rng>,
    pub(super) hosts: RefCell<Vec<Rc<HostState>>>,
    pub(super) by_address: RefCell<HashMap<IpAddr, HostId>>,
    pub(super) links: RefCell<Links>,
    pub(super) cuts: RefCell<Vec<Cut>>,
    pub(super) next_cut: Cell<u64>,
    pub(super) traps: RefCell<Vec<Trap>>,
    pub(super) events: Events,
    /// The faults of the script, each with its place in the report.
    pub(super) script: RefCell<Vec<(Fault, usize)>>,
    pub(super) random_faults: RefCell<RandomFaults>,
    pub(super) record: Record,
    pub(super) trace: Trace,
    pub(super) next_connection: Cell<u64>,
    ended: Cell<bool>,
}

impl State {
    pub(super) fn new(seed: u64) -> Rc<State> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        Rc::new(State {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            seed,
            clock: run::with(|run| run.clock.clone()),
            random: RefCell::new(fastrand::Rng::with_seed(seed)),
            hosts: RefCell::default(),
            by_address: RefCell::default(),
            links: RefCell::default(),
            cuts: RefCell::default(),
            next_cut: Cell::new(0),
            traps: RefCell::default(),
            events: Events::new(),
            script: RefCell::default(),
            random_faults: RefCell::default(),
            record: Record::default(),
            trace: Trace::default(),
            next_connection: Cell::new(0),
            ended: Cell::new(false),
        })
    }

    pub(super) fn now(&self) -> f64 {
        self.clock.now()
    }

    pub(super) fn host(&self, id: HostId) -> Rc<HostState> {
        self.hosts.borrow()[id.0 as usize].clone()
    }

    /// The host of the current task. Fails if that host has crashed since the task began.
    pub(super) fn current_host(&self) -> io::Result<Rc<HostState>> {
        let home = HOME.get().filter(|home| home.network == self.number);
        let host = self.host(home.map_or(HostId(0), |home| home.host));
        match home.is_none_or(|home| home.life == host.life.get()) && host.is_up.get() && !self.ended.get() {
            true => Ok(host),
            false => Err(io::Error::from_raw_os_error(libc::ENETDOWN)),
        }
    }

    /// Whether packets are stopped on this way now. If so, a fault has had an effect.
    pub(super) fn is_cut(&self, from: HostId, to: HostId) -> bool {
        let cuts = self.cuts.borrow();
        let mut stopped = false;
        for cut in cuts.iter().filter(|cut| cut.from.contains(&from) && cut.to.contains(&to)) {
            self.record.happened(cut.fault);
            stopped = true;
        }
        stopped
    }

    /// Sends a packet. Returns when it arrives. `None` if it gets lost.
    pub(super) fn travel(&self, from: HostId, to: HostId, bytes: usize) -> Option<f64> {
        if from == to {
            return Some(self.now());
        }
        if self.is_cut(from, to) {
            return None;
        }
        let mut links = self.links.borrow_mut();
        let (link, random) = (links.get(from, to), &mut *self.random.borrow_mut());
        if link.link.loss > 0.0 && random.f64() < link.link.loss {
            link.loss.inspect(|&fault| self.record.happened(fault));
            return None;
        }
        Some(link.arrival(self.now(), bytes, random))
    }

    /// Whether a packet that is at its goal now arrives there: no partition has begun meanwhile, and the host is up.
    pub(super) fn arrives(&self, from: HostId, to: HostId) -> bool {
        !self.is_cut(from, to) && self.host(to).is_up.get()
    }

    /// Makes an event happen.
    pub(super) fn happen(self: &Rc<Self>, event: Event) {
        match event {
            Event::Request(connection) => self.request_arrives(&connection),
            Event::Acceptance(connection) => self.acceptance_arrives(&connection),
            Event::Refusal(connection) => self.refusal_arrives(&connection),
            Event::RequestAgain(connection) => self.send_request(&connection),
            Event::Segment(connection, end, number) => self.segment_arrives(&connection, end, number),
            Event::SegmentAgain(connection, end, number) => self.send_segment(&connection, end, number),
            Event::Reset(connection, end) => self.reset_arrives(&connection, end),
            Event::Datagram(datagram) => self.datagram_arrives(*datagram),
            Event::Fault(index) => {
                let due = self.script.borrow().get(index).cloned();
                due.inspect(|(fault, place)| self.inject(fault, *place));
            }
            Event::RandomFault(kind) => self.random_fault(kind),
            Event::CutEnds(number) => self.cuts.borrow_mut().retain(|cut| cut.number != number),
            Event::Restart(host, life) => {
                let host = self.host(host);
                if host.life.get() == life {
                    self.restart(&host);
                }
            }
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Forgets everything that is under way, since the run ends.
    pub(super) fn end(&self) {
        self.ended.set(true);
        self.events.close();
    }
}
