//! One end of a TCP connection, as a program has it.

use crate::{
    core::block::reactor::Direction,
    io::net::simulated::{Side, SimulatedConnection, SimulatedSocket},
    testing::net::{
        connection::{Connection, End, EndState},
        hosts::system_error,
        state::State,
    },
};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    rc::Rc,
};

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

    /// The error of an end that can no longer be used.
    fn failure(&self) -> Option<io::Error> {
        match self.state.has_ended() {
            true => Some(system_error(libc::ENETDOWN)),
            false => self.own().failure(),
        }
    }
}

impl SimulatedSocket for ConnectionEnd {
    fn is_ready(&self, direction: Direction) -> bool {
        let own = self.own();
        if self.state.has_ended() {
            return true;
        }
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
        match self.failure() {
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
        match (own.end_arrived.get(), self.failure()) {
            (true, _) => Ok(0),
            (false, Some(error)) => Err(error),
            (false, None) => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn send(&self, data: &[u8]) -> io::Result<usize> {
        let own = self.own();
        if let Some(error) = self.failure() {
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
        if self.failure().is_some() {
            return Err(system_error(libc::ENOTCONN));
        }
        self.state.send_end(&self.connection, self.end);
        Ok(())
    }
}
