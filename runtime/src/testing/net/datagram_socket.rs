//! UDP in a simulated network. A datagram may get lost, arrive twice, or overtake another. Nobody is told of one that
//! has found no socket.

use crate::{
    core::block::reactor::Direction,
    io::net::simulated::{Side, SimulatedDatagrams, SimulatedSocket},
    testing::net::{
        datagrams::{Datagram, DatagramState},
        events::Event,
        hosts::{HostState, bound_to, system_error},
        state::State,
    },
};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    rc::Rc,
};

/// The longest datagram, in bytes.
const LONGEST: usize = 65_507;
/// What IP and UDP add to each datagram, in bytes.
const HEADER: usize = 28;
/// How many bytes a socket keeps that were not received. What comes beyond that is dropped.
const ROOM: usize = 212_992;

/// Makes a socket at an address of the current task's host.
pub(super) fn bind(state: &Rc<State>, address: SocketAddr) -> io::Result<Rc<dyn SimulatedDatagrams>> {
    let host = state.current_host()?;
    let socket = host.bind(&host.datagrams, address, |address| Rc::new(DatagramState::new(address)))?;
    Ok(Rc::new(DatagramSocket { state: state.clone(), host, socket }))
}

/// A socket for datagrams, as a program has it.
struct DatagramSocket {
    state: Rc<State>,
    host: Rc<HostState>,
    socket: Rc<DatagramState>,
}

impl DatagramSocket {
    /// Whether its host has crashed, or its network has ended.
    fn is_dead(&self) -> bool {
        self.socket.dead.get() || self.state.has_ended()
    }
}

impl SimulatedSocket for DatagramSocket {
    fn is_ready(&self, direction: Direction) -> bool {
        match direction {
            Direction::Read => self.is_dead() || !self.socket.arrived.borrow().is_empty(),
            Direction::Write => true,
        }
    }

    fn side(&self, direction: Direction) -> &Rc<Side> {
        &self.socket.sides[direction as usize]
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.socket.address)
    }

    fn close(&self) {
        self.socket.dead.set(true);
    }
}

impl SimulatedDatagrams for DatagramSocket {
    fn connect(&self, address: SocketAddr) -> io::Result<()> {
        let (_, address) = self.state.route(&self.host, address)?;
        self.socket.peer.set(Some(address));
        Ok(())
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer.get().ok_or(system_error(libc::ENOTCONN))
    }

    fn send(&self, datagram: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        let (state, own) = (&self.state, &self.socket);
        if self.is_dead() {
            return Err(system_error(libc::ENETDOWN));
        }
        if datagram.len() > LONGEST {
            return Err(system_error(libc::EMSGSIZE));
        }
        let to = to.or(own.peer.get()).ok_or(system_error(libc::EDESTADDRREQ))?;
        let (host, to) = state.route(&self.host, to)?;
        let local = own.address.ip();
        let from = SocketAddr::new(self.host.source_for(Some(local), to.ip())?, own.address.port());
        let sent = Datagram { from: (self.host.id, from), to: (host, to), data: datagram.to_vec() };
        state.send_datagram(sent);
        Ok(datagram.len())
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let own = &self.socket;
        match own.arrived.borrow_mut().pop_front() {
            Some((data, from)) => {
                own.bytes.set(own.bytes.get() - data.len());
                let n = data.len().min(buffer.len());
                buffer[..n].copy_from_slice(&data[..n]);
                Ok((n, from))
            }
            None if self.is_dead() => Err(system_error(libc::ENETDOWN)),
            None => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl State {
    fn send_datagram(&self, datagram: Datagram) {
        let (from, to) = (datagram.from.0, datagram.to.0);
        let Some(at) = self.travel(from, to, datagram.data.len() + HEADER) else { return };
        let twice = {
            let mut links = self.links.borrow_mut();
            let (link, random) = (links.get(from, to), &mut *self.random.borrow_mut());
            let is_double = link.link.duplicates > 0.0 && random.f64() < link.link.duplicates;
            is_double.then(|| {
                link.duplicates.inspect(|&fault| self.record.happened(fault));
                link.arrival(self.now(), datagram.data.len() + HEADER, random)
            })
        };
        if let Some(at) = twice {
            self.events.plan(at, Event::Datagram(Box::new(datagram.clone())));
        }
        self.events.plan(at, Event::Datagram(Box::new(datagram)));
    }

    pub(super) fn datagram_arrives(&self, datagram: Datagram) {
        let ((from, sender), (to, address)) = (datagram.from, datagram.to);
        if !self.arrives(from, to) {
            return;
        }
        let (from, to) = (self.host(from), self.host(to));
        let Some(socket) = bound_to(&to.datagrams, address).filter(|socket| !socket.dead.get()) else {
            return;
        };
        let bytes = socket.bytes.get() + datagram.data.len();
        let is_wanted = socket.peer.get().is_none_or(|peer| peer == sender);
        if bytes > ROOM || !is_wanted {
            return;
        }
        self.trace.note(self.now(), "datagram", Some(&from.name), Some(&to.name), 0, &datagram.data);
        socket.bytes.set(bytes);
        socket.arrived.borrow_mut().push_back((datagram.data, sender));
        socket.sides[Direction::Read as usize].wake();
    }
}
