//! SCHED: what the loop looks at between two ticks comes through though a nursery is busy in every tick.
//!
//! The main task waits at the end of a nursery, and a child is runnable in each tick, so that each could begin where
//! the last one ended. Here is one test for each thing outside: messages of other threads (wakes, calls, jobs that are
//! done), signals, the system's events, deadlines, calls that the child makes itself, system tasks, the run's failure,
//! a host. Of Ctrl-C see `suite_ki`, of instruments `suite_instruments`, of what is inside `in_place`.

use signal_hook::{consts::SIGHUP, low_level::raise};
use std::{
    cell::Cell,
    future::poll_fn,
    io::Write,
    os::unix::net::UnixStream,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    task::Poll,
    thread,
    time::Duration,
};
use terzetto::{
    Builder, Error, InternalError, checkpoint,
    io::wait_readable,
    lowlevel::{GuestTick, Token, spawn_system_task},
    nursery, run,
    signal::{Signal, open_signal_receiver},
    sleep, to_thread,
};
use terzetto_tests::within;

const LIMIT: Duration = Duration::from_secs(20);

/// Yields until something has happened.
async fn busy_until(happened: &Cell<bool>) -> Result<(), Error> {
    while !happened.get() {
        checkpoint().await?;
    }
    Ok(())
}

/// Runs a nursery in which one task is busy until `waits` has returned; `deep`: in a nursery inside it.
async fn beside_a_busy_task(deep: bool, waits: impl AsyncFnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let happened = &Cell::new(false);
    nursery(async |n| {
        n.start_soon(async move {
            match deep {
                false => busy_until(happened).await,
                true => {
                    let inside = nursery(async |inner| {
                        inner.start_soon(busy_until(happened));
                        Ok(())
                    });
                    inside.await
                }
            }
        });
        n.start_soon(async move {
            waits().await?;
            happened.set(true);
            Ok(())
        });
        Ok(())
    })
    .await
}

/// Runs it on the real clock, flat and deep.
fn comes_through(waits: impl AsyncFn() -> Result<(), Error> + Clone + Send + 'static) {
    for deep in [false, true] {
        let waits = waits.clone();
        within(LIMIT, move || run(beside_a_busy_task(deep, || waits())).unwrap());
    }
}

#[test]
fn a_wake_of_another_thread() {
    comes_through(async || {
        let done = Arc::new(AtomicBool::new(false));
        let mut started = false;
        poll_fn(|cx| {
            if done.load(SeqCst) {
                return Poll::Ready(());
            }
            if !std::mem::replace(&mut started, true) {
                let (waker, done) = (cx.waker().clone(), done.clone());
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(5));
                    done.store(true, SeqCst);
                    waker.wake();
                });
            }
            Poll::Pending
        })
        .await;
        Ok(())
    });
}

#[test]
fn a_call_of_another_thread_and_of_the_run_itself() {
    comes_through(async || {
        for by_thread in [true, false] {
            let called = Arc::new(AtomicBool::new(false));
            let (token, own) = (Token::current(), called.clone());
            let call = move || token.run_sync_soon(move || own.store(true, SeqCst)).unwrap();
            match by_thread {
                true => drop(thread::spawn(call)),
                false => call(),
            }
            while !called.load(SeqCst) {
                checkpoint().await?;
            }
        }
        Ok(())
    });
}

#[test]
fn a_job_that_is_done() {
    comes_through(async || to_thread::run_sync(|| thread::sleep(Duration::from_millis(5))).await);
}

#[test]
fn a_call_from_a_thread() {
    comes_through(async || {
        let token = Token::current();
        to_thread::run_sync(move || {
            terzetto::from_thread::run(async || Ok(sleep(0.001).await?))?;
            // As a system task, and while this one waits.
            token.run_sync(|| ())
        })
        .await?
    });
}

#[test]
fn a_signal() {
    comes_through(async || {
        let signals = open_signal_receiver(&[Signal::HUP])?;
        let sender = thread::spawn(|| {
            thread::sleep(Duration::from_millis(5));
            raise(SIGHUP).unwrap();
        });
        assert_eq!(signals.receive().await?, Signal::HUP);
        sender.join().unwrap();
        Ok(())
    });
}

#[test]
fn an_event_of_the_system() {
    comes_through(async || {
        let (a, mut b) = UnixStream::pair()?;
        a.set_nonblocking(true)?;
        let sender = thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            b.write_all(b"x")
        });
        wait_readable(&a).await?;
        sender.join().unwrap()?;
        Ok(())
    });
}

#[test]
fn a_deadline() {
    comes_through(async || Ok(sleep(0.005).await?));
}

#[test]
fn a_system_task_that_is_started() {
    comes_through(async || {
        let (send, ran) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let own = ran.clone();
        checkpoint().await?;
        spawn_system_task("system", async move {
            own.set(true);
            Ok(())
        })?;
        while !ran.get() {
            checkpoint().await?;
        }
        drop(send);
        Ok(())
    });
}

#[test]
fn the_failure_of_the_run() {
    within(LIMIT, || {
        let outcome = run(beside_a_busy_task(true, async || {
            Token::current().run_sync_soon(|| panic!("a callback"))?;
            busy_until(&Cell::new(false)).await
        }));
        assert!(outcome.unwrap_err().downcast_ref::<InternalError>().is_some());
    });
}

#[test]
fn a_hosts_own_turn() {
    within(LIMIT, || {
        let (send, ticks) = mpsc::channel::<GuestTick>();
        let (told, main) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let (own, over) = (told.clone(), main.clone());
        let guest = Builder::new()
            .start_guest(
                async move {
                    beside_a_busy_task(true, async || busy_until(&own).await).await?;
                    over.set(true);
                    Ok(())
                },
                move |tick| drop(send.send(tick)),
                |_| (),
            )
            .unwrap();
        for turn in 0.. {
            if guest.is_over() {
                break;
            }
            // The host sees its loop again after each tick.
            told.set(turn >= 100);
            ticks.recv().unwrap().run();
        }
        assert!(main.get());
    });
}
