//! What will happen in the network, in the order of time.
//!
//! Everything that takes time is an event: the arrival of a packet, the end of a pause before something is sent again,
//! a fault. One system task of the run makes them happen. Events of the same time happen in the order in which they
//! were planned, so a run is the same each time.

use crate::{
    Cancelled,
    core::block::wait_queue::WaitQueue,
    move_on_at,
    testing::net::{
        connection::Connection, datagrams::Datagram, ids::HostId, random_faults::RandomFaultKind,
    },
};
use std::{
    cell::{Cell, RefCell},
    cmp::Ordering,
    collections::BinaryHeap,
    rc::Rc,
};

/// Something that will happen.
pub(super) enum Event {
    /// The request to connect arrives at the server.
    Request(Rc<Connection>),
    /// Its acceptance arrives at the client.
    Acceptance(Rc<Connection>),
    /// Its refusal arrives at the client.
    Refusal(Rc<Connection>),
    /// The request was not answered: it is made again.
    RequestAgain(Rc<Connection>),
    /// A segment arrives that this end has sent.
    Segment(Rc<Connection>, usize, u64),
    /// A segment was not acknowledged: it is sent again.
    SegmentAgain(Rc<Connection>, usize, u64),
    /// This end learns that the other one knows nothing of the connection.
    Reset(Rc<Connection>, usize),
    Datagram(Box<Datagram>),
    /// A fault of the script is due.
    Fault(usize),
    /// A fault at random is due.
    RandomFault(RandomFaultKind),
    /// A partition at random ends.
    CutEnds(u64),
    /// A host is started again, unless somebody has done so.
    Restart(HostId, u64),
}

struct Entry {
    time: f64,
    number: u64,
    event: Event,
}

impl Ord for Entry {
    /// The heap gives the greatest first, so what is earlier is greater.
    fn cmp(&self, other: &Entry) -> Ordering {
        other.time.total_cmp(&self.time).then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

pub(super) struct Events {
    heap: RefCell<BinaryHeap<Entry>>,
    next_number: Cell<u64>,
    /// Where the task that makes events happen waits for an earlier one.
    changed: Rc<WaitQueue<()>>,
    closed: Cell<bool>,
}

impl Events {
    pub(super) fn new() -> Events {
        Events {
            heap: RefCell::default(),
            next_number: Cell::new(0),
            changed: WaitQueue::new("waiting for packets of the simulated network"),
            closed: Cell::new(false),
        }
    }

    /// Plans an event.
    pub(super) fn plan(&self, time: f64, event: Event) {
        if self.closed.get() {
            return;
        }
        let number = self.next_number.replace(self.next_number.get() + 1);
        let is_first = {
            let mut heap = self.heap.borrow_mut();
            let is_first = heap.peek().is_none_or(|first| time < first.time);
            heap.push(Entry { time, number, event });
            is_first
        };
        if is_first {
            self.changed.unpark_one(|()| ());
        }
    }

    /// Takes the first event, if it is due.
    pub(super) fn due(&self, now: f64) -> Option<Event> {
        let mut heap = self.heap.borrow_mut();
        if heap.peek()?.time > now {
            return None;
        }
        heap.pop().map(|entry| entry.event)
    }

    /// Waits until the first event is due, or until there is an earlier one.
    pub(super) async fn wait(&self) -> Result<(), Cancelled> {
        let next = self.heap.borrow().peek().map(|first| first.time);
        let changed = async { self.changed.park(()).await.1 };
        match next {
            None => changed.await,
            Some(time) => {
                let waited = move_on_at(time, async { Ok(changed.await?) }).await;
                waited.map(drop).map_err(|error| error.cancelled().cloned()).or_else(|cancelled| {
                    match cancelled {
                        Some(cancelled) => Err(cancelled),
                        None => Ok(()),
                    }
                })
            }
        }
    }

    /// Drops all events, since the run ends.
    pub(super) fn close(&self) {
        self.closed.set(true);
        let events = self.heap.take();
        drop(events);
    }
}
