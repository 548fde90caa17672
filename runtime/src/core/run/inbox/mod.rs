//! The inbox: how other threads reach a run.
//!
//! Everything inside a run happens on one thread, without locks. Wakes from other threads, callbacks given to the
//! [`Token`](crate::lowlevel::Token) and signals go through the run's inbox. The run loop empties it between ticks, and
//! again when it has slept. The inbox has three parts. The [queue](message_queue) is lock-free. The [flag](sleep_flag)
//! lets a push wake the loop only if the loop sleeps, and only once. The [marks] make sure that a task which is woken
//! many times has only one message in the queue. So many pushes cost one system call, and many wakes of a task need the
//! memory of one.

mod marks;
mod message_queue;
mod sleep_flag;

use crate::core::{
    ids::{NodeId, RunId},
    run::per_process::{GENERATIONS, PerProcess, Slot},
};
use marks::Marks;
use message_queue::{Batch, Queue};
use sleep_flag::SleepFlag;
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread::{self, ThreadId},
};

/// A callback that another thread wants to run on the loop.
pub(crate) type Callback = Box<dyn FnOnce() + Send>;

pub(crate) enum Message {
    /// A wake from [`Inbox::wake`]. The loop must [take note of it](Inbox::hear_wake).
    Wake(NodeId),
    Call(Callback),
    /// A notice that the sender already has in an `Arc`. Sending it allocates only the entry of the queue.
    Notice(Arc<dyn Notice>),
}

/// Something that a message can tell the loop.
pub(crate) trait Notice: Send + Sync {
    /// Called on the loop, while the run is the current one.
    fn heard(&self);
}

pub(crate) struct Inbox {
    queue: Queue<Message>,
    /// The nodes that have a wake in the queue.
    woken: Marks,
    sleep_flag: SleepFlag,
    /// The signals that have come, one bit each.
    signals: AtomicU64,
    /// `None` once the run has ended. Whoever still holds the inbox must not keep this descriptor open.
    waker: RwLock<Option<mio::Waker>>,
    /// When the first Ctrl-C came that was not heard. Only the handler of signals reads it. A handler can store nothing
    /// elsewhere.
    pub(crate) interrupted: AtomicU64,
    /// Whether the run is about to end. Calls are still accepted then, but no tasks are started for them.
    ending: AtomicBool,
    /// How many tokens there are.
    tokens: AtomicUsize,
    /// The thread on which the loop turns, whether the run itself or a host turns it.
    loop_thread: ThreadId,
}

impl Inbox {
    /// The inbox of a run whose loop turns on this thread.
    pub(crate) fn new(waker: mio::Waker) -> Inbox {
        Inbox {
            queue: Queue::new(),
            woken: Marks::new(),
            sleep_flag: SleepFlag::new(),
            signals: AtomicU64::new(0),
            waker: RwLock::new(Some(waker)),
            interrupted: AtomicU64::new(0),
            ending: AtomicBool::new(false),
            tokens: AtomicUsize::new(0),
            loop_thread: thread::current().id(),
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

    /// Notes that a token was made.
    pub(crate) fn add_token(&self) {
        self.tokens.fetch_add(1, SeqCst);
    }

    /// Notes that a token was dropped.
    pub(crate) fn drop_token(&self) {
        self.tokens.fetch_sub(1, SeqCst);
    }

    /// Whether there is a token. If there is none, what tokens have sent is in the queue.
    pub(crate) fn has_tokens(&self) -> bool {
        self.tokens.load(SeqCst) > 0
    }

    /// Whether this thread is the one on which the loop turns.
    pub(crate) fn is_on_loop_thread(&self) -> bool {
        thread::current().id() == self.loop_thread
    }

    /// Whether the run has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Adds a message. Gives it back if the run has ended.
    pub(crate) fn push(&self, message: Message) -> Result<(), Message> {
        self.queue.push(message)?;
        self.wake_loop_if_asleep();
        Ok(())
    }

    /// Makes the loop poll a node soon. However often this is called, the queue holds one message for the node.
    pub(crate) fn wake(&self, node: NodeId) {
        if self.woken.set(node) {
            // The push is refused if the run has ended. Then there is nothing to wake.
            let _ended = self.push(Message::Wake(node));
        }
    }

    /// Notes that the loop has taken a wake out of the queue. From now on the node can be woken again. The loop calls
    /// this before it wakes the node.
    pub(crate) fn hear_wake(&self, node: NodeId) {
        self.woken.clear(node);
    }

    /// Notes that the signal with this bit has come. A signal handler may call this, since it neither locks nor
    /// allocates. Returns whether a signal of this kind was there already that the loop has not taken out.
    pub(crate) fn signal(&self, bit: u64) -> bool {
        let before = self.signals.fetch_or(bit, SeqCst);
        // Others hold this lock only to wake the loop too, or because the run has ended. So there is no need to wait
        // for it.
        if self.sleep_flag.must_wake()
            && let Ok(waker) = self.waker.try_read()
            && let Some(waker) = &*waker
        {
            // An error cannot be reported from a signal handler.
            let _rung = waker.wake();
        }
        before & bit != 0
    }

    /// Wakes the loop if it sleeps. This is for news that does not come as a message.
    pub(crate) fn wake_loop_if_asleep(&self) {
        if self.sleep_flag.must_wake() {
            self.wake_loop();
        }
    }

    pub(crate) fn wake_loop(&self) {
        let waker = self.waker.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(error)) = waker.as_ref().map(mio::Waker::wake) {
            log::error!("could not wake the run loop: {error}");
        }
    }

    /// Gives up the waker's descriptor. The run has ended, and its loop is not to be woken any more.
    pub(crate) fn close_waker(&self) {
        let waker = self.waker.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(waker);
    }

    /// The signals that have come since the last call, one bit each.
    pub(crate) fn take_signals(&self) -> u64 {
        match self.signals.load(SeqCst) {
            0 => 0,
            _ => self.signals.swap(0, SeqCst),
        }
    }

    /// Whether a message or a signal is waiting.
    #[inline]
    pub(crate) fn has_messages(&self) -> bool {
        !self.queue.is_empty() || self.has_signals()
    }

    /// Whether a signal is waiting.
    #[inline]
    pub(crate) fn has_signals(&self) -> bool {
        self.signals.load(SeqCst) != 0
    }

    /// All messages so far.
    pub(crate) fn take(&self) -> Batch<Message> {
        self.queue.take()
    }

    /// Announces that the loop will sleep. Returns whether it may sleep. It may not if a message is there.
    pub(crate) fn try_sleep(&self) -> bool {
        self.sleep_flag.try_sleep(|| self.has_messages())
    }

    pub(crate) fn awake(&self) {
        self.sleep_flag.awake();
    }

    /// Refuses all further messages, and returns the last ones.
    pub(crate) fn close(&self) -> Batch<Message> {
        self.queue.close()
    }
}

/// The runs of a process that have not ended, by number.
type Runs = RwLock<Vec<(RunId, Arc<Inbox>)>>;

static RUNS: PerProcess<Runs> = PerProcess::new([const { Slot::new(RwLock::new(Vec::new())) }; GENERATIONS]);

/// The index of a run in the list, or the index at which it would be inserted.
fn place_of(id: RunId, runs: &[(RunId, Arc<Inbox>)]) -> Result<usize, usize> {
    runs.binary_search_by_key(&id, |(id, _)| *id)
}

/// Enters a run into the registry and gives it a number.
pub(crate) fn register(inbox: Arc<Inbox>) -> RunId {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let mut runs = RUNS.get().write().unwrap_or_else(PoisonError::into_inner);
    loop {
        let id = NEXT.fetch_add(1, SeqCst);
        if let Err(place) = place_of(id, &runs) {
            runs.insert(place, (id, inbox));
            return id;
        }
    }
}

pub(crate) fn unregister(id: RunId) {
    let mut runs = RUNS.get().write().unwrap_or_else(PoisonError::into_inner);
    let left = place_of(id, &runs).ok().map(|place| runs.remove(place));
    drop(runs);
    drop(left);
}

/// The inbox of a run that has not ended.
pub(crate) fn find(id: RunId) -> Option<Arc<Inbox>> {
    let runs = RUNS.latest().read().unwrap_or_else(PoisonError::into_inner);
    place_of(id, &runs).ok().map(|place| runs[place].1.clone())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Inbox, Message, NodeId, RUNS, find, register, unregister};
    use crate::core::run::per_process::forked::returns_in_a_child;
    use std::{
        sync::{Arc, mpsc},
        thread,
    };

    fn inbox() -> Arc<Inbox> {
        let poll = mio::Poll::new().unwrap();
        Arc::new(Inbox::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap()))
    }

    fn tree(count: u32) -> impl Iterator<Item = NodeId> {
        (1..=count).filter_map(NodeId::from_bits)
    }

    /// The loop takes no messages during the wakes.
    #[test]
    fn millions_of_wakes_are_no_more_messages_than_there_are_tasks() {
        let inbox = inbox();
        let wakers: Vec<_> = (0..2)
            .map(|_| {
                let inbox = inbox.clone();
                thread::spawn(move || {
                    for _ in 0..1000 {
                        tree(1000).for_each(|node| inbox.wake(node));
                    }
                })
            })
            .collect();
        wakers.into_iter().for_each(|waker| waker.join().unwrap());
        let mut got: Vec<u32> = Vec::new();
        for message in inbox.take() {
            let Message::Wake(node) = message else { continue };
            inbox.hear_wake(node);
            got.push(node.to_bits());
        }
        got.sort_unstable();
        assert!(got.into_iter().eq(1..=1000), "each once");
        // Once the loop has taken a wake, the next one is a message again.
        tree(3).chain(tree(3)).for_each(|node| inbox.wake(node));
        assert_eq!(inbox.take().count(), 3);
    }

    #[test]
    fn wakes_after_the_end_of_the_run_leave_nothing() {
        let inbox = inbox();
        tree(2).for_each(|node| inbox.wake(node));
        assert_eq!(inbox.close().count(), 2);
        tree(1000).chain(tree(1000)).for_each(|node| inbox.wake(node));
        assert!(!inbox.has_messages());
        assert_eq!(inbox.take().count(), 0);
    }

    #[test]
    fn a_child_that_was_forked_while_a_run_began_has_runs_of_its_own() {
        let parents = inbox();
        let id = register(parents);
        let (there, is_there) = mpsc::channel();
        let (leave, may_leave) = mpsc::channel::<()>();
        let other = thread::spawn(move || {
            let _registry = RUNS.get().write().unwrap();
            there.send(()).unwrap();
            let _left = may_leave.recv();
        });
        is_there.recv().unwrap();
        let returned = returns_in_a_child(|| {
            let own = inbox();
            let own_id = register(own.clone());
            assert!(own_id != id && find(own_id).is_some_and(|found| Arc::ptr_eq(&found, &own)));
            assert!(find(id).is_none(), "the parent's runs are not the child's");
            unregister(own_id);
            unregister(id);
            assert!(find(own_id).is_none());
        });
        drop(leave);
        other.join().unwrap();
        assert!(returned && find(id).is_some());
        unregister(id);
    }
}
