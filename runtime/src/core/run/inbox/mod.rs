//! The inbox: how other threads reach a run.
//!
//! Everything inside a run happens on one thread, without locks. What comes from outside (a wake of
//! a foreign thread, a callback given to the [`Token`](crate::Token), a signal) goes through the run's
//! inbox, which the run loop empties once a tick: a lock-free [queue](message_queue), a [flag](sleep_flag) by which a
//! push wakes the loop only if it sleeps and only once, and [marks] by which a task that is woken many times
//! has one message in the queue. So many pushes cost one system call, and many wakes the memory of one.

mod marks;
mod message_queue;
mod sleep_flag;

use crate::core::{
    poll_tree::waker::{NodeId, RunId},
    run::per_process::{GENERATIONS, PerProcess, Slot},
};
#[cfg(feature = "signal")]
use crate::signal::Signal;
use marks::Marks;
use message_queue::{Batch, Queue};
use sleep_flag::SleepFlag;
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
    /// From [`Inbox::wake`], to be [taken note of](Inbox::hear_wake).
    Wake(NodeId),
    Call(Callback),
    /// A worker thread is done with the job of this number.
    JobDone(usize),
}

pub(crate) struct Inbox {
    queue: Queue<Message>,
    /// The nodes of which a wake is in the queue.
    woken: Marks,
    sleep_flag: SleepFlag,
    /// Signals that have come, a bit each.
    signals: AtomicU64,
    /// None once the run has ended: whoever still knows the inbox must not keep its descriptor open.
    waker: RwLock<Option<mio::Waker>>,
    /// What the handler of signals keeps about Ctrl-C in this run.
    #[cfg(feature = "signal")]
    pub(crate) unheard: crate::signal::Unheard,
    /// Whether the run is about to end: calls may still come, but no tasks are started for them.
    ending: AtomicBool,
    /// The thread on which the loop turns, be it turned by the run itself or by a host.
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
            #[cfg(feature = "signal")]
            unheard: Default::default(),
            ending: AtomicBool::new(false),
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

    /// Whether this thread is the one on which the loop turns.
    pub(crate) fn is_on_loop_thread(&self) -> bool {
        thread::current().id() == self.loop_thread
    }

    /// Whether the run has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Puts a message in; gives it back if the run has ended.
    pub(crate) fn push(&self, message: Message) -> Result<(), Message> {
        self.queue.push(message)?;
        self.wake_loop_if_asleep();
        Ok(())
    }

    /// Has a node polled soon. However often that is asked for, the queue has one message of it.
    pub(crate) fn wake(&self, node: NodeId) {
        if self.woken.set(node) {
            // Refused if the run has ended: then there is nothing to wake.
            let _ended = self.push(Message::Wake(node));
        }
    }

    /// For the loop, before it wakes the node of a message: from now on it may be woken again.
    pub(crate) fn hear_wake(&self, node: NodeId) {
        self.woken.clear(node);
    }

    /// Notes that a signal has come. For signal handlers: nothing here locks or allocates.
    /// Returns whether one of this kind was there already, which the loop has not taken out.
    #[cfg(feature = "signal")]
    pub(crate) fn signal(&self, number: i32) -> bool {
        let bit = Signal::from_raw(number).bit();
        let before = self.signals.fetch_or(bit, SeqCst);
        // The lock is held by others only to wake, too, or by a run that has ended: no need to wait for it.
        if self.sleep_flag.must_wake()
            && let Ok(waker) = self.waker.try_read()
            && let Some(waker) = &*waker
        {
            // What went wrong could be told to nobody here.
            let _rung = waker.wake();
        }
        before & bit != 0
    }

    /// Wakes the loop if it sleeps, for news that came another way.
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

    /// The run has ended, and its loop is not to be woken any more: gives back the descriptor for that.
    pub(crate) fn close_waker(&self) {
        let waker = self.waker.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(waker);
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

    /// Announces that the loop will sleep. Returns whether it may: not if a message is waiting.
    pub(crate) fn try_sleep(&self) -> bool {
        self.sleep_flag.try_sleep(|| self.has_messages())
    }

    pub(crate) fn awake(&self) {
        self.sleep_flag.awake();
    }

    /// Refuses all further messages and returns the last.
    pub(crate) fn close(&self) -> Batch<Message> {
        self.queue.close()
    }
}

/// The runs of a process that are alive, by number.
type Runs = RwLock<Vec<(RunId, Arc<Inbox>)>>;

static RUNS: PerProcess<Runs> = PerProcess::new([const { Slot::new(RwLock::new(Vec::new())) }; GENERATIONS]);

/// Where a run is in the list, or would be.
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

/// The inbox of a run that is alive.
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

    /// The loop does not look meanwhile.
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
        // Once the loop has heard of a wake, the next one is a message again.
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
