//! The sleep flag: the loop and the threads that may have to wake it agree on whether it sleeps.

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that is set while the loop sleeps, or is about to sleep.
///
/// The loop sets it *before* it looks for messages a last time. A thread that sends a message clears it *after* the
/// message is in the queue, and wakes the loop if the flag was set. All these are exchanges on one atomic, so one of
/// them comes first. If the loop's exchange comes first, the sender finds the flag set and wakes the loop. If the
/// sender's exchange comes first, the loop's exchange sees it, and with it the message. Then the loop does not sleep.
/// Of many senders, only the first wakes the loop.
pub(crate) struct SleepFlag {
    asleep: AtomicBool,
}

impl SleepFlag {
    pub(crate) fn new() -> SleepFlag {
        SleepFlag { asleep: AtomicBool::new(false) }
    }

    /// Called by the loop, which will sleep unless `has_messages`. Returns whether it may sleep.
    pub(crate) fn try_sleep(&self, has_messages: impl FnOnce() -> bool) -> bool {
        self.asleep.swap(true, Ordering::AcqRel);
        let sleeps = !has_messages();
        if !sleeps {
            self.awake();
        }
        sleeps
    }

    /// Called by the loop when it is awake, for whatever reason.
    pub(crate) fn awake(&self) {
        // This must be an exchange too. A plain store would break the chain by which a later exchange sees what
        // senders did before it. (The model below has found this.)
        self.asleep.swap(false, Ordering::AcqRel);
    }

    /// Called by a sender when its message is in the queue. Returns whether it must wake the loop.
    pub(crate) fn must_wake(&self) -> bool {
        self.asleep.swap(false, Ordering::AcqRel)
    }
}

/// Models that `.ci/loom` runs: every interleaving of senders and a loop.
#[cfg(all(test, loom))]
mod tests {
    use super::{
        super::{marks::Marks, message_queue::Queue},
        SleepFlag,
    };
    use crate::core::ids::NodeId;
    use loom::{
        sync::{
            Arc, Condvar, Mutex,
            atomic::{AtomicBool, Ordering::Relaxed},
        },
        thread,
    };

    /// Behaves as an eventfd: a wake that nobody has heard is kept.
    struct LoopWaker(Mutex<bool>, Condvar);

    impl LoopWaker {
        fn wake_loop(&self) {
            *self.0.lock().unwrap() = true;
            self.1.notify_one();
        }

        fn wait(&self) {
            let mut rung = self.0.lock().unwrap();
            while !*rung {
                rung = self.1.wait(rung).unwrap();
            }
            *rung = false;
        }
    }

    struct Inbox {
        queue: Queue<usize>,
        sleep_flag: SleepFlag,
        waker: LoopWaker,
    }

    fn inbox() -> Arc<Inbox> {
        let waker = LoopWaker(Mutex::new(false), Condvar::new());
        Arc::new(Inbox { queue: Queue::new(), sleep_flag: SleepFlag::new(), waker })
    }

    fn push(inbox: &Inbox, value: usize) -> bool {
        let accepted = inbox.queue.push(value).is_ok();
        if inbox.sleep_flag.must_wake() {
            inbox.waker.wake_loop();
        }
        accepted
    }

    /// A lost wake-up would leave the loop waiting for ever, which loom reports as a deadlock.
    #[test]
    fn loom_no_wake_up_is_lost() {
        loom::model(|| {
            let inbox = inbox();
            let pushers: Vec<_> = (0..2)
                .map(|who| {
                    let inbox = inbox.clone();
                    thread::spawn(move || assert!(push(&inbox, who)))
                })
                .collect();
            let mut got = Vec::new();
            while got.len() < 2 {
                if inbox.sleep_flag.try_sleep(|| !inbox.queue.is_empty()) {
                    inbox.waker.wait();
                    inbox.sleep_flag.awake();
                }
                got.extend(inbox.queue.take());
            }
            pushers.into_iter().for_each(|pusher| pusher.join().unwrap());
            got.sort_unstable();
            assert_eq!(got, [0, 1]);
        });
    }

    struct Task {
        inbox: Arc<Inbox>,
        node: NodeId,
        woken: Marks,
        /// What the task waits for: a word from each of two threads.
        words: [AtomicBool; 2],
    }

    fn task() -> Arc<Task> {
        let words = [AtomicBool::new(false), AtomicBool::new(false)];
        let task = Task { inbox: inbox(), node: NodeId::FIRST, woken: Marks::new(), words };
        // The memory of the marks comes from the standard library. It is made here, since it is not part of the test.
        task.woken.set(task.node);
        task.woken.clear(task.node);
        Arc::new(task)
    }

    impl Task {
        /// Does what `Inbox::wake` does.
        fn wake(&self) {
            if self.woken.set(self.node) {
                assert!(push(&self.inbox, 0));
            }
        }

        /// Does what the loop does with its messages. A poll sees the words that have come. There is one message at
        /// most.
        fn turn(&self) -> Option<[bool; 2]> {
            let messages = self.inbox.queue.take().count();
            assert!(messages <= 1, "a task has one message in the queue");
            (messages == 1).then(|| {
                self.woken.clear(self.node);
                [0, 1].map(|who| self.words[who].load(Relaxed))
            })
        }
    }

    /// Two threads set their words and wake the same task. The poll after the last message sees both words. Otherwise
    /// the loop would wait for ever.
    #[test]
    fn loom_a_wake_that_finds_another_waiting_is_not_lost() {
        loom::model(|| {
            let task = task();
            let wakers: Vec<_> = (0..2)
                .map(|who| {
                    let task = task.clone();
                    thread::spawn(move || {
                        task.words[who].store(true, Relaxed);
                        task.wake();
                    })
                })
                .collect();
            while task.turn() != Some([true, true]) {
                if task.inbox.sleep_flag.try_sleep(|| !task.inbox.queue.is_empty()) {
                    task.inbox.waker.wait();
                    task.inbox.sleep_flag.awake();
                }
            }
            wakers.into_iter().for_each(|waker| waker.join().unwrap());
        });
    }

    /// A thread wakes a task again and again while the loop turns. The last word arrives.
    #[test]
    fn loom_a_task_can_be_woken_again_as_soon_as_the_loop_has_heard() {
        loom::model(|| {
            let task = task();
            let other = task.clone();
            let waker = thread::spawn(move || {
                for who in 0..2 {
                    other.words[who].store(true, Relaxed);
                    other.wake();
                }
            });
            let mut seen = task.turn().unwrap_or_default();
            waker.join().unwrap();
            seen = task.turn().unwrap_or(seen);
            assert_eq!(seen, [true, true]);
        });
    }

    #[test]
    fn loom_messages_of_one_thread_stay_in_order() {
        loom::model(|| {
            let inbox = inbox();
            let other = inbox.clone();
            let pusher = thread::spawn(move || {
                for i in 0..2 {
                    push(&other, i);
                }
            });
            let mut got: Vec<usize> = inbox.queue.take().collect();
            pusher.join().unwrap();
            got.extend(inbox.queue.take());
            assert_eq!(got, [0, 1]);
        });
    }

    /// Messages that were accepted are there when the run ends. Later ones are refused.
    #[test]
    fn loom_closing_loses_nothing_that_was_accepted() {
        loom::model(|| {
            let inbox = inbox();
            let pushers: Vec<_> = (0..2)
                .map(|who| {
                    let inbox = inbox.clone();
                    thread::spawn(move || push(&inbox, who))
                })
                .collect();
            let taken = inbox.queue.close().count();
            let accepted = pushers.into_iter().filter_map(|p| p.join().unwrap().then_some(())).count();
            assert_eq!(taken, accepted);
            assert_eq!(inbox.queue.take().count(), 0);
        });
    }
}
