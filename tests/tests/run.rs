//! RUN, SCHED, THREAD: runs, the loop, worker threads.

use std::{
    cell::Cell,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::Poll,
    time::{Duration, Instant},
};
use terzetto::{
    CancelScope, Error, RunError, checkpoint,
    lowlevel::{RunFinished, Token},
    nursery, run, sleep, to_thread,
};
use terzetto_tests::{Trace, run_mock};

#[test]
fn run_01_02_the_value_or_error_of_main_comes_out() {
    assert_eq!(run(async { Ok(3) }).unwrap(), 3);
    let error = run(async { Err::<(), Error>("x".parse::<i32>().unwrap_err().into()) }).unwrap_err();
    assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
}

#[test]
fn run_03_a_run_inside_a_run_is_refused() {
    run(async {
        let error = run(async { Ok(()) }).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(RunError::Nested)));
        Ok(())
    })
    .unwrap();
}

#[test]
#[should_panic(expected = "only inside `terzetto::run`")]
fn run_05_functions_that_need_the_runtime_say_so_outside() {
    terzetto::current_time();
}

#[test]
fn sched_01_what_becomes_runnable_in_a_tick_runs_in_the_next() {
    let trace = &Trace::default();
    run_mock(async {
        nursery(async |n| {
            for name in ["a", "b", "c"] {
                n.start_soon(async move {
                    for round in 0..3 {
                        trace.note(round.to_string());
                        checkpoint().await?;
                    }
                    trace.note(name);
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })
    .unwrap();
    assert!(trace.text().starts_with("0 0 0 1 1 1 2 2 2"), "{}", trace.text());
}

#[test]
fn sched_11_a_storm_of_wakes_polls_once_and_late_wakes_are_harmless() {
    let polls = Cell::new(0);
    let waker = run_mock(async {
        let mut kept = None;
        poll_fn(|cx| {
            polls.set(polls.get() + 1);
            if polls.get() == 3 {
                kept = Some(cx.waker().clone());
                return Poll::Ready(());
            }
            for _ in 0..1000 {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await;
        Ok(kept.unwrap())
    })
    .unwrap();
    assert_eq!(polls.get(), 3);
    std::thread::spawn(move || waker.wake()).join().unwrap();
}

#[test]
fn sched_12_a_foreign_thread_wakes_the_sleeping_loop() {
    run(async {
        for _ in 0..1000 {
            let mut sent = false;
            let done = std::sync::Arc::new(AtomicUsize::new(0));
            let mut thread = None;
            poll_fn(|cx| {
                if done.load(SeqCst) == 1 {
                    return Poll::Ready(());
                }
                if !std::mem::replace(&mut sent, true) {
                    let (waker, done) = (cx.waker().clone(), done.clone());
                    thread = Some(std::thread::spawn(move || {
                        done.store(1, SeqCst);
                        waker.wake();
                    }));
                }
                Poll::Pending
            })
            .await;
            thread.unwrap().join().unwrap();
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn token_03_after_the_run_calls_are_refused() {
    let token = run(async { Ok(Token::current()) }).unwrap();
    assert_eq!(token.run_sync_soon(|| ()), Err(RunFinished));
}

#[test]
fn thread_01_the_loop_goes_on_while_a_thread_works() {
    let ticks = Cell::new(0);
    run(async {
        nursery::<(), _>(async |n| {
            n.start_soon(async {
                let name = to_thread::run_sync(|| {
                    std::thread::sleep(Duration::from_millis(50));
                    std::thread::current().name().map(str::to_owned)
                })
                .await?;
                assert_eq!(name.as_deref(), Some("terzetto worker"));
                n.cancel_scope().cancel();
                Ok(())
            });
            loop {
                sleep(0.001).await?;
                ticks.set(ticks.get() + 1);
            }
        })
        .await
    })
    .unwrap();
    assert!(ticks.get() > 3, "{}", ticks.get());
}

#[test]
fn thread_02_03_cancelled_before_it_never_starts_and_after_it_returns_its_result() {
    run(async {
        let scope = CancelScope::new();
        scope.cancel();
        let ran = scope.run(async { to_thread::run_sync(|| 1).await }).await?;
        assert_eq!(ran, None);
        let scope = CancelScope::with_timeout(0.01);
        let kept = scope
            .run(async {
                let value = to_thread::run_sync(|| {
                    std::thread::sleep(Duration::from_millis(60));
                    5
                })
                .await?;
                assert!(checkpoint().await.is_err());
                Ok(value)
            })
            .await?;
        assert_eq!(kept, Some(5));
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_13_a_panic_arrives_and_the_worker_lives_on() {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        run(async { to_thread::run_sync(|| -> () { panic!("in a thread") }).await })
    }));
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"in a thread"));
}

#[test]
fn thread_14_many_jobs_leave_nothing() {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    run(async {
        nursery(async |n| {
            for _ in 0..1000 {
                n.start_soon(async {
                    for _ in 0..10 {
                        to_thread::run_sync(|| DONE.fetch_add(1, SeqCst)).await?;
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(DONE.load(SeqCst), 10_000);
}

#[test]
fn mock_04_a_day_of_sleeps_takes_no_time() {
    let start = Instant::now();
    run_mock(async {
        for _ in 0..24 {
            sleep(3600.0).await?;
        }
        Ok(())
    })
    .unwrap();
    assert!(start.elapsed() < Duration::from_secs(5));
}
