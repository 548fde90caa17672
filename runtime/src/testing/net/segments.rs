//! What goes over a TCP connection: segments, their acknowledgements, and how it ends.

use crate::{
    core::block::reactor::Direction,
    testing::net::{
        connection::{Connection, EndState, HEADER, Payload, Segment},
        events::Event,
        state::State,
    },
};
use std::rc::Rc;

/// How many bytes of data a segment has at most, as on Ethernet.
const SEGMENT: usize = 1460;
/// The first pause before a segment is sent again, and the longest one, in seconds.
const PAUSES: (f64, f64) = (0.2, 120.0);
/// How long a segment is sent again before the connection fails, in seconds.
const PATIENCE: f64 = 924.6;

impl State {
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
}
