//! Wait queues: ordered queues of blocked tasks. Channels, events, limiters and others stand on them. Locks,
//! semaphores and conditions stand on [`ParkingLot`](crate::sync::ParkingLot) instead, which can move a task from one
//! lot to another.
//!
//! A parked task brings a payload, which the task that unparks it can change. A receiver parks with an empty slot,
//! and the sender fills it. A sender parks with its value, and the receiver takes it. A task that is cancelled leaves
//! the queue at that moment, so nothing is handed to a task that is gone.

use crate::{
    Cancelled,
    core::{
        block::{
            awaited::{Awaited, EndedBy, Knows, QueueIndex},
            operation::{Aborted, Operation},
            wait::{Blocked, Ticket},
        },
        list::{Linked, Links, List},
        misuse::polled_after_its_end,
        run,
        run::Run,
        table::{Key, Table},
    },
};
use std::{
    cell::{OnceCell, RefCell},
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, ready},
};

struct ParkedTask<T> {
    payload: T,
    wait: Ticket,
    stage: ParkStage,
    links: Links,
}

/// What has happened to a parked task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ParkStage {
    Queued,
    /// The task was woken by somebody who has seen its payload.
    Unparked,
    /// The task was cancelled, or its future was dropped, or its run is over.
    Withdrawn,
}

impl<T> Linked for ParkedTask<T> {
    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// The parked tasks, in order.
struct QueueState<T> {
    parked: Table<ParkedTask<T>>,
    order: List,
    len: usize,
}

impl<T> QueueState<T> {
    fn push(&mut self, payload: T, wait: Ticket) -> Key {
        let key = self.parked.insert(ParkedTask {
            payload,
            wait,
            stage: ParkStage::Queued,
            links: Links::default(),
        });
        self.order.push(&mut self.parked, key);
        self.len += 1;
        key
    }

    /// Takes an entry out of the order. The entry stays in the table until its task collects it.
    fn unlink(&mut self, key: Key, stage: ParkStage) {
        let Some(entry) = self.parked.get_mut(key) else { return };
        if entry.stage != ParkStage::Queued {
            return;
        }
        entry.stage = stage;
        let links = entry.links;
        self.order.unlink(&mut self.parked, links);
        self.len -= 1;
    }
}

/// A queue of parked tasks with payloads of type `T`.
pub(crate) struct WaitQueue<T> {
    /// What a task does that is parked here, for debugging.
    what: &'static str,
    ended_by: EndedBy,
    /// Who knows more about it, for debugging.
    knows: OnceCell<(Weak<dyn Knows>, QueueIndex)>,
    queue: RefCell<QueueState<T>>,
}

impl<T> Operation for WaitQueue<T> {
    fn abort(&self, key: u32, _cancelled: &Cancelled) -> Aborted {
        self.withdraw(key);
        Aborted::Succeeded
    }

    fn withdraw(&self, key: u32) {
        if let Some(key) = Key::from_bits(key) {
            self.queue.borrow_mut().unlink(key, ParkStage::Withdrawn);
        }
    }

    fn describe(&self) -> &'static str {
        self.what
    }

    fn awaited(&self, _key: u32) -> Awaited {
        let knows = self.knows.get().and_then(|(knows, index)| Some((knows.upgrade()?, index)));
        match knows {
            Some((knows, &index)) => knows.awaited(index),
            None => Awaited { ended_by: self.ended_by, ..Awaited::default() },
        }
    }
}

impl<T: 'static> WaitQueue<T> {
    /// An empty wait queue. `what` says what a task does that is parked in it.
    pub(crate) fn new(what: &'static str) -> Rc<WaitQueue<T>> {
        WaitQueue::ended_by(what, EndedBy::Tasks)
    }

    /// An empty wait queue whose waits are ended by something else than code of the run.
    pub(crate) fn ended_by(what: &'static str, ended_by: EndedBy) -> Rc<WaitQueue<T>> {
        let queue = QueueState { parked: Table::default(), order: List::default(), len: 0 };
        Rc::new(WaitQueue { what, ended_by, knows: OnceCell::new(), queue: RefCell::new(queue) })
    }

    /// Says who knows what could end a wait in this queue.
    pub(crate) fn is_known_by(&self, knows: Weak<dyn Knows>, index: QueueIndex) {
        let _first = self.knows.set((knows, index));
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.borrow().len
    }

    /// Unparks the first task, after `hand_over` has seen its payload.
    pub(crate) fn unpark_one<R>(&self, hand_over: impl FnOnce(&mut T) -> R) -> Option<R> {
        let (result, wait) = {
            let mut queue = self.queue.borrow_mut();
            let key = queue.order.first()?;
            queue.unlink(key, ParkStage::Unparked);
            let entry = &mut queue.parked[key];
            (hand_over(&mut entry.payload), entry.wait)
        };
        wait.reschedule();
        Some(result)
    }

    /// Unparks every task whose payload is `chosen`, in order, after `hand_over` has seen it.
    pub(crate) fn unpark_where(&self, chosen: impl Fn(&T) -> bool, mut hand_over: impl FnMut(&mut T)) {
        let mut waits = Vec::new();
        {
            let queue = &mut *self.queue.borrow_mut();
            let all = queue.order.iter(&queue.parked);
            let chosen: Vec<Key> = all.filter(|&key| chosen(&queue.parked[key].payload)).collect();
            for key in chosen {
                queue.unlink(key, ParkStage::Unparked);
                let entry = &mut queue.parked[key];
                hand_over(&mut entry.payload);
                waits.push(entry.wait);
            }
        }
        Ticket::reschedule_all(&waits);
    }

    /// Unparks all tasks that are parked now.
    pub(crate) fn unpark_all(&self, mut hand_over: impl FnMut(&mut T)) {
        for _ in 0..self.len() {
            self.unpark_one(&mut hand_over);
        }
    }

    /// Parks the current task until it is unparked or cancelled. In both cases the payload comes back.
    pub(crate) fn park(self: &Rc<Self>, payload: T) -> Park<'_, T> {
        Park { queue: self, payload: Some(payload), parked: None, abortable: true }
    }

    /// As [`WaitQueue::park`], but a cancellation does not unpark the task.
    pub(crate) async fn park_unabortable(self: &Rc<Self>, payload: T) -> T {
        Park { queue: self, payload: Some(payload), parked: None, abortable: false }.await.0
    }

    /// Parks the task at once. If it is cancelled already, it goes on in the next tick.
    pub(crate) fn park_now(self: &Rc<Self>, payload: T, run: &Run, cx: &Context<'_>) -> Parked<'_, T> {
        self.park_in(self.clone(), payload, run, cx)
    }

    fn park_in(
        self: &Rc<Self>,
        operation: Rc<dyn Operation>,
        payload: T,
        run: &Run,
        cx: &Context<'_>,
    ) -> Parked<'_, T> {
        let key = self.queue.borrow().parked.next_key();
        let blocked = Blocked::new(run, cx, operation, key.to_bits());
        let pushed = self.queue.borrow_mut().push(payload, blocked.ticket());
        debug_assert_eq!(pushed, key, "nothing was parked in between");
        blocked.arm(run);
        Parked { queue: self, key: Some(key), blocked }
    }
}

/// A parked task. Dropping this takes the task out of the queue, and its payload with it.
pub(crate) struct Parked<'a, T: 'static> {
    queue: &'a Rc<WaitQueue<T>>,
    /// `None` once the payload was collected.
    key: Option<Key>,
    blocked: Blocked,
}

impl<T> Parked<'_, T> {
    fn collect(&mut self) -> Option<T> {
        let key = self.key.take()?;
        let mut queue = self.queue.queue.borrow_mut();
        queue.unlink(key, ParkStage::Withdrawn);
        queue.parked.remove(key).map(|entry| entry.payload)
    }

    /// The payload, if the task was unparked and has not collected it. This is for a future that is dropped, perhaps
    /// after its run.
    pub(crate) fn unclaimed(&mut self) -> Option<T> {
        let stage = self.queue.queue.borrow().parked.get(self.key?)?.stage;
        match stage {
            ParkStage::Unparked => self.collect(),
            ParkStage::Queued | ParkStage::Withdrawn => None,
        }
    }

    /// Once the task was unparked or cancelled: its payload, and which of the two it was.
    pub(crate) fn poll(&mut self, run: &Run, cx: &Context<'_>) -> Poll<(T, Result<(), Cancelled>)> {
        let outcome = ready!(self.blocked.poll(run, cx));
        match self.collect() {
            Some(payload) => Poll::Ready((payload, outcome)),
            None => polled_after_its_end(),
        }
    }
}

impl<T> Drop for Parked<'_, T> {
    fn drop(&mut self) {
        let payload = self.collect();
        drop(payload);
    }
}

/// The future of a task that parks.
pub(crate) struct Park<'a, T: 'static> {
    queue: &'a Rc<WaitQueue<T>>,
    /// `None` once the task is parked.
    payload: Option<T>,
    parked: Option<Parked<'a, T>>,
    abortable: bool,
}

impl<T> Unpin for Park<'_, T> {}

impl<T> Park<'_, T> {
    /// As [`Parked::unclaimed`].
    pub(crate) fn unclaimed(&mut self) -> Option<T> {
        self.parked.as_mut()?.unclaimed()
    }
}

impl<'a, T> Park<'a, T> {
    fn begin(&mut self, payload: T, run: &Run, cx: &Context<'_>) -> Parked<'a, T> {
        match self.abortable {
            true => self.queue.park_now(payload, run, cx),
            false => self.queue.park_in(run.operations.start.clone(), payload, run, cx),
        }
    }
}

impl<T> Future for Park<'_, T> {
    type Output = (T, Result<(), Cancelled>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        run::with(|run| {
            if let Some(payload) = self.payload.take() {
                self.parked = Some(self.begin(payload, run, cx));
                return Poll::Pending;
            }
            match &mut self.parked {
                Some(parked) => parked.poll(run, cx),
                None => polled_after_its_end(),
            }
        })
    }
}
