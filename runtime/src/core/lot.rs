//! Parking lots: ordered queues of blocked tasks, on which every primitive stands.
//!
//! A parked task brings a payload, which whoever unparks it can change: a receiver parks with an
//! empty slot that the sender fills, a sender parks with its value that the receiver takes. A task
//! that is cancelled leaves the queue at that moment, so nothing is handed to a task that is gone.

use super::{
    list::{Linked, Links, List},
    run::{self, Run},
    table::{Key, Table},
    wait::{Abort, Blocked, Operation, WaitId, polled_after_its_end},
};
use crate::Cancelled;
use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

struct Parked<T> {
    payload: T,
    wait: WaitId,
    queued: bool,
    links: Links,
}

impl<T> Linked for Parked<T> {
    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// Who is parked, in order.
struct Queue<T> {
    parked: Table<Parked<T>>,
    order: List,
    len: usize,
}

impl<T> Queue<T> {
    fn push(&mut self, payload: T, wait: WaitId) -> Key {
        let key = self.parked.insert(Parked { payload, wait, queued: true, links: Links::default() });
        self.order.push(&mut self.parked, key);
        self.len += 1;
        key
    }

    /// Takes an entry out of the order; it stays in the table until its task collects it.
    fn unlink(&mut self, key: Key) {
        let Some(entry) = self.parked.get_mut(key) else { return };
        if !std::mem::replace(&mut entry.queued, false) {
            return;
        }
        let links = entry.links;
        self.order.unlink(&mut self.parked, links);
        self.len -= 1;
    }
}

/// A queue of parked tasks with payloads of type `T`.
pub(crate) struct Lot<T> {
    /// What a task that is parked here is doing.
    what: &'static str,
    queue: RefCell<Queue<T>>,
}

impl<T> Operation for Lot<T> {
    fn abort(&self, key: u32, _cancelled: &Cancelled) -> Abort {
        if let Some(key) = Key::from_bits(key) {
            self.queue.borrow_mut().unlink(key);
        }
        Abort::Succeeded
    }

    fn describe(&self) -> &'static str {
        self.what
    }
}

impl<T: 'static> Lot<T> {
    /// An empty lot; `what` says what a task that is parked in it is doing.
    pub(crate) fn new(what: &'static str) -> Rc<Lot<T>> {
        let queue = Queue { parked: Table::default(), order: List::default(), len: 0 };
        Rc::new(Lot { what, queue: RefCell::new(queue) })
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.borrow().len
    }

    /// Wakes the first parked task, after `hand_over` has seen its payload.
    pub(crate) fn unpark_one<R>(&self, hand_over: impl FnOnce(&mut T) -> R) -> Option<R> {
        let (result, wait) = {
            let mut queue = self.queue.borrow_mut();
            let key = queue.order.first()?;
            queue.unlink(key);
            let entry = &mut queue.parked[key];
            (hand_over(&mut entry.payload), entry.wait)
        };
        run::try_with(|run| run.reschedule(wait));
        Some(result)
    }

    /// Wakes every parked task whose payload is `chosen`, in order, after `hand_over` has seen it.
    pub(crate) fn unpark_where(&self, chosen: impl Fn(&T) -> bool, mut hand_over: impl FnMut(&mut T)) {
        let mut waits = Vec::new();
        {
            let queue = &mut *self.queue.borrow_mut();
            let all = queue.order.iter(&queue.parked);
            let chosen: Vec<Key> = all.filter(|&key| chosen(&queue.parked[key].payload)).collect();
            for key in chosen {
                queue.unlink(key);
                let entry = &mut queue.parked[key];
                hand_over(&mut entry.payload);
                waits.push(entry.wait);
            }
        }
        for wait in waits {
            run::try_with(|run| run.reschedule(wait));
        }
    }

    /// Wakes all that are parked now.
    pub(crate) fn unpark_all(&self, mut hand_over: impl FnMut(&mut T)) {
        for _ in 0..self.len() {
            self.unpark_one(&mut hand_over);
        }
    }

    /// Parks the current task until it is unparked or cancelled; either way the payload comes back.
    pub(crate) fn park(self: &Rc<Self>, payload: T) -> Park<'_, T> {
        Park { lot: self, state: State::New(Some(payload)), abortable: true }
    }

    /// As [`Lot::park`], but a cancellation does not end it.
    pub(crate) async fn park_unabortable(self: &Rc<Self>, payload: T) -> T {
        Park { lot: self, state: State::New(Some(payload)), abortable: false }.await.0
    }
}

enum State<T> {
    New(Option<T>),
    Parked(Key, Blocked),
    Done,
}

/// A task on its way into, in, or out of a parking lot.
pub(crate) struct Park<'a, T: 'static> {
    lot: &'a Rc<Lot<T>>,
    state: State<T>,
    abortable: bool,
}

impl<T> Unpin for Park<'_, T> {}

impl<T> Park<'_, T> {
    fn collect(&mut self) -> Option<T> {
        let State::Parked(key, blocked) = std::mem::replace(&mut self.state, State::Done) else {
            return None;
        };
        let mut queue = self.lot.queue.borrow_mut();
        queue.unlink(key);
        let entry = queue.parked.remove(key);
        drop(queue);
        drop(blocked);
        entry.map(|entry| entry.payload)
    }

    /// For a future that is dropped: the payload, if the task had been unparked and nobody has
    /// looked at it since.
    pub(crate) fn unclaimed(&mut self) -> Option<T> {
        match &self.state {
            State::Parked(_, blocked) if blocked.is_rescheduled() => self.collect(),
            _ => None,
        }
    }

    /// As its `poll`, within a run.
    pub(crate) fn poll_in(&mut self, run: &Run, cx: &Context<'_>) -> Poll<(T, Result<(), Cancelled>)> {
        if let State::New(payload) = &mut self.state
            && let Some(payload) = payload.take()
        {
            let operation: Rc<dyn Operation> = match self.abortable {
                true => self.lot.clone(),
                false => run.operations.start.clone(),
            };
            let key = self.lot.queue.borrow().parked.next_key();
            let blocked = Blocked::new(run, cx, operation, key.to_bits());
            self.lot.queue.borrow_mut().push(payload, blocked.id());
            blocked.arm(run);
            self.state = State::Parked(key, blocked);
            // If it is cancelled already, it goes on with the next tick.
            return Poll::Pending;
        }
        let State::Parked(_, blocked) = &self.state else {
            polled_after_its_end();
        };
        match blocked.poll(run, cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(outcome) => match self.collect() {
                Some(payload) => Poll::Ready((payload, outcome)),
                None => unreachable!("a parked entry stays in its lot until it is collected here"),
            },
        }
    }
}

impl<T> Future for Park<'_, T> {
    type Output = (T, Result<(), Cancelled>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        run::with(|run| self.poll_in(run, cx))
    }
}

impl<T> Drop for Park<'_, T> {
    fn drop(&mut self) {
        drop(self.collect());
    }
}
