//! What a simulated network knows. It belongs to one run, and all of it is on the clock of that run.

use crate::{
    core::run,
    lowlevel::Clock,
    testing::net::{
        events::Events,
        fault::Fault,
        hosts::HostState,
        ids::{HOME, HostId},
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

/// Packets in one direction between groups of hosts that do not arrive.
pub(super) struct Cut {
    pub(super) number: u64,
    pub(super) from: Vec<HostId>,
    pub(super) to: Vec<HostId>,
    /// Which fault of the report it is.
    pub(super) fault: usize,
}

/// A fault that waits for a message which it cuts in the middle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trap {
    pub(super) hosts: (HostId, HostId),
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

    pub(super) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Forgets everything that is under way, since the run ends.
    pub(super) fn end(&self) {
        self.ended.set(true);
        self.events.close();
    }
}
