//! Listening in a simulated network, as a program does it.

use crate::{
    core::block::reactor::Direction,
    io::net::simulated::{Side, SimulatedConnection, SimulatedListener, SimulatedSocket},
    testing::net::{
        connection::{EndState, SERVER},
        connection_socket::ConnectionEnd,
        hosts::system_error,
        listener::ListenerState,
        state::State,
    },
};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    rc::Rc,
};

/// Listens on an address of the current task's host.
pub(super) fn listen(
    state: &Rc<State>,
    address: SocketAddr,
    backlog: u32,
) -> io::Result<Rc<dyn SimulatedListener>> {
    let host = state.current_host()?;
    let listener =
        host.bind(&host.listeners, address, |address| Rc::new(ListenerState::new(address, backlog)))?;
    Ok(Rc::new(ListeningSocket { state: state.clone(), listener }))
}

/// A listener, as a program has it.
struct ListeningSocket {
    state: Rc<State>,
    listener: Rc<ListenerState>,
}

impl ListeningSocket {
    /// Whether its host has crashed, or its network has ended.
    fn is_dead(&self) -> bool {
        self.listener.dead.get() || self.state.has_ended()
    }
}

impl SimulatedSocket for ListeningSocket {
    fn is_ready(&self, _direction: Direction) -> bool {
        self.is_dead() || !self.listener.queue.borrow().is_empty()
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
            connection.ends[SERVER].vanish(EndState::Failed(libc::ECONNABORTED));
            self.state.send_reset(&connection, 1 - SERVER);
        }
    }
}

impl SimulatedListener for ListeningSocket {
    fn accept(&self) -> io::Result<Rc<dyn SimulatedConnection>> {
        if self.is_dead() {
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
