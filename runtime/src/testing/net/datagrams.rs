//! What the network knows of datagrams and of the sockets for them.

use crate::{io::net::simulated::Side, testing::net::ids::HostId};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    net::SocketAddr,
    rc::Rc,
};

/// A datagram that is under way.
#[derive(Clone)]
pub(super) struct Datagram {
    pub(super) from: (HostId, SocketAddr),
    pub(super) to: (HostId, SocketAddr),
    pub(super) data: Vec<u8>,
}

pub(super) struct DatagramState {
    pub(super) address: SocketAddr,
    pub(super) peer: Cell<Option<SocketAddr>>,
    pub(super) arrived: RefCell<VecDeque<(Vec<u8>, SocketAddr)>>,
    pub(super) bytes: Cell<usize>,
    /// Whether its host has crashed, or it was closed.
    pub(super) dead: Cell<bool>,
    pub(super) sides: [Rc<Side>; 2],
}

impl DatagramState {
    pub(super) fn new(address: SocketAddr) -> DatagramState {
        DatagramState {
            address,
            peer: Cell::new(None),
            arrived: RefCell::default(),
            bytes: Cell::new(0),
            dead: Cell::new(false),
            sides: [
                Side::new("receiving from a simulated socket"),
                Side::new("sending to a simulated socket"),
            ],
        }
    }

    /// Its host has crashed.
    pub(super) fn die(&self) {
        self.dead.set(true);
        self.sides.iter().for_each(|side| side.wake());
    }
}
