//! The network as the socket types see it: how it makes sockets, and what a connection does for a stream.

use crate::{
    core::block::reactor::Direction,
    io::net::simulated::{
        Side, SimulatedConnection, SimulatedDatagrams, SimulatedListener, SimulatedNetwork, SimulatedSocket,
    },
    testing::net::{
        connection::{CLIENT, Connection, End, EndState},
        datagrams::bind,
        hosts::system_error,
        listener::listen,
        state::State,
    },
};
use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    rc::Rc,
};

/// What the hooks of a run hold.
pub(super) struct Installed(pub(super) Rc<State>);

impl SimulatedNetwork for Installed {
    fn connect(&self, local: Option<IpAddr>, remote: SocketAddr) -> io::Result<Rc<dyn SimulatedConnection>> {
        let state = &self.0;
        let host = state.current_host()?;
        let (to, remote) = state.route(&host, remote)?;
        let from = SocketAddr::new(host.source_for(local, remote.ip())?, host.free_port());
        let connection = state.new_connection(&host, from, &state.host(to), remote);
        Ok(Rc::new(ConnectionEnd { state: state.clone(), connection, end: CLIENT }))
    }

    fn listen(&self, address: SocketAddr, backlog: u32) -> io::Result<Rc<dyn SimulatedListener>> {
        listen(&self.0, address, backlog)
    }

    fn bind(&self, address: SocketAddr) -> io::Result<Rc<dyn SimulatedDatagrams>> {
        bind(&self.0, address)
    }

    fn run_ends(&self) {
        self.0.end();
    }
}

/// One end of a connection, as a program has it.
pub(super) struct ConnectionEnd {
    pub(super) state: Rc<State>,
    pub(super) connection: Rc<Connection>,
    pub(super) end: usize,
}

impl ConnectionEnd {
    fn own(&self) -> &End {
        &self.connection.ends[self.end]
    }
}

impl SimulatedSocket for ConnectionEnd {
    fn is_ready(&self, direction: Direction) -> bool {
        let own = self.own();
        match (own.state.get(), direction) {
            (EndState::Connecting, _) => false,
            (EndState::Open, Direction::Read) => own.end_arrived.get() || !own.arrived.borrow().is_empty(),
            (EndState::Open, Direction::Write) => own.end_sent.get() || self.connection.room(self.end) > 0,
            (EndState::Closed | EndState::Failed(_) | EndState::Gone, _) => true,
        }
    }

    fn side(&self, direction: Direction) -> &Rc<Side> {
        &self.own().sides[direction as usize]
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.own().address)
    }

    fn close(&self) {
        self.state.close_end(&self.connection, self.end);
    }
}

impl SimulatedConnection for ConnectionEnd {
    fn has_connected(&self) -> io::Result<bool> {
        match State::failure(self.own()) {
            Some(error) => Err(error),
            None => Ok(self.own().state.get() == EndState::Open),
        }
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.connection.ends[1 - self.end].address)
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let own = self.own();
        let was_full = self.connection.room(1 - self.end) == 0;
        let mut arrived = own.arrived.borrow_mut();
        if !arrived.is_empty() {
            let n = io::Read::read(&mut *arrived, buffer)?;
            drop(arrived);
            if was_full {
                self.connection.ends[1 - self.end].wake(Direction::Write);
            }
            return Ok(n);
        }
        drop(arrived);
        match (own.end_arrived.get(), State::failure(own)) {
            (true, _) => Ok(0),
            (false, Some(error)) => Err(error),
            (false, None) => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn send(&self, data: &[u8]) -> io::Result<usize> {
        let own = self.own();
        if let Some(error) = State::failure(own) {
            return Err(error);
        }
        if own.end_sent.get() {
            return Err(system_error(libc::EPIPE));
        }
        match self.connection.room(self.end).min(data.len()) {
            _ if own.state.get() == EndState::Connecting => Err(ErrorKind::WouldBlock.into()),
            0 => Err(ErrorKind::WouldBlock.into()),
            n => {
                self.state.send_data(&self.connection, self.end, &data[..n]);
                Ok(n)
            }
        }
    }

    fn end(&self) -> io::Result<()> {
        if State::failure(self.own()).is_some() {
            return Err(system_error(libc::ENOTCONN));
        }
        self.state.send_end(&self.connection, self.end);
        Ok(())
    }
}
