//! Wakes that come from other threads, many of them: each task has at most one under way, and none is lost.

use std::{
    cell::RefCell,
    fs,
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed, Ordering::SeqCst},
    },
    task::{Poll, Waker},
    thread,
};
use terzetto::{
    checkpoint,
    lowlevel::{IdempotentCall, Token, current_statistics},
    nursery,
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::{run_mock, sanitized};

/// The most memory that this process has had, in KiB; none where the system does not say.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok())
}

/// So many wakes would take hundreds of megabytes if each were a message.
const MANY: u32 = 4_000_000;

/// The tests of this file measure the memory of the process: one at a time.
fn alone() -> impl Drop {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Calls `f`, which is to need next to no memory. (Sanitizers need some of their own.)
fn in_little_memory(f: impl FnOnce()) {
    let before = peak_memory();
    f();
    if !sanitized()
        && let (Some(before), Some(after)) = (before, peak_memory())
    {
        assert!(after - before < 32 * 1024, "{} KiB", after - before);
    }
}

/// Wakes each of these many times from two threads, and waits for those.
fn wake_from_two_threads(wakers: &[Waker]) {
    let shared: Arc<[Waker]> = wakers.into();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let wakers = shared.clone();
            thread::spawn(move || (0..MANY).for_each(|i| wakers[i as usize % wakers.len()].wake_by_ref()))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

async fn own_waker() -> Waker {
    poll_fn(|cx| Poll::Ready(cx.waker().clone())).await
}

#[test]
fn millions_of_wakes_while_the_run_is_busy_take_the_memory_of_one_a_task() {
    let _alone = alone();
    run_mock(async {
        let (wakers, polls) = (&RefCell::new(Vec::new()), &AtomicU32::new(0));
        nursery(async |n| {
            for _ in 0..10 {
                n.start_soon(async move {
                    let waker = own_waker().await;
                    wakers.borrow_mut().push(waker);
                    let mut first = true;
                    poll_fn(|_cx| {
                        polls.fetch_add(1, Relaxed);
                        if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }
                    })
                    .await;
                    Ok(())
                });
            }
            wait_all_tasks_blocked(0.0).await?;
            // The loop stands still meanwhile.
            in_little_memory(|| wake_from_two_threads(&wakers.borrow()));
            Ok(())
        })
        .await?;
        assert_eq!(polls.load(Relaxed), 20, "one poll for all the wakes of a task");
        // Of tasks that have ended.
        in_little_memory(|| wake_from_two_threads(&wakers.borrow()));
        checkpoint().await?;
        assert_eq!(current_statistics().tasks_living, 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn wakes_of_a_run_that_has_ended_take_no_memory() {
    let _alone = alone();
    let waker = run_mock(async { Ok(own_waker().await) }).unwrap();
    in_little_memory(|| wake_from_two_threads(&[waker]));
}

/// A word that a thread leaves, and who is to hear of it.
#[derive(Default)]
struct Word {
    said: AtomicU32,
    listener: Mutex<Option<Waker>>,
}

/// Two threads count upwards and wake the task after each number; the task hears of the last one.
#[test]
fn no_wake_is_lost_though_they_are_merged() {
    let _alone = alone();
    const NUMBERS: u32 = 200_000;
    terzetto::run(async {
        let words = [Arc::new(Word::default()), Arc::new(Word::default())];
        let threads: Vec<_> = words
            .iter()
            .cloned()
            .map(|word| {
                thread::spawn(move || {
                    for number in 1..=NUMBERS {
                        word.said.store(number, Relaxed);
                        let listener = word.listener.lock().unwrap().clone();
                        listener.inspect(Waker::wake_by_ref);
                    }
                })
            })
            .collect();
        poll_fn(|cx| {
            for word in &words {
                *word.listener.lock().unwrap() = Some(cx.waker().clone());
            }
            match words.iter().all(|word| word.said.load(Relaxed) == NUMBERS) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        Ok(())
    })
    .unwrap();
}

#[test]
fn token_02_a_call_that_is_asked_for_millions_of_times_waits_once() {
    let _alone = alone();
    run_mock(async {
        let made = Arc::new(AtomicU32::new(0));
        let own = made.clone();
        let call = Token::current().idempotent(move || _ = own.fetch_add(1, SeqCst));
        in_little_memory(|| {
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let call = call.clone();
                    thread::spawn(move || (0..MANY).for_each(|_| call.run_sync_soon().unwrap()))
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(current_statistics().run_sync_soon_queue_size, 1);
        checkpoint().await?;
        checkpoint().await?;
        assert_eq!(made.load(SeqCst), 1);
        Ok(())
    })
    .unwrap();
}

/// As in trio: from the moment in which it is made, it can be asked for again, be it by itself.
#[test]
fn token_02_a_call_that_asks_for_itself_is_made_again() {
    let _alone = alone();
    run_mock(async {
        let (made, handle) = (Arc::new(AtomicU32::new(0)), Arc::new(Mutex::new(None::<IdempotentCall>)));
        let (own, again) = (made.clone(), handle.clone());
        let call = Token::current().idempotent(move || {
            if own.fetch_add(1, SeqCst) < 2 {
                let call = again.lock().unwrap().clone();
                call.unwrap().run_sync_soon().unwrap();
            }
        });
        *handle.lock().unwrap() = Some(call.clone());
        call.run_sync_soon()?;
        for _ in 0..5 {
            checkpoint().await?;
        }
        assert_eq!(made.load(SeqCst), 3);
        handle.lock().unwrap().take();
        Ok(())
    })
    .unwrap();
}

/// Who is told that the call is queued can rely on it, also if another thread has asked for it at the same time and
/// the run ends.
#[test]
fn token_02_a_call_that_was_accepted_is_made_whoever_has_asked_for_it() {
    let _alone = alone();
    for _ in 0..200 {
        let (made, accepted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let mut threads = Vec::new();
        run_mock(async {
            let own = made.clone();
            let call = Token::current().idempotent(move || own.store(true, SeqCst));
            for _ in 0..2 {
                let (call, accepted) = (call.clone(), accepted.clone());
                threads.push(thread::spawn(move || {
                    if call.run_sync_soon().is_ok() {
                        accepted.store(true, SeqCst);
                    }
                }));
            }
            Ok(())
        })
        .unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(made.load(SeqCst) || !accepted.load(SeqCst));
    }
}
