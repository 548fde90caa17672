//! trio's `test_thread_cache`: threads for functions that belong to no run.

use std::{
    cell::RefCell,
    collections::HashSet,
    panic::resume_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, ThreadId},
    time::Duration,
};
use terzetto::{
    ContextVar,
    lowlevel::{RunFinished, Token, in_run, start_thread_soon},
    run,
    sync::Event,
};
use terzetto_tests::{OnDrop, within};

/// The threads are the process's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn trio_thread_cache_basics() {
    let _alone = alone();
    let (send, outcome) = mpsc::channel::<thread::Result<u32>>();
    let deliver = send.clone();
    start_thread_soon(|| resume_unwind(Box::new("hi")), move |end| deliver.send(end).unwrap()).unwrap();
    assert_eq!(outcome.recv().unwrap().unwrap_err().downcast_ref(), Some(&"hi"));
    start_thread_soon(|| 42, move |end| send.send(end).unwrap()).unwrap();
    assert_eq!(outcome.recv().unwrap().unwrap(), 42);
}

#[test]
fn trio_thread_cache_deref() {
    let _alone = alone();
    // What the function holds is gone before anybody is told.
    let gone = Arc::new(Mutex::new(false));
    let (own, seen) = (gone.clone(), gone.clone());
    let held = OnDrop(move || *own.lock().unwrap() = true);
    let (send, outcome) = mpsc::channel();
    let work = move || {
        let _held = &held;
        42
    };
    let deliver = move |end: thread::Result<u32>| send.send((end.unwrap(), *seen.lock().unwrap())).unwrap();
    start_thread_soon(work, deliver).unwrap();
    assert_eq!(outcome.recv().unwrap(), (42, true));
}

/// Has `n` more functions called, each when the one before is told of; sends the thread of each.
fn chain(n: u32, threads: mpsc::Sender<ThreadId>) {
    let deliver = move |_end: thread::Result<()>| {
        threads.send(thread::current().id()).unwrap();
        if n > 0 {
            chain(n - 1, threads);
        }
    };
    start_thread_soon(|| (), deliver).unwrap();
}

#[test]
fn trio_spawning_new_thread_from_deliver_reuses_starting_thread() {
    let _alone = alone();
    // A few threads are there.
    let (send, done) = mpsc::channel();
    let barrier = Arc::new(std::sync::Barrier::new(5));
    for _ in 0..5 {
        let (send, barrier) = (send.clone(), barrier.clone());
        start_thread_soon(move || barrier.wait(), move |_| send.send(()).unwrap()).unwrap();
    }
    assert_eq!(done.iter().take(5).count(), 5);
    // Those of them that are still looking for work may take some: soon none is.
    let one_thread_does_all = || {
        thread::sleep(Duration::from_millis(20));
        let (send, threads) = mpsc::channel();
        chain(5, send);
        threads.iter().collect::<HashSet<ThreadId>>().len() == 1
    };
    assert!((0..100).any(|_| one_thread_does_all()));
}

#[test]
fn trio_raise_in_deliver() {
    let _alone = alone();
    let (send, threads) = mpsc::channel();
    for fails in [true, false] {
        let (send, done) = (send.clone(), mpsc::channel());
        let deliver = move |end: thread::Result<ThreadId>| {
            send.send(end.unwrap()).unwrap();
            let _told = done.0;
            assert!(!fails, "don't do this");
        };
        start_thread_soon(|| thread::current().id(), deliver).unwrap();
        // When the call has ended, in whatever way.
        assert!(
            done.1.recv_timeout(Duration::from_secs(20))
                == Err::<(), _>(mpsc::RecvTimeoutError::Disconnected)
        );
        thread::sleep(Duration::from_millis(20));
    }
    drop(send);
    let seen: HashSet<ThreadId> = threads.iter().collect();
    assert_eq!(seen.len(), 1, "the worker lives on");
}

#[test]
fn a_thread_belongs_to_no_run_and_reaches_one_by_its_token() {
    static VALUE: ContextVar<u32> = ContextVar::new("value");
    thread_local!(static EVENT: RefCell<Option<Event>> = const { RefCell::new(None) });
    let _alone = alone();
    within(Duration::from_secs(20), || {
        let (token, outcome) = run(async {
            VALUE.set(7);
            let (event, token) = (Event::new(), Token::current());
            EVENT.set(Some(event.clone()));
            let (send, outcome) = mpsc::channel();
            let deliver = move |end: thread::Result<(bool, Option<u32>)>| {
                send.send(end.unwrap()).unwrap();
                token.run_sync_soon(|| EVENT.take().unwrap().set()).unwrap();
            };
            start_thread_soon(|| (in_run(), VALUE.get()), deliver)?;
            event.wait().await?;
            Ok((Token::current(), outcome.recv()?))
        })
        .unwrap();
        assert_eq!((outcome, token.run_sync_soon(|| ())), ((false, None), Err(RunFinished)));
    });
}
