//! A TCP connection: what its two ends know, and what is under way between them.
//!
//! What one end sends is cut into segments. A segment is kept until it is acknowledged, and sent again after a pause if
//! it is not, with pauses that grow as TCP's do (RFC 6298). So loss and partitions below TCP show as delay. An end that
//! gets no acknowledgement for a quarter of an hour gives up. Acknowledgements are not packets of their own here: a
//! segment that arrives is acknowledged if the way back is open.

use crate::{
    core::block::reactor::Direction,
    io::net::simulated::Side,
    testing::net::{
        events::Event,
        hosts::{HostState, system_error},
        state::{HostId, State},
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    net::SocketAddr,
    rc::Rc,
};

/// How many bytes one end may have sent that the other has not received yet.
pub(super) const WINDOW: usize = 65_536;
/// How many bytes of data a segment has at most, as on Ethernet.
pub(super) const SEGMENT: usize = 1460;
/// What IP and TCP add to each segment, in bytes.
pub(super) const HEADER: usize = 40;
/// The first pause before a segment is sent again, and the longest one, in seconds.
const PAUSES: (f64, f64) = (0.2, 120.0);
/// The first pause before a request to connect is made again, in seconds, and how often it is made. With pauses that
/// double, the client gives up after 127 seconds, as Linux does.
const REQUESTS: (f64, u32) = (1.0, 7);
/// How long a segment is sent again before the connection fails, in seconds.
const PATIENCE: f64 = 924.6;

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

/// A fault that waits for a message which it cuts in the middle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trap {
    pub(super) hosts: (HostId, HostId),
    pub(super) fault: usize,
}

enum Payload {
    Data(Vec<u8>),
    /// No more data will come.
    End,
    /// The connection is reset here, in the middle of a message.
    Break,
}

impl Payload {
    fn len(&self) -> usize {
        match self {
            Payload::Data(data) => data.len(),
            Payload::End | Payload::Break => 0,
        }
    }
}

struct Segment {
    /// `None` once the receiver has it.
    payload: Option<Payload>,
    bytes: usize,
    arrived: bool,
    acknowledged: bool,
    /// When it was sent first, and when last.
    since: f64,
    last: f64,
    attempts: u32,
}

/// What an end has sent, and is not acknowledged.
#[derive(Default)]
struct Flight {
    segments: VecDeque<Segment>,
    /// The number of the first of them.
    first: u64,
    bytes: usize,
}

impl Flight {
    fn get(&mut self, number: u64) -> Option<&mut Segment> {
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
    flight: RefCell<Flight>,
    pub(super) sides: [Rc<Side>; 2],
}

impl End {
    fn new(host: &HostState, address: SocketAddr) -> End {
        End {
            host: host.id,
            life: Cell::new(host.life.get()),
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
    requests: Cell<u32>,
    asked: Cell<f64>,
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

impl State {
    /// Begins to connect a host.
    pub(super) fn new_connection(
        self: &Rc<Self>,
        client: &HostState,
        from: SocketAddr,
        server: &HostState,
        to: SocketAddr,
    ) -> Rc<Connection> {
        let connection = Rc::new(Connection {
            number: self.next_connection.replace(self.next_connection.get() + 1),
            ends: [End::new(client, from), End::new(server, to)],
            forgotten: Cell::new(None),
            requests: Cell::new(0),
            asked: Cell::new(self.now()),
        });
        client.note_connection(&connection);
        self.send_request(&connection);
        connection
    }

    pub(super) fn note_connection(
        &self,
        what: &'static str,
        connection: &Connection,
        from: usize,
        data: &[u8],
    ) {
        let (from, to) = (self.host(connection.ends[from].host), self.host(connection.ends[1 - from].host));
        self.trace.note(self.now(), what, Some(&from.name), Some(&to.name), connection.number, data);
    }

    /// When a packet arrives that this end sends. `None` if it gets lost.
    fn travel_from(&self, connection: &Connection, end: usize, bytes: usize) -> Option<f64> {
        if let Some(fault) = connection.forgotten.get() {
            self.record.happened(fault);
            return None;
        }
        self.travel(connection.ends[end].host, connection.ends[1 - end].host, bytes)
    }

    /// Whether a packet of this end that is at its goal now arrives there.
    fn arrives_from(&self, connection: &Connection, end: usize) -> bool {
        if let Some(fault) = connection.forgotten.get() {
            self.record.happened(fault);
            return false;
        }
        self.arrives(connection.ends[end].host, connection.ends[1 - end].host)
    }

    /// Asks the server for the connection.
    pub(super) fn send_request(self: &Rc<Self>, connection: &Rc<Connection>) {
        let client = &connection.ends[CLIENT];
        if client.state.get() != EndState::Connecting {
            return;
        }
        let attempt = connection.requests.replace(connection.requests.get() + 1);
        if attempt >= REQUESTS.1 {
            client.vanish(EndState::Failed(libc::ETIMEDOUT));
            return;
        }
        connection.asked.set(self.now());
        match self.travel_from(connection, CLIENT, HEADER) {
            Some(at) => self.events.plan(at, Event::Request(connection.clone())),
            None => self.request_is_lost(connection),
        }
    }

    /// The request, or its answer, is lost: the client asks again later.
    pub(super) fn request_is_lost(&self, connection: &Rc<Connection>) {
        let pause = REQUESTS.0 * f64::from(1 << (connection.requests.get().max(1) - 1));
        let at = self.now().max(connection.asked.get() + pause);
        self.events.plan(at, Event::RequestAgain(connection.clone()));
    }

    pub(super) fn request_arrives(self: &Rc<Self>, connection: &Rc<Connection>) {
        let server = &connection.ends[SERVER];
        if !self.arrives_from(connection, CLIENT) {
            return self.request_is_lost(connection);
        }
        let host = self.host(server.host);
        if server.state.get() == EndState::Connecting {
            server.life.set(host.life.get());
            let Some(listener) = host.listener_at(server.address) else {
                self.note_connection("refuses", connection, SERVER, &[]);
                return match self.travel_from(connection, SERVER, HEADER) {
                    Some(at) => self.events.plan(at, Event::Refusal(connection.clone())),
                    None => self.request_is_lost(connection),
                };
            };
            if !listener.has_room() {
                return self.request_is_lost(connection);
            }
            self.note_connection("accepts", connection, SERVER, &[]);
            server.state.set(EndState::Open);
            host.note_connection(connection);
            listener.queue_up(connection.clone());
        }
        match self.travel_from(connection, SERVER, HEADER) {
            Some(at) => self.events.plan(at, Event::Acceptance(connection.clone())),
            None => self.request_is_lost(connection),
        }
    }

    pub(super) fn acceptance_arrives(&self, connection: &Rc<Connection>) {
        let client = &connection.ends[CLIENT];
        if !self.arrives_from(connection, SERVER) {
            if client.state.get() == EndState::Connecting {
                self.request_is_lost(connection);
            }
            return;
        }
        match client.state.get() {
            EndState::Connecting => {
                client.state.set(EndState::Open);
                client.wake(Direction::Write);
            }
            EndState::Open => {}
            EndState::Closed if client.end_sent.get() => {}
            _ => self.send_reset(connection, SERVER),
        }
    }

    pub(super) fn refusal_arrives(&self, connection: &Rc<Connection>) {
        let client = &connection.ends[CLIENT];
        if client.state.get() != EndState::Connecting {
            return;
        }
        match self.arrives_from(connection, SERVER) {
            true => client.vanish(EndState::Failed(libc::ECONNREFUSED)),
            false => self.request_is_lost(connection),
        }
    }

    /// Tells an end that the other one does not know the connection.
    pub(super) fn send_reset(&self, connection: &Rc<Connection>, end: usize) {
        if let Some(at) = self.travel_from(connection, 1 - end, HEADER) {
            self.events.plan(at, Event::Reset(connection.clone(), end));
        }
    }

    pub(super) fn reset_arrives(&self, connection: &Rc<Connection>, end: usize) {
        let state = connection.ends[end].state.get();
        if matches!(state, EndState::Open | EndState::Closed) && self.arrives_from(connection, 1 - end) {
            self.note_connection("resets", connection, 1 - end, &[]);
            connection.ends[end].vanish(EndState::Failed(libc::ECONNRESET));
        }
    }

    fn push_segment(&self, connection: &Rc<Connection>, end: usize, payload: Payload) {
        let bytes = payload.len();
        let number = {
            let mut flight = connection.ends[end].flight.borrow_mut();
            flight.bytes += bytes;
            flight.segments.push_back(Segment {
                payload: Some(payload),
                bytes,
                arrived: false,
                acknowledged: false,
                since: self.now(),
                last: self.now(),
                attempts: 0,
            });
            flight.first + flight.segments.len() as u64 - 1
        };
        self.send_segment(connection, end, number);
    }

    /// Sends data, and cuts it where a fault waits for a message.
    pub(super) fn send_data(&self, connection: &Rc<Connection>, end: usize, data: &[u8]) {
        let sprung = {
            let mut traps = self.traps.borrow_mut();
            let found = traps.iter().position(|trap| connection.is_between(trap.hosts.0, trap.hosts.1));
            found.map(|place| traps.remove(place))
        };
        let cut = match sprung {
            Some(_) => self.random.borrow_mut().u64(0..data.len() as u64) as usize,
            None => data.len(),
        };
        for piece in data[..cut].chunks(SEGMENT) {
            self.push_segment(connection, end, Payload::Data(piece.to_vec()));
        }
        if let Some(trap) = sprung {
            self.record.happened(trap.fault);
            self.push_segment(connection, end, Payload::Break);
        }
    }

    pub(super) fn send_end(&self, connection: &Rc<Connection>, end: usize) {
        if !connection.ends[end].end_sent.replace(true) {
            self.push_segment(connection, end, Payload::End);
        }
    }

    /// Sends a segment, or sends it again. Gives up if that was done for too long.
    pub(super) fn send_segment(&self, connection: &Rc<Connection>, end: usize, number: u64) {
        let own = &connection.ends[end];
        let (bytes, is_too_old) = {
            let mut flight = own.flight.borrow_mut();
            let Some(segment) = flight.get(number) else { return };
            if segment.acknowledged {
                return;
            }
            segment.attempts += 1;
            segment.last = self.now();
            (segment.bytes + HEADER, self.now() - segment.since > PATIENCE)
        };
        if is_too_old {
            self.note_connection("gives up", connection, end, &[]);
            return own.vanish(EndState::Failed(libc::ETIMEDOUT));
        }
        match self.travel_from(connection, end, bytes) {
            Some(at) => self.events.plan(at, Event::Segment(connection.clone(), end, number)),
            None => self.send_again_later(connection, end, number),
        }
    }

    fn send_again_later(&self, connection: &Rc<Connection>, end: usize, number: u64) {
        let (last, attempts) = match connection.ends[end].flight.borrow_mut().get(number) {
            Some(segment) => (segment.last, segment.attempts),
            None => return,
        };
        let pause = (PAUSES.0 * f64::from(1 << attempts.saturating_sub(1).min(16))).min(PAUSES.1);
        let at = self.now().max(last + pause);
        self.events.plan(at, Event::SegmentAgain(connection.clone(), end, number));
    }

    pub(super) fn segment_arrives(&self, connection: &Rc<Connection>, end: usize, number: u64) {
        let (own, other) = (&connection.ends[end], &connection.ends[1 - end]);
        if own.flight.borrow_mut().get(number).is_none_or(|segment| segment.acknowledged) {
            return;
        }
        if !self.arrives_from(connection, end) {
            return self.send_again_later(connection, end, number);
        }
        match other.state.get() {
            EndState::Gone | EndState::Failed(_) => return self.send_reset(connection, end),
            EndState::Closed if self.has_data(connection, end, number) => {
                return self.send_reset(connection, end);
            }
            // It is the acceptance, too.
            EndState::Connecting => {
                other.state.set(EndState::Open);
                other.wake(Direction::Write);
            }
            EndState::Open | EndState::Closed => {}
        }
        self.take_in(connection, end, number);
        if self.is_cut(other.host, own.host) {
            // The acknowledgement is lost.
            return self.send_again_later(connection, end, number);
        }
        let mut flight = own.flight.borrow_mut();
        if let Some(segment) = flight.get(number) {
            segment.acknowledged = true;
        }
        while flight.segments.front().is_some_and(|first| first.acknowledged && first.payload.is_none()) {
            let done = flight.segments.pop_front();
            flight.bytes -= done.map_or(0, |segment| segment.bytes);
            flight.first += 1;
        }
        drop(flight);
        own.wake(Direction::Write);
    }

    fn has_data(&self, connection: &Connection, end: usize, number: u64) -> bool {
        let mut flight = connection.ends[end].flight.borrow_mut();
        flight.get(number).is_some_and(|segment| !matches!(segment.payload, Some(Payload::End) | None))
    }

    /// Gives the receiver what is complete up to here.
    fn take_in(&self, connection: &Rc<Connection>, end: usize, number: u64) {
        let (own, other) = (&connection.ends[end], &connection.ends[1 - end]);
        if let Some(segment) = own.flight.borrow_mut().get(number) {
            segment.arrived = true;
        }
        loop {
            let payload = {
                let mut flight = own.flight.borrow_mut();
                let next = flight.segments.iter_mut().find(|segment| segment.payload.is_some());
                next.filter(|segment| segment.arrived).and_then(|segment| segment.payload.take())
            };
            match payload {
                None => return,
                Some(Payload::Data(data)) => {
                    self.note_connection("sends", connection, end, &data);
                    other.arrived.borrow_mut().extend(data);
                }
                Some(Payload::End) => {
                    self.note_connection("ends", connection, end, &[]);
                    other.end_arrived.set(true);
                }
                Some(Payload::Break) => {
                    self.note_connection("breaks", connection, end, &[]);
                    other.vanish(EndState::Failed(libc::ECONNRESET));
                    self.send_reset(connection, end);
                }
            }
            other.wake(Direction::Read);
        }
    }

    /// Closes an end. What was sent before still arrives, if the program has received all that had come.
    pub(super) fn close_end(&self, connection: &Rc<Connection>, end: usize) {
        let own = &connection.ends[end];
        match own.state.get() {
            EndState::Connecting => own.state.set(EndState::Closed),
            EndState::Open if own.arrived.borrow().is_empty() => {
                self.send_end(connection, end);
                own.state.set(EndState::Closed);
            }
            EndState::Open => {
                own.vanish(EndState::Closed);
                own.arrived.borrow_mut().clear();
                self.send_reset(connection, 1 - end);
            }
            EndState::Closed | EndState::Failed(_) | EndState::Gone => {}
        }
    }

    /// The error of an end that can no longer be used.
    pub(super) fn failure(end: &End) -> Option<std::io::Error> {
        match end.state.get() {
            EndState::Failed(code) => Some(system_error(code)),
            EndState::Gone => Some(system_error(libc::ENETDOWN)),
            EndState::Closed => Some(system_error(libc::EBADF)),
            EndState::Connecting | EndState::Open => None,
        }
    }
}
