//! What the ends of a channel share: its values, and the tasks that wait for them.
//!
//! A receive can be dropped when it has already been given a value. Then the value comes back. Values must stay in
//! their order. So each value gets a number when it is given out for the first time. If several values come back, the
//! one with the lowest number is the next.

use crate::{
    Cancelled, SendError, SendFailure,
    core::block::{
        awaited::{Awaited, Knows, QueueIndex},
        wait_queue::WaitQueue,
    },
    sync::channel::{
        ChannelStatistics,
        sites::{End, Site, Sites},
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

/// A value that was given out.
pub(in crate::sync) struct Given<T> {
    pub(in crate::sync) value: T,
    /// How many were given out before it.
    number: u64,
}

/// The values that are in a channel.
struct Buffer<T> {
    /// The values that came back, by their numbers.
    returned: VecDeque<Given<T>>,
    /// The values that were never given out. All of them come later than those that came back.
    fresh: VecDeque<T>,
    /// How many were given out.
    given: u64,
    /// The most that were here at once.
    peak: usize,
}

impl<T> Buffer<T> {
    fn len(&self) -> usize {
        self.returned.len() + self.fresh.len()
    }

    fn number(&mut self, value: T) -> Given<T> {
        self.given += 1;
        Given { value, number: self.given }
    }

    fn push(&mut self, value: T) {
        self.fresh.push_back(value);
        self.peak = self.peak.max(self.len());
    }

    fn pop(&mut self) -> Option<Given<T>> {
        if let Some(returned) = self.returned.pop_front() {
            return Some(returned);
        }
        let value = self.fresh.pop_front()?;
        Some(self.number(value))
    }

    fn put_back(&mut self, given: Given<T>) {
        let place = self.returned.partition_point(|other| other.number < given.number);
        self.returned.insert(place, given);
    }
}

/// What a blocked task stores in the wait queue.
pub(in crate::sync) struct WaiterSlot<V> {
    pub(in crate::sync) value: Option<V>,
    /// The end of the channel that it waits at.
    pub(in crate::sync) end: u64,
    /// Whether that end was closed meanwhile.
    pub(in crate::sync) closed: bool,
}

impl<V> WaiterSlot<V> {
    pub(in crate::sync) fn new(value: Option<V>, end: u64) -> WaiterSlot<V> {
        WaiterSlot { value, end, closed: false }
    }

    /// What came of a send whose wait ended like this. It was sent if the value was taken, whatever happened then.
    #[inline]
    pub(in crate::sync) fn sent(self, outcome: Result<(), Cancelled>) -> Result<(), SendError<V>> {
        let Some(value) = self.value else { return Ok(()) };
        let failure = match outcome {
            Err(cancelled) => SendFailure::Cancelled(cancelled),
            Ok(()) if self.closed => SendFailure::Closed,
            Ok(()) => SendFailure::Broken,
        };
        Err(SendError { value, failure })
    }
}

/// What the ends of a channel share.
pub(in crate::sync) struct ChannelState<T: 'static> {
    capacity: usize,
    buffer: RefCell<Buffer<T>>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
    /// Blocked senders with their values.
    pub(in crate::sync) sending: Rc<WaitQueue<WaiterSlot<T>>>,
    /// Blocked receivers with the slots for theirs.
    pub(in crate::sync) receiving: Rc<WaitQueue<WaiterSlot<Given<T>>>>,
    next_end: Cell<u64>,
    sites: Sites,
}

impl<T> Knows for ChannelState<T> {
    fn awaited(&self, queue: QueueIndex) -> Awaited {
        let details = match queue {
            QueueIndex::First => {
                format!("its buffer of {} is full, {}", self.capacity, self.sites.describe(End::Receiving))
            }
            QueueIndex::Second => self.sites.describe(End::Sending),
        };
        Awaited { details, ..Awaited::default() }
    }
}

impl<T> ChannelState<T> {
    /// A channel without ends, which is made at `site`.
    pub(in crate::sync) fn new(capacity: usize, site: Site) -> Rc<ChannelState<T>> {
        let (returned, fresh) = Default::default();
        let state = Rc::new(ChannelState {
            capacity,
            buffer: RefCell::new(Buffer { returned, fresh, given: 0, peak: 0 }),
            senders: Cell::new(0),
            receivers: Cell::new(0),
            sending: WaitQueue::new("sending to a channel"),
            receiving: WaitQueue::new("receiving from a channel"),
            next_end: Cell::new(0),
            sites: Sites::new(site),
        });
        let knows = Rc::downgrade(&state);
        state.sending.is_known_by(knows.clone(), QueueIndex::First);
        state.receiving.is_known_by(knows, QueueIndex::Second);
        state
    }

    pub(in crate::sync) fn statistics(&self) -> ChannelStatistics {
        ChannelStatistics {
            // A value that came back when its room was taken is still on its way to a receiver.
            current_buffer_used: self.buffered().min(self.capacity),
            peak_buffer_used: self.buffer.borrow().peak.min(self.capacity),
            max_buffer_size: self.capacity,
            open_send_channels: self.senders.get(),
            open_receive_channels: self.receivers.get(),
            tasks_waiting_send: self.sending.len(),
            tasks_waiting_receive: self.receiving.len(),
        }
    }

    pub(in crate::sync) fn buffered(&self) -> usize {
        self.buffer.borrow().len()
    }

    /// A number that no other end of the channel has.
    pub(in crate::sync) fn new_end(&self) -> u64 {
        let end = self.next_end.get();
        self.next_end.set(end + 1);
        end
    }

    pub(in crate::sync) fn add_sender(&self, site: Site) {
        self.sites.made(End::Sending, site);
        self.senders.set(self.senders.get() + 1);
    }

    pub(in crate::sync) fn add_receiver(&self, site: Site) {
        self.sites.made(End::Receiving, site);
        self.receivers.set(self.receivers.get() + 1);
    }

    /// Whether all receivers are gone.
    pub(in crate::sync) fn is_broken(&self) -> bool {
        self.receivers.get() == 0
    }

    /// Whether all senders are gone.
    pub(in crate::sync) fn has_ended(&self) -> bool {
        self.senders.get() == 0
    }

    /// An open sending end is closed, which was made at `site`.
    pub(in crate::sync) fn close_sender(&self, end: u64, site: Site) {
        self.sites.closed(End::Sending, site);
        self.sending.unpark_where(|place| place.end == end, |place| place.closed = true);
        self.senders.set(self.senders.get() - 1);
        if self.has_ended() {
            self.receiving.unpark_all(|_| ());
        }
    }

    /// An open receiving end is closed, which was made at `site`.
    pub(in crate::sync) fn close_receiver(&self, end: u64, site: Site) {
        self.sites.closed(End::Receiving, site);
        self.receiving.unpark_where(|place| place.end == end, |place| place.closed = true);
        self.receivers.set(self.receivers.get() - 1);
        if self.is_broken() {
            self.sending.unpark_all(|_| ());
            let mut buffer = self.buffer.borrow_mut();
            let left = (std::mem::take(&mut buffer.returned), std::mem::take(&mut buffer.fresh));
            drop(buffer);
            // Nothing is borrowed here, since a value's destructor may use the channel again.
            drop(left);
        }
    }

    /// Hands a value to a waiting receiver, or puts it into the buffer. Returns the value if neither is possible.
    pub(in crate::sync) fn offer(&self, value: T) -> Option<T> {
        let mut value = Some(value);
        self.receiving.unpark_one(|place| {
            place.value = value.take().map(|value| self.buffer.borrow_mut().number(value));
        });
        let value = value?;
        let mut buffer = self.buffer.borrow_mut();
        if buffer.len() >= self.capacity {
            return Some(value);
        }
        buffer.push(value);
        None
    }

    /// Takes the next value. The value of a waiting sender then gets the free place in the buffer.
    pub(in crate::sync) fn take(&self) -> Option<Given<T>> {
        let mut first = self.buffer.borrow_mut().pop();
        if first.is_some() && self.buffered() >= self.capacity {
            return first;
        }
        // The value is in its place before the sender wakes, since the wake may lead to the next send.
        self.sending.unpark_one(|place| {
            let Some(value) = place.value.take() else { return };
            let mut buffer = self.buffer.borrow_mut();
            match first {
                Some(_) => buffer.push(value),
                None => first = Some(buffer.number(value)),
            }
        });
        first
    }

    /// Puts back a value that its receiver has not seen. It goes to the next receiver, or in front of all later values.
    /// If all receivers are gone, it is treated as the buffered values are then.
    pub(in crate::sync) fn put_back(&self, given: Given<T>) {
        if self.is_broken() {
            return;
        }
        let mut given = Some(given);
        self.receiving.unpark_one(|place| place.value = given.take());
        if let Some(given) = given {
            self.buffer.borrow_mut().put_back(given);
        }
    }
}
