//! How a TCP connection comes about: the client asks, and the server accepts or refuses.

use crate::{
    core::block::reactor::Direction,
    testing::net::{
        connection::{CLIENT, Connection, End, EndState, HEADER, SERVER},
        events::Event,
        hosts::HostState,
        state::State,
    },
};
use std::{cell::Cell, net::SocketAddr, rc::Rc};

/// The first pause before a request to connect is made again, in seconds, and how often it is made. With pauses that
/// double, the client gives up after 127 seconds, as Linux does.
const REQUESTS: (f64, u32) = (1.0, 7);

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
            ends: [End::new(client.id, client.life.get(), from), End::new(server.id, server.life.get(), to)],
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
    pub(super) fn travel_from(&self, connection: &Connection, end: usize, bytes: usize) -> Option<f64> {
        if let Some(fault) = connection.forgotten.get() {
            self.record.happened(fault);
            return None;
        }
        self.travel(connection.ends[end].host, connection.ends[1 - end].host, bytes)
    }

    /// Whether a packet of this end that is at its goal now arrives there.
    pub(super) fn arrives_from(&self, connection: &Connection, end: usize) -> bool {
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
}
