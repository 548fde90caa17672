//! The inbox: how other threads reach a run.
//!
//! Everything inside a run happens on one thread, without locks. What comes from outside (a wake of
//! a foreign thread, a callback given to the [`Token`](crate::Token), a signal) goes through the run's
//! inbox, which the run loop empties once a tick: a lock-free [queue], and a [flag](doze) by which a
//! push wakes the loop only if it sleeps and only once. So many pushes cost one system call.

mod doze;
mod queue;

use super::waker::{RunId, StrandId};
#[cfg(feature = "signal")]
use crate::signal::Signal;
use doze::Doze;
use queue::{Batch, Queue};
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    thread::{self, ThreadId},
};

/// A callback that another thread wants run on the loop.
pub(crate) type Callback = Box<dyn FnOnce() + Send>;

pub(crate) enum Message {
    Wake(StrandId),
    Call(Callback),
    /// A worker thread is done with the job of this number.
    JobDone(usize),
}

pub(crate) struct Inbox {
    queue: Queue<Message>,
    doze: Doze,
    /// Signals that have come, a bit each.
    signals: AtomicU64,
    bell: mio::Waker,
    /// Whether the run is about to end: calls may still come, but no tasks are started for them.
    ending: AtomicBool,
    /// The thread on which the loop turns, be it turned by the run itself or by a host.
    home: ThreadId,
}

impl Inbox {
    /// The inbox of a run whose loop turns on this thread.
    pub(crate) fn new(bell: mio::Waker) -> Inbox {
        Inbox {
            queue: Queue::new(),
            doze: Doze::new(),
            signals: AtomicU64::new(0),
            bell,
            ending: AtomicBool::new(false),
            home: thread::current().id(),
        }
    }

    /// Announces that the run is about to end.
    pub(crate) fn announce_end(&self) {
        self.ending.store(true, SeqCst);
    }

    /// Whether the run is about to end, or has ended.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(SeqCst)
    }

    /// Whether this thread is the one on which the loop turns.
    pub(crate) fn is_at_home(&self) -> bool {
        thread::current().id() == self.home
    }

    /// Whether the run has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Puts a message in; gives it back if the run has ended.
    pub(crate) fn push(&self, message: Message) -> Result<(), Message> {
        self.queue.push(message)?;
        self.ring_if_asleep();
        Ok(())
    }

    /// Notes that a signal has come. For signal handlers: nothing here locks or allocates.
    #[cfg(feature = "signal")]
    pub(crate) fn signal(&self, number: i32) {
        self.signals.fetch_or(Signal::from_raw(number).bit(), SeqCst);
        if self.doze.must_ring() {
            // What went wrong could be told to nobody here.
            let _rung = self.bell.wake();
        }
    }

    /// Wakes the loop if it sleeps, for news that came another way.
    pub(crate) fn ring_if_asleep(&self) {
        if self.doze.must_ring() {
            self.ring();
        }
    }

    pub(crate) fn ring(&self) {
        if let Err(error) = self.bell.wake() {
            log::error!("could not wake the run loop: {error}");
        }
    }

    /// The signals that have come since the last call, a bit each.
    pub(crate) fn take_signals(&self) -> u64 {
        match self.signals.load(SeqCst) {
            0 => 0,
            _ => self.signals.swap(0, SeqCst),
        }
    }

    /// Whether a message or a signal is waiting.
    #[inline]
    pub(crate) fn has_mail(&self) -> bool {
        !self.queue.is_empty() || self.signals.load(SeqCst) != 0
    }

    /// All messages so far.
    pub(crate) fn take(&self) -> Batch<Message> {
        self.queue.take()
    }

    /// Announces that the loop will sleep. Returns whether it may: not if a message is waiting.
    pub(crate) fn try_sleep(&self) -> bool {
        self.doze.try_sleep(|| self.has_mail())
    }

    pub(crate) fn awake(&self) {
        self.doze.awake();
    }

    /// Refuses all further messages and returns the last.
    pub(crate) fn close(&self) -> Batch<Message> {
        self.queue.close()
    }
}

/// The runs that are alive, by number.
static RUNS: RwLock<Vec<(RunId, Arc<Inbox>)>> = RwLock::new(Vec::new());

/// Where a run is in the list, or would be.
fn place_of(id: RunId, runs: &[(RunId, Arc<Inbox>)]) -> Result<usize, usize> {
    runs.binary_search_by_key(&id, |(id, _)| *id)
}

/// Enters a run into the registry and gives it a number.
pub(crate) fn register(inbox: Arc<Inbox>) -> RunId {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let mut runs = RUNS.write().unwrap_or_else(PoisonError::into_inner);
    loop {
        let id = NEXT.fetch_add(1, SeqCst);
        if let Err(place) = place_of(id, &runs) {
            runs.insert(place, (id, inbox));
            return id;
        }
    }
}

pub(crate) fn unregister(id: RunId) {
    let mut runs = RUNS.write().unwrap_or_else(PoisonError::into_inner);
    let left = place_of(id, &runs).ok().map(|place| runs.remove(place));
    drop(runs);
    drop(left);
}

/// The inbox of a run that is alive.
pub(crate) fn find(id: RunId) -> Option<Arc<Inbox>> {
    let runs = RUNS.read().unwrap_or_else(PoisonError::into_inner);
    place_of(id, &runs).ok().map(|place| runs[place].1.clone())
}
