//! What the ends of a broadcast channel share: the values that somebody has still to receive, and the tasks that wait.
//!
//! Each value has a position: the number of values that were sent before it. A receiver is little more than the
//! position of the value that it gets next. A value knows how many receivers have still to take it, and leaves with the
//! last of them. A receiver that needs a value needs all later ones, too. So the counts never get smaller towards the
//! back, and only the value at the front can be done with.
//!
//! If a value has to leave earlier, since the buffer is full, its count says how many receivers have missed it. Those
//! find out by themselves: their position is then lower than that of the first value.
//!
//! Clones and destructors of values are code of the user, which may use the channel. So nothing is borrowed while they
//! run.

use crate::{
    core::block::wait_queue::WaitQueue,
    sync::{
        broadcast::slow::SlowReceiver,
        channel::{ChannelStatistics, state::WaiterSlot},
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

/// A value, and how many receivers have still to take it.
struct Unread<T> {
    value: Rc<T>,
    receivers: usize,
}

/// The values that somebody has still to receive.
struct Buffer<T> {
    values: VecDeque<Unread<T>>,
    /// The position of the first of them.
    first: u64,
    /// The most that were here at once.
    peak: usize,
}

impl<T> Buffer<T> {
    /// The position of the next value to be sent.
    fn end(&self) -> u64 {
        self.first + self.values.len() as u64
    }

    fn push(&mut self, value: T, receivers: usize) {
        self.values.push_back(Unread { value: Rc::new(value), receivers });
        self.peak = self.peak.max(self.values.len());
    }

    fn pop(&mut self) -> Option<Unread<T>> {
        let value = self.values.pop_front()?;
        self.first += 1;
        Some(value)
    }

    /// Takes out the first value if all receivers have taken it.
    fn pop_read(&mut self) -> Option<Unread<T>> {
        if self.values.front()?.receivers > 0 {
            return None;
        }
        self.pop()
    }

    /// The values from `position` on that are still here.
    fn from(&mut self, position: u64) -> impl Iterator<Item = &mut Unread<T>> {
        let skipped = position.saturating_sub(self.first);
        self.values.iter_mut().skip(usize::try_from(skipped).unwrap_or(usize::MAX))
    }
}

/// What a receiver finds at its position.
pub(super) enum Found<T> {
    Value(Rc<T>),
    /// Nothing was sent yet.
    Nothing,
    /// The value is gone. This is the position of the first one that is left.
    Missed(u64),
}

/// Why a value was not taken into the buffer.
pub(super) enum Refusal {
    Broken,
    WouldBlock,
}

/// What the ends of a broadcast channel share.
pub(super) struct BroadcastState<T: 'static> {
    capacity: usize,
    pub(super) slow: SlowReceiver,
    buffer: RefCell<Buffer<T>>,
    senders: Cell<usize>,
    /// Receivers that are open and connected.
    receivers: Cell<usize>,
    pub(super) sending: Rc<WaitQueue<WaiterSlot<T>>>,
    /// Each task with the end that it waits at.
    pub(super) receiving: Rc<WaitQueue<u64>>,
    next_end: Cell<u64>,
}

impl<T> BroadcastState<T> {
    pub(super) fn new(capacity: usize, slow: SlowReceiver) -> Rc<BroadcastState<T>> {
        Rc::new(BroadcastState {
            capacity,
            slow,
            buffer: RefCell::new(Buffer { values: VecDeque::new(), first: 0, peak: 0 }),
            senders: Cell::new(0),
            receivers: Cell::new(0),
            sending: WaitQueue::new("sending to a broadcast channel"),
            receiving: WaitQueue::new("receiving from a broadcast channel"),
            next_end: Cell::new(0),
        })
    }

    pub(super) fn statistics(&self) -> ChannelStatistics {
        let buffer = self.buffer.borrow();
        ChannelStatistics {
            current_buffer_used: buffer.values.len(),
            peak_buffer_used: buffer.peak,
            max_buffer_size: self.capacity,
            open_send_channels: self.senders.get(),
            open_receive_channels: self.receivers.get(),
            tasks_waiting_send: self.sending.len(),
            tasks_waiting_receive: self.receiving.len(),
        }
    }

    /// A number that no other end of the channel has.
    pub(super) fn new_end(&self) -> u64 {
        self.next_end.replace(self.next_end.get() + 1)
    }

    /// The position of the next value to be sent.
    pub(super) fn end(&self) -> u64 {
        self.buffer.borrow().end()
    }

    pub(super) fn add_sender(&self) {
        self.senders.set(self.senders.get() + 1);
    }

    /// Whether all senders are gone.
    pub(super) fn has_ended(&self) -> bool {
        self.senders.get() == 0
    }

    /// An open sending end is closed.
    pub(super) fn close_sender(&self, end: u64) {
        self.sending.unpark_where(|slot| slot.end == end, |slot| slot.closed = true);
        self.senders.set(self.senders.get() - 1);
        if self.has_ended() {
            self.receiving.unpark_all(|_| ());
        }
    }

    /// Whether a receiver at this position was disconnected.
    fn is_disconnected(&self, position: u64) -> bool {
        self.slow == SlowReceiver::Disconnect && position < self.buffer.borrow().first
    }

    /// A further receiver, which gets the values from `position` on.
    pub(super) fn add_receiver(&self, position: u64) {
        if !self.is_disconnected(position) {
            self.receivers.set(self.receivers.get() + 1);
            self.buffer.borrow_mut().from(position).for_each(|unread| unread.receivers += 1);
        }
    }

    /// An open receiving end is closed.
    pub(super) fn close_receiver(&self, end: u64, position: u64) {
        if !self.is_disconnected(position) {
            self.receivers.set(self.receivers.get() - 1);
            self.buffer.borrow_mut().from(position).for_each(|unread| unread.receivers -= 1);
        }
        self.receiving.unpark_where(|&other| other == end, |_| ());
        self.check_broken();
        self.settle();
    }

    /// If all receivers are gone, no send goes on waiting.
    fn check_broken(&self) {
        if self.receivers.get() == 0 {
            self.sending.unpark_all(|_| ());
        }
    }

    /// Whether a receiver at this position need not wait.
    pub(super) fn is_ready(&self, position: u64) -> bool {
        position < self.end()
    }

    /// Takes the value at a receiver's position, and moves the receiver on.
    pub(super) fn take(&self, position: &Cell<u64>) -> Found<T> {
        let value = {
            let mut buffer = self.buffer.borrow_mut();
            if position.get() < buffer.first {
                return Found::Missed(buffer.first);
            }
            let Some(unread) = buffer.from(position.get()).next() else { return Found::Nothing };
            unread.receivers -= 1;
            position.set(position.get() + 1);
            unread.value.clone()
        };
        self.settle();
        Found::Value(value)
    }

    /// Drops the values that all have taken. The values of waiting senders then get the free places.
    fn settle(&self) {
        loop {
            let read = self.buffer.borrow_mut().pop_read();
            // Nothing is borrowed here.
            let Some(read) = read else { break };
            drop(read);
        }
        let mut sent = false;
        while self.receivers.get() > 0 && self.buffer.borrow().values.len() < self.capacity {
            // The value is in its place before the sender wakes, since the wake may lead to the next send.
            let moved = self.sending.unpark_one(|slot| {
                if let Some(value) = slot.value.take() {
                    self.buffer.borrow_mut().push(value, self.receivers.get());
                }
            });
            if moved.is_none() {
                break;
            }
            sent = true;
        }
        if sent {
            self.receiving.unpark_all(|_| ());
        }
    }

    /// Takes a value into the buffer, and wakes those who wait for one. If it is full, what happens is the policy's
    /// choice.
    pub(super) fn offer(&self, value: T) -> Result<(), (T, Refusal)> {
        if self.receivers.get() == 0 {
            return Err((value, Refusal::Broken));
        }
        let mut gone = Vec::new();
        let mut buffer = self.buffer.borrow_mut();
        // A sender that waits comes first, even if a place has become free for it.
        if buffer.values.len() >= self.capacity || self.sending.len() > 0 {
            match self.slow {
                SlowReceiver::Wait => return Err((value, Refusal::WouldBlock)),
                SlowReceiver::Lag => gone.extend(buffer.pop()),
                SlowReceiver::Disconnect => self.disconnect_slowest(&mut buffer, &mut gone),
            }
        }
        let refused = match self.receivers.get() {
            0 => Some((value, Refusal::Broken)),
            receivers => {
                buffer.push(value, receivers);
                None
            }
        };
        drop(buffer);
        self.receiving.unpark_all(|_| ());
        // Nothing is borrowed here.
        drop(gone);
        refused.map_or(Ok(()), Err)
    }

    /// Disconnects the receivers that have taken none of the values in the buffer.
    fn disconnect_slowest(&self, buffer: &mut Buffer<T>, gone: &mut Vec<Unread<T>>) {
        let Some(first) = buffer.pop() else { return };
        self.receivers.set(self.receivers.get() - first.receivers);
        buffer.values.iter_mut().for_each(|unread| unread.receivers -= first.receivers);
        gone.push(first);
        gone.extend(std::iter::from_fn(|| buffer.pop_read()));
    }
}
