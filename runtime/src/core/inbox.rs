//! The inbox: how other threads reach a run.
//!
//! Everything inside a run happens on one thread, without locks. What comes from outside (a wake of
//! a foreign thread, a callback given to the [`Token`](crate::Token)) is put into the run's inbox,
//! which the run loop empties once a tick. A push wakes the loop only if it sleeps and only once:
//! many pushes cost one system call.

use super::waker::{RunId, StrandId};
use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
};

/// A callback that another thread wants run on the loop.
pub(crate) type Callback = Box<dyn FnOnce() + Send>;

pub(crate) enum Message {
    Wake(StrandId),
    Call(Callback),
}

struct Queue {
    messages: VecDeque<Message>,
    closed: bool,
}

pub(crate) struct Inbox {
    queue: Mutex<Queue>,
    /// Set by the loop before it looks at the queue for the last time and goes to sleep. Whoever
    /// clears it owes the loop a wake-up.
    asleep: AtomicBool,
    bell: mio::Waker,
}

impl Inbox {
    pub(crate) fn new(bell: mio::Waker) -> Inbox {
        let queue = Queue { messages: VecDeque::new(), closed: false };
        Inbox { queue: Mutex::new(queue), asleep: AtomicBool::new(false), bell }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No code of a user runs under the lock, so a poisoned queue is still whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in; gives it back if the run has ended.
    pub(crate) fn push(&self, message: Message) -> Option<Message> {
        {
            let mut queue = self.lock();
            if queue.closed {
                return Some(message);
            }
            queue.messages.push_back(message);
        }
        // The push above happens before this read; the loop stores `asleep` before it reads the
        // queue. In any order of the four, one side sees the other: the wake-up cannot be lost.
        if self.asleep.swap(false, SeqCst)
            && let Err(error) = self.bell.wake()
        {
            log::error!("could not wake the run loop: {error}");
        }
        None
    }

    /// All messages so far.
    pub(crate) fn take(&self) -> VecDeque<Message> {
        std::mem::take(&mut self.lock().messages)
    }

    pub(crate) fn calls_waiting(&self) -> usize {
        self.lock().messages.iter().filter(|message| matches!(message, Message::Call(_))).count()
    }

    /// Announces that the loop will sleep. Returns whether it may: not if a message is waiting.
    pub(crate) fn try_sleep(&self) -> bool {
        self.asleep.store(true, SeqCst);
        let empty = self.lock().messages.is_empty();
        if !empty {
            self.asleep.store(false, SeqCst);
        }
        empty
    }

    pub(crate) fn awake(&self) {
        self.asleep.store(false, SeqCst);
    }

    /// Refuses all further messages and returns the last.
    pub(crate) fn close(&self) -> VecDeque<Message> {
        let mut queue = self.lock();
        queue.closed = true;
        std::mem::take(&mut queue.messages)
    }
}

static RUNS: LazyLock<RwLock<HashMap<RunId, Arc<Inbox>>>> = LazyLock::new(RwLock::default);

/// Enters a run into the registry and gives it a number.
pub(crate) fn register(inbox: Arc<Inbox>) -> RunId {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let mut runs = RUNS.write().unwrap_or_else(PoisonError::into_inner);
    loop {
        let id = NEXT.fetch_add(1, SeqCst);
        if let Entry::Vacant(entry) = runs.entry(id) {
            entry.insert(inbox);
            return id;
        }
    }
}

pub(crate) fn unregister(id: RunId) {
    RUNS.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
}

/// The inbox of a run that is alive.
pub(crate) fn find(id: RunId) -> Option<Arc<Inbox>> {
    RUNS.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
}
