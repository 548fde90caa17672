//! What the network knows of a host: its addresses, its ports, what is open there, and whether it is up.

use crate::{
    core::block::wait_queue::WaitQueue,
    testing::net::{connection::Connection, datagrams::DatagramState, ids::HostId, listener::ListenerState},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    rc::{Rc, Weak},
};

/// The ports that are given to sockets that ask for none (RFC 6335).
const FIRST_FREE_PORT: u16 = 49_152;

/// Sockets of one kind, by their addresses.
type Bound<T> = RefCell<BTreeMap<SocketAddr, Weak<T>>>;

pub(super) struct HostState {
    pub(super) id: HostId,
    pub(super) name: String,
    pub(super) addresses: RefCell<Vec<IpAddr>>,
    pub(super) is_up: Cell<bool>,
    /// How often it has crashed. What belongs to an earlier life is gone.
    pub(super) life: Cell<u64>,
    /// How many programs run on it.
    pub(super) programs: Cell<usize>,
    pub(super) listeners: Bound<ListenerState>,
    pub(super) datagrams: Bound<DatagramState>,
    pub(super) connections: RefCell<Vec<Weak<Connection>>>,
    next_port: Cell<u16>,
    /// Where programs wait for the host to crash, and to be started again.
    pub(super) crashed: Rc<WaitQueue<()>>,
    pub(super) restarted: Rc<WaitQueue<()>>,
}

pub(super) fn system_error(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

impl HostState {
    pub(super) fn new(id: HostId, name: &str) -> HostState {
        HostState {
            id,
            name: name.to_owned(),
            addresses: RefCell::default(),
            is_up: Cell::new(true),
            life: Cell::new(0),
            programs: Cell::new(0),
            listeners: RefCell::default(),
            datagrams: RefCell::default(),
            connections: RefCell::default(),
            next_port: Cell::new(FIRST_FREE_PORT),
            crashed: WaitQueue::new("running until its host crashes"),
            restarted: WaitQueue::new("waiting for its host to be started again"),
        }
    }

    /// The next port from the range of free ones.
    pub(super) fn free_port(&self) -> u16 {
        let port = self.next_port.get();
        self.next_port.set(if port == u16::MAX { FIRST_FREE_PORT } else { port + 1 });
        port
    }

    /// Whether packets to this address reach this host.
    fn has_address(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.addresses.borrow().contains(&address)
    }

    /// The address from which this host sends to `remote`.
    pub(super) fn source_for(&self, local: Option<IpAddr>, remote: IpAddr) -> io::Result<IpAddr> {
        if let Some(local) = local.filter(|local| !local.is_unspecified()) {
            return match (local.is_ipv4() == remote.is_ipv4(), self.has_address(local)) {
                (true, true) => Ok(local),
                (true, false) => Err(system_error(libc::EADDRNOTAVAIL)),
                (false, _) => Err(system_error(libc::EAFNOSUPPORT)),
            };
        }
        if local.is_some_and(|local| local.is_ipv4() != remote.is_ipv4()) {
            return Err(system_error(libc::EAFNOSUPPORT));
        }
        if remote.is_loopback() {
            return Ok(loopback(remote));
        }
        let own = self.addresses.borrow();
        own.iter()
            .find(|own| own.is_ipv4() == remote.is_ipv4())
            .copied()
            .ok_or(system_error(libc::ENETUNREACH))
    }

    /// Notes a connection, and forgets those that are gone.
    pub(super) fn note_connection(&self, connection: &Rc<Connection>) {
        let mut connections = self.connections.borrow_mut();
        if connections.len() == connections.capacity() {
            connections.retain(|connection| connection.strong_count() > 0);
        }
        connections.push(Rc::downgrade(connection));
    }

    /// The connections that are there.
    pub(super) fn live_connections(&self) -> Vec<Rc<Connection>> {
        self.connections.borrow().iter().filter_map(Weak::upgrade).collect()
    }

    /// The listener that gets what is sent to this address.
    pub(super) fn listener_at(&self, address: SocketAddr) -> Option<Rc<ListenerState>> {
        bound_to(&self.listeners, address).filter(|listener| !listener.dead.get())
    }

    /// Binds a socket to an address of this host. Port 0 stands for a free one.
    pub(super) fn bind<T>(
        &self,
        sockets: &Bound<T>,
        mut address: SocketAddr,
        make: impl FnOnce(SocketAddr) -> Rc<T>,
    ) -> io::Result<Rc<T>> {
        if !address.ip().is_unspecified() && !self.has_address(address.ip()) {
            return Err(system_error(libc::EADDRNOTAVAIL));
        }
        let mut sockets = sockets.borrow_mut();
        let is_taken = |sockets: &BTreeMap<SocketAddr, Weak<T>>, address: SocketAddr| {
            sockets.iter().any(|(other, socket)| {
                let overlaps = other.is_ipv4() == address.is_ipv4()
                    && (other.ip() == address.ip()
                        || other.ip().is_unspecified()
                        || address.ip().is_unspecified());
                other.port() == address.port() && overlaps && socket.strong_count() > 0
            })
        };
        if address.port() == 0 {
            let free = (FIRST_FREE_PORT..=u16::MAX).find_map(|_| {
                address.set_port(self.free_port());
                (!is_taken(&sockets, address)).then_some(address)
            });
            address = free.ok_or(system_error(libc::EADDRINUSE))?;
        } else if is_taken(&sockets, address) {
            return Err(system_error(libc::EADDRINUSE));
        }
        let socket = make(address);
        sockets.insert(address, Rc::downgrade(&socket));
        Ok(socket)
    }
}

/// The socket that gets what is sent to this address.
pub(super) fn bound_to<T>(sockets: &Bound<T>, address: SocketAddr) -> Option<Rc<T>> {
    let sockets = sockets.borrow();
    let everywhere = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let exact = sockets.get(&address).and_then(Weak::upgrade);
    exact.or_else(|| sockets.get(&SocketAddr::new(everywhere, address.port())).and_then(Weak::upgrade))
}

/// The loopback address of the same family.
pub(super) fn loopback(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}
