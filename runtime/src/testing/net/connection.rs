//! A TCP connection: what its two ends know, and what is under way between them.
//!
//! What one end sends is cut into segments. A segment is kept until it is acknowledged, and sent again after a pause if
//! it is not, with pauses that grow as TCP's do (RFC 6298). So loss and partitions below TCP show as delay. An end that
//! gets no acknowledgement for a quarter of an hour gives up. Acknowledgements are not packets of their own here: a
//! segment that arrives is acknowledged if the way back is open.

use crate::{core::block::reactor::Direction, io::net::simulated::Side, testing::net::ids::HostId};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    net::SocketAddr,
    rc::Rc,
};

/// How many bytes one end may have sent that the other has not received yet.
pub(super) const WINDOW: usize = 65_536;
/// What IP and TCP add to each segment, in bytes.
pub(super) const HEADER: usize = 40;

/// The client's end and the server's.
pub(super) const CLIENT: usize = 0;
pub(super) const SERVER: usize = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndState {
    /// There is no connection yet.
    Connecting,
    Open,
    /// The program has closed it.
    Closed,
    /// With this error of the system.
    Failed(i32),
    /// Its host has crashed.
    Gone,
}

pub(super) enum Payload {
    Data(Vec<u8>),
    /// No more data will come.
    End,
    /// The connection is reset here, in the middle of a message.
    Break,
}

impl Payload {
    pub(super) fn len(&self) -> usize {
        match self {
            Payload::Data(data) => data.len(),
            Payload::End | Payload::Break => 0,
        }
    }
}

pub(super) struct Segment {
    /// `None` once the receiver has it.
    pub(super) payload: Option<Payload>,
    pub(super) bytes: usize,
    pub(super) arrived: bool,
    pub(super) acknowledged: bool,
    /// When it was sent first, and when last.
    pub(super) since: f64,
    pub(super) last: f64,
    pub(super) attempts: u32,
}

/// What an end has sent, and is not acknowledged.
#[derive(Default)]
pub(super) struct Flight {
    pub(super) segments: VecDeque<Segment>,
    /// The number of the first of them.
    pub(super) first: u64,
    pub(super) bytes: usize,
}

impl Flight {
    pub(super) fn get(&mut self, number: u64) -> Option<&mut Segment> {
        self.segments.get_mut(number.checked_sub(self.first)? as usize)
    }
}

pub(super) struct End {
    pub(super) host: HostId,
    /// The life of that host in which it was made.
    pub(super) life: Cell<u64>,
    pub(super) address: SocketAddr,
    pub(super) state: Cell<EndState>,
    pub(super) arrived: RefCell<VecDeque<u8>>,
    pub(super) end_arrived: Cell<bool>,
    pub(super) end_sent: Cell<bool>,
    pub(super) flight: RefCell<Flight>,
    pub(super) sides: [Rc<Side>; 2],
}

impl End {
    pub(super) fn new(host: HostId, life: u64, address: SocketAddr) -> End {
        End {
            host,
            life: Cell::new(life),
            address,
            state: Cell::new(EndState::Connecting),
            arrived: RefCell::default(),
            end_arrived: Cell::new(false),
            end_sent: Cell::new(false),
            flight: RefCell::default(),
            sides: [
                Side::new("receiving from a simulated connection"),
                Side::new("sending to a simulated connection"),
            ],
        }
    }

    pub(super) fn wake(&self, direction: Direction) {
        self.sides[direction as usize].wake();
    }

    /// Ends it at once, with everything that it has sent and that is not there yet.
    pub(super) fn vanish(&self, state: EndState) {
        self.state.set(state);
        let flight = self.flight.take();
        drop(flight);
        // Numbers of segments that are still under way must find nothing.
        self.flight.borrow_mut().first = u64::MAX / 2;
        if state == EndState::Gone {
            self.arrived.borrow_mut().clear();
        }
        self.wake(Direction::Read);
        self.wake(Direction::Write);
    }

    /// The error of an end that can no longer be used.
    pub(super) fn failure(&self) -> Option<io::Error> {
        match self.state.get() {
            EndState::Failed(code) => Some(io::Error::from_raw_os_error(code)),
            EndState::Gone => Some(io::Error::from_raw_os_error(libc::ENETDOWN)),
            EndState::Closed => Some(io::Error::from_raw_os_error(libc::EBADF)),
            EndState::Connecting | EndState::Open => None,
        }
    }

    pub(super) fn bytes_in_flight(&self) -> usize {
        self.flight.borrow().bytes
    }
}

pub(super) struct Connection {
    pub(super) number: u64,
    pub(super) ends: [End; 2],
    /// The fault by which the network has forgotten it. Nothing of it arrives any more.
    pub(super) forgotten: Cell<Option<usize>>,
    /// How often the client has asked, and when it has last.
    pub(super) requests: Cell<u32>,
    pub(super) asked: Cell<f64>,
}

impl Connection {
    /// Whether it is between these two hosts.
    pub(super) fn is_between(&self, one: HostId, other: HostId) -> bool {
        let hosts = (self.ends[CLIENT].host, self.ends[SERVER].host);
        hosts == (one, other) || hosts == (other, one)
    }

    /// How many bytes this end may send now.
    pub(super) fn room(&self, end: usize) -> usize {
        let unread = self.ends[1 - end].arrived.borrow().len();
        WINDOW.saturating_sub(self.ends[end].bytes_in_flight() + unread)
    }
}
