//! Listening in a simulated network.

use crate::{
    core::block::reactor::Direction,
    io::net::simulated::{Side, SimulatedConnection, SimulatedListener, SimulatedSocket},
    testing::net::{
        connection::{Connection, SERVER},
        hosts::{HostState, bound_to, system_error},
        sockets::ConnectionEnd,
        state::State,
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io::{self, ErrorKind},
    net::SocketAddr,
    rc::Rc,
};

/// The longest queue that a listener has, as on Linux.
const LONGEST_QUEUE: u32 = 4096;

pub(super) struct ListenerState {
    address: SocketAddr,
    backlog: usize,
    /// Connections that wait to be accepted.
    queue: RefCell<VecDeque<Rc<Connection>>>,
    /// Whether its host has crashed, or it was closed.
    dead: Cell<bool>,
    sides: [Rc<Side>; 2],
}

impl ListenerState {
    pub(super) fn has_room(&self) -> bool {
        self.queue.borrow().len() < self.backlog
    }

    pub(super) fn queue_up(&self, connection: Rc<Connection>) {
        self.queue.borrow_mut().push_back(connection);
        self.sides[Direction::Read as usize].wake();
    }

    /// Its host has crashed.
    pub(super) fn die(&self) {
        self.dead.set(true);
        let queue = self.queue.take();
        drop(queue);
        self.sides.iter().for_each(|side| side.wake());
    }
}

impl HostState {
    /// The listener that gets what is sent to this address.
    pub(super) fn listener_at(&self, address: SocketAddr) -> Option<Rc<ListenerState>> {
        bound_to(&self.listeners, address).filter(|listener| !listener.dead.get())
    }
}

/// Listens on an address of the current task's host.
pub(super) fn listen(
    state: &Rc<State>,
    address: SocketAddr,
    backlog: u32,
) -> io::Result<Rc<dyn SimulatedListener>> {
    let host = state.current_host()?;
    let listener = host.bind(&host.listeners, address, |address| {
        Rc::new(ListenerState {
            address,
            backlog: backlog.clamp(1, LONGEST_QUEUE) as usize,
            queue: RefCell::default(),
            dead: Cell::new(false),
            sides: [
                Side::new("accepting from a simulated listener"),
                Side::new("using a simulated listener"),
            ],
        })
    })?;
    Ok(Rc::new(ListeningSocket { state: state.clone(), listener }))
}

/// A listener, as a program has it.
struct ListeningSocket {
    state: Rc<State>,
    listener: Rc<ListenerState>,
}

impl SimulatedSocket for ListeningSocket {
    fn is_ready(&self, _direction: Direction) -> bool {
        self.listener.dead.get() || !self.listener.queue.borrow().is_empty()
    }

    fn side(&self, direction: Direction) -> &Rc<Side> {
        &self.listener.sides[direction as usize]
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.listener.address)
    }

    /// Resets the connections that nobody has accepted.
    fn close(&self) {
        self.listener.dead.set(true);
        for connection in self.listener.queue.take() {
            connection.ends[SERVER].vanish(super::connection::EndState::Failed(libc::ECONNABORTED));
            self.state.send_reset(&connection, 1 - SERVER);
        }
    }
}

impl SimulatedListener for ListeningSocket {
    fn accept(&self) -> io::Result<Rc<dyn SimulatedConnection>> {
        if self.listener.dead.get() {
            return Err(system_error(libc::ENETDOWN));
        }
        match self.listener.queue.borrow_mut().pop_front() {
            Some(connection) => {
                Ok(Rc::new(ConnectionEnd { state: self.state.clone(), connection, end: SERVER }))
            }
            None => Err(ErrorKind::WouldBlock.into()),
        }
    }
}
