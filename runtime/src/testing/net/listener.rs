//! What the network knows of a listener.

use crate::{
    core::block::reactor::Direction, io::net::simulated::Side, testing::net::connection::Connection,
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    net::SocketAddr,
    rc::Rc,
};

/// The longest queue that a listener has, as on Linux.
const LONGEST_QUEUE: u32 = 4096;

pub(super) struct ListenerState {
    pub(super) address: SocketAddr,
    backlog: usize,
    /// Connections that wait to be accepted.
    pub(super) queue: RefCell<VecDeque<Rc<Connection>>>,
    /// Whether its host has crashed, or it was closed.
    pub(super) dead: Cell<bool>,
    pub(super) sides: [Rc<Side>; 2],
}

impl ListenerState {
    pub(super) fn new(address: SocketAddr, backlog: u32) -> ListenerState {
        ListenerState {
            address,
            backlog: backlog.clamp(1, LONGEST_QUEUE) as usize,
            queue: RefCell::default(),
            dead: Cell::new(false),
            sides: [
                Side::new("accepting from a simulated listener"),
                Side::new("using a simulated listener"),
            ],
        }
    }

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
