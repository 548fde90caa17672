//! Futures dropped half-way or forgotten: every operation that blocks leaves what it waits for usable,
//! loses nothing that was handed over, and touches nothing that is gone (this file is what AddressSanitizer
//! is for).

use std::{
    cell::Cell,
    mem,
    pin::Pin,
    rc::Rc,
    task::{Context, Waker},
};
use terzetto::{
    Error, Nursery, TaskStatus, cancellable, channel, checkpoint, fail_after,
    io::{Listener, ReceiveStream, SendStream, TcpListener, TcpStream, UnixStream, wait_readable},
    lowlevel::{IdempotentCall, Rescheduler, Token, wait_task_rescheduled},
    nursery, sleep, sleep_forever,
    sync::{Borrower, CapacityLimiter, Condition, Event, Lock, ParkingLot, Semaphore},
    testing::{Sequencer, wait_all_tasks_blocked},
    to_thread,
};
use terzetto_tests::run_mock;

type Future_<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Polls once with a waker of the task that runs; says whether it is still pending.
async fn begin(future: &mut Future_<'_>) -> bool {
    futures_util::poll!(future).is_pending()
}

/// What happens to a future that waits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Dropped,
    Forgotten,
}

const FATES: [Fate; 2] = [Fate::Dropped, Fate::Forgotten];

fn meet(fate: Fate, future: Future_<'_>) {
    match fate {
        Fate::Dropped => drop(future),
        Fate::Forgotten => mem::forget(future),
    }
}

#[test]
fn waits_that_nobody_has_answered() {
    for fate in FATES {
        run_mock(async {
            let (event, lock, semaphore) = (Event::new(), Lock::new(), Semaphore::new(0));
            let (limiter, lot) = (CapacityLimiter::new(0), ParkingLot::new());
            let (condition, sequencer) = (Condition::new(), Sequencer::new());
            let (sender, receiver) = channel::<Box<u32>>(0);
            let (other_sender, other_receiver) = channel::<Box<u32>>(0);
            let held = lock.acquire().await?;
            let (a, _b) = UnixStream::pair()?;
            let waits: Vec<Future_<'_>> = vec![
                Box::pin(async { drop(sleep(1.0).await) }),
                Box::pin(async { drop(sleep_forever().await) }),
                Box::pin(async { drop(event.wait().await) }),
                Box::pin(async { drop(semaphore.acquire().await) }),
                Box::pin(async { drop(limiter.acquire().await) }),
                Box::pin(async { drop(lot.park().await) }),
                Box::pin(async { drop(sender.send(Box::new(1)).await) }),
                Box::pin(async { drop(other_receiver.receive().await) }),
                Box::pin(async { drop(sequencer.step(1, async {}).await) }),
                Box::pin(async { drop(cancellable(std::future::pending::<()>()).await) }),
                Box::pin(async { drop(wait_all_tasks_blocked(1000.0).await) }),
                Box::pin(async { drop(a.receive_some(&mut [0; 8]).await) }),
                Box::pin(async {
                    drop(
                        wait_task_rescheduled(
                            |_: Rescheduler<()>| (),
                            |_| terzetto::lowlevel::Aborted::Succeeded,
                        )
                        .await,
                    )
                }),
            ];
            for mut wait in waits {
                for _ in 0..3 {
                    assert!(begin(&mut wait).await);
                    checkpoint().await?;
                }
                meet(fate, wait);
            }
            // Everything works as if nobody had waited; what was forgotten waits on for ever, so what
            // it stands in line for is only asked of it where a drop has taken it out of the line.
            event.set();
            event.wait().await?;
            drop(held);
            if fate == Fate::Dropped {
                drop(lock.acquire().await?);
                drop(condition.acquire().await?);
                semaphore.release().map_err(|_| Error::msg("release"))?;
                drop(semaphore.acquire().await?);
                limiter.set_total_tokens(1);
                drop(limiter.acquire().await?);
                assert!(lot.unpark(1).is_empty());
                assert!(other_sender.send_nowait(Box::new(1)).is_err(), "nobody receives");
                assert!(receiver.receive_nowait().is_err(), "nobody sends");
                _b.send_all(b"x").await?;
                assert_eq!(a.receive_some(&mut [0; 8]).await?, 1);
            }
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn what_was_handed_over_goes_on_to_the_next() {
    run_mock(async {
        // A value for a receiver that is dropped before it looks.
        let (sender, receiver) = channel::<u32>(0);
        let mut first: Future_<'_> = Box::pin(async { drop(receiver.receive().await) });
        let got = Cell::new(0);
        let mut second: Future_<'_> = Box::pin(async { got.set(receiver.receive().await.unwrap()) });
        assert!(begin(&mut first).await && begin(&mut second).await);
        sender.send_nowait(7).map_err(|_| Error::msg("a receiver waits"))?;
        drop(first);
        assert!(!begin(&mut second).await || !begin(&mut second).await);
        assert_eq!(got.get(), 7);
        drop(second);
        // A value for a receiver that is dropped when nobody else waits is still there.
        let mut only: Future_<'_> = Box::pin(async { drop(receiver.receive().await) });
        assert!(begin(&mut only).await);
        sender.send_nowait(8).map_err(|_| Error::msg("a receiver waits"))?;
        drop(only);
        assert_eq!(receiver.receive().await?, 8);
        // A lock, a permit, a token.
        let (lock, semaphore, limiter) = (Lock::new(), Semaphore::new(0), CapacityLimiter::new(0));
        let held = lock.acquire().await?;
        nursery(async |n| {
            // Locks are tasks': the one that waits is another.
            let dropped = Rc::new(Cell::new(false));
            let flag = dropped.clone();
            let (lock, semaphore, limiter) = (&lock, &semaphore, &limiter);
            n.start_soon(async move {
                let mut waits: Vec<Future_<'_>> = vec![
                    Box::pin(async { drop(lock.acquire().await) }),
                    Box::pin(async { drop(semaphore.acquire().await) }),
                    Box::pin(async { drop(limiter.acquire().await) }),
                ];
                for wait in &mut waits {
                    assert!(begin(wait).await);
                }
                // Handed over meanwhile, and dropped without a look.
                let mut polls = 0;
                std::future::poll_fn(|_cx| {
                    polls += 1;
                    if polls == 1 { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
                })
                .await;
                drop(waits);
                flag.set(true);
                Ok(())
            });
            checkpoint().await?;
            checkpoint().await?;
            drop(held);
            semaphore.release().map_err(|_| Error::msg("release"))?;
            limiter.set_total_tokens(1);
            while !dropped.get() {
                checkpoint().await?;
            }
            drop(lock.acquire().await?);
            drop(semaphore.acquire().await?);
            drop(limiter.acquire().await?);
            Ok(())
        })
        .await
    })
    .unwrap();
}

/// A block with tasks, a task being started, a thread, and all that they own.
fn busy_block(owned: Rc<()>) -> Future_<'static> {
    Box::pin(async move {
        let local = [1, 2, 3];
        let block = nursery(async |n: &Nursery<'_, '_>| {
            for value in &local {
                let owned = owned.clone();
                n.start_soon(async move {
                    let _owned = owned;
                    sleep(f64::from(*value)).await?;
                    assert_eq!(local.len(), 3);
                    Ok(())
                });
            }
            let owned = owned.clone();
            n.start(async move |status: TaskStatus<()>| {
                let _owned = owned;
                let inner = nursery(async |inner| {
                    inner.start_soon(async { Ok(sleep_forever().await?) });
                    Ok(sleep_forever().await?)
                });
                inner.await?;
                Ok(status.started(())?)
            })
            .await?;
            Ok(())
        });
        let _ended = block.await;
    })
}

#[test]
fn nur_17_blocks_and_starts_dropped_or_forgotten_at_every_step() {
    for fate in FATES {
        for steps in 0..6 {
            let owned = Rc::new(());
            let held = owned.clone();
            run_mock(async move {
                let mut block = busy_block(held);
                for _ in 0..steps {
                    assert!(begin(&mut block).await);
                    checkpoint().await?;
                }
                meet(fate, block);
                // Their timers, their wakes: nothing finds them any more.
                sleep(10.0).await?;
                Ok(())
            })
            .unwrap();
            if fate == Fate::Dropped {
                assert_eq!(Rc::strong_count(&owned), 1, "after {steps} steps");
            }
        }
    }
}

#[test]
fn nur_17_a_forgotten_block_survives_its_run_harmlessly() {
    let mut block = None;
    run_mock(async {
        let mut own = busy_block(Rc::new(()));
        assert!(begin(&mut own).await);
        checkpoint().await?;
        block = Some(own);
        Ok(())
    })
    .unwrap();
    // Dropped outside every run, and in another one.
    let outside = block.take();
    drop(outside);
    run_mock(async {
        let mut own = busy_block(Rc::new(()));
        assert!(begin(&mut own).await);
        block = Some(own);
        Ok(())
    })
    .unwrap();
    run_mock(async move {
        drop(block);
        Ok(checkpoint().await?)
    })
    .unwrap();
}

#[test]
fn nur_17_a_handle_outlives_what_its_task_has_borrowed() {
    let mut handles = Vec::new();
    let dropped = Cell::new(0);
    struct Counts<'a>(&'a Cell<u32>, String);
    impl Drop for Counts<'_> {
        fn drop(&mut self) {
            assert_eq!(self.1, "borrowed");
            self.0.set(self.0.get() + 1);
        }
    }
    run_mock(async {
        let text = "borrowed".to_owned();
        let (text, dropped, handles) = (&text, &dropped, &mut handles);
        nursery(async |n| {
            for i in 0..3 {
                handles.push(n.start_soon_named(format!("child {i}"), async move {
                    let _counts = Counts(dropped, text.clone());
                    sleep(f64::from(i)).await?;
                    Ok(())
                }));
            }
            // Those that still sleep are cancelled.
            sleep(0.5).await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        // The tasks' futures are dropped, though there are handles.
        assert_eq!(dropped.get(), 3);
        Ok(())
    })
    .unwrap();
    let names: Vec<&str> = handles.iter().map(|task| task.name()).collect();
    assert_eq!(names, ["child 0", "child 1", "child 2"]);
    assert!(handles.iter().all(|task| !task.is_alive() && task.parent().is_none()));
    drop(handles);
    assert_eq!(dropped.get(), 3);
}

#[test]
fn handles_outlive_their_run_harmlessly() {
    let mut left: Vec<Box<dyn std::any::Any>> = Vec::new();
    let (mut waker, mut call) = (None::<Waker>, None::<IdempotentCall>);
    run_mock(async {
        let (sender, receiver) = channel::<u32>(1);
        let (event, lock) = (Event::new(), Lock::new());
        sender.send(1).await?;
        waker = Some(
            std::future::poll_fn(|cx: &mut Context<'_>| std::task::Poll::Ready(cx.waker().clone())).await,
        );
        call = Some(Token::current().idempotent(|| ()));
        let (a, _b) = UnixStream::pair()?;
        to_thread::run_sync(|| ()).await?;
        left.push(Box::new((sender, receiver, event, lock, a, terzetto::current_task())));
        Ok(())
    })
    .unwrap();
    waker.unwrap().wake();
    assert!(call.unwrap().run_sync_soon().is_err());
    drop(left);
}

#[test]
fn what_is_parked_in_a_run_that_is_over_wakes_nobody_of_the_next() {
    let event = Event::new();
    let lot = ParkingLot::new();
    run_mock(async {
        // The first wait of the run, and the second.
        let mut waits: [Future_<'_>; 2] =
            [Box::pin(async { drop(event.wait().await) }), Box::pin(async { drop(lot.park().await) })];
        for wait in &mut waits {
            assert!(begin(wait).await);
        }
        waits.into_iter().for_each(mem::forget);
        Ok(())
    })
    .unwrap();
    run_mock(async {
        let ended = Cell::new(false);
        let (ended, event, lot) = (&ended, &event, &lot);
        let slept = terzetto::move_on_after(1.0, async {
            nursery(async |n| {
                for _ in 0..2 {
                    n.start_soon(async move {
                        sleep_forever().await?;
                        ended.set(true);
                        Ok(())
                    });
                }
                wait_all_tasks_blocked(0.0).await?;
                event.set();
                lot.unpark_all();
                Ok(())
            })
            .await
        });
        // A sleep for ever ends by a cancellation, and by nothing else.
        assert_eq!(slept.await?, None);
        assert!(!ended.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn handles_of_what_has_ended_stay_what_they_were() {
    run_mock(async {
        let (mut scopes, mut tasks) = (Vec::new(), Vec::new());
        for i in 0..300 {
            let (scopes, tasks) = (&mut scopes, &mut tasks);
            nursery(async |n| {
                let scope = n.cancel_scope();
                assert!(!scope.cancel_called() && !scope.shield() && scope.deadline() == f64::INFINITY);
                assert_eq!(n.child_count(), 0);
                let child = n.start_soon_named(format!("child {i}"), async { Ok(sleep(0.0).await?) });
                assert_eq!(child.parent(), Some(terzetto::current_task()));
                if i % 3 == 0 {
                    scope.cancel_with_reason(format!("reason {i}"));
                    scope.set_shield(true);
                    scopes.push((i, scope.clone()));
                }
                if i % 2 == 0 {
                    tasks.push((i, child));
                }
                Ok(())
            })
            .await?;
        }
        for (i, scope) in scopes {
            assert!(scope.cancel_called() && scope.shield());
            assert_eq!(scope.reason().unwrap().text(), Some(&*format!("reason {i}")));
        }
        for (i, task) in tasks {
            assert_eq!(task.name(), format!("child {i}"));
            assert!(!task.is_alive() && task.parent().is_none() && task.child_nurseries().is_empty());
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn io_06_waits_for_foreign_descriptors_dropped_or_forgotten() {
    for fate in FATES {
        terzetto::run(async {
            let (a, b) = std::os::unix::net::UnixStream::pair()?;
            let mut wait: Future_<'_> = Box::pin(async { drop(wait_readable(&a).await) });
            assert!(begin(&mut wait).await);
            checkpoint().await?;
            meet(fate, wait);
            std::io::Write::write_all(&mut &b, b"x")?;
            if fate == Fate::Dropped {
                wait_readable(&a).await?;
            }
            sleep(0.001).await?;
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn what_is_dropped_after_its_run_loses_nothing_that_it_was_handed() {
    let (limiter, semaphore) = (CapacityLimiter::new(1), Semaphore::new(0));
    let (sender, receiver) = channel::<u8>(1);
    let mut borrowing = Box::pin(limiter.acquire());
    let mut taking = Box::pin(semaphore.acquire());
    let mut receiving = Box::pin(receiver.receive());
    run_mock(async {
        let loan = limiter.acquire_on_behalf_of(Borrower::new("another")).await?;
        assert!(futures_util::poll!(&mut borrowing).is_pending());
        assert!(futures_util::poll!(&mut taking).is_pending());
        assert!(futures_util::poll!(&mut receiving).is_pending());
        drop(loan);
        semaphore.release()?;
        sender.send_nowait(7)?;
        Ok(())
    })
    .unwrap();
    drop((borrowing, taking, receiving));
    assert_eq!((limiter.borrowed_tokens(), semaphore.value()), (0, 1));
    assert_eq!(receiver.receive_nowait().unwrap(), 7);
}

#[test]
fn stream_02_a_receive_that_is_dropped_while_others_run_has_taken_nothing() {
    terzetto::run(async {
        let (a, b) = UnixStream::pair()?;
        a.send_all(b"hello").await?;
        for polls in 1..4 {
            let mut buffer = [0; 16];
            let mut receive = Box::pin(b.receive_some(&mut buffer));
            let mut done = None;
            for _ in 0..polls {
                if let std::task::Poll::Ready(received) = futures_util::poll!(receive.as_mut()) {
                    done = Some(received?);
                    break;
                }
                checkpoint().await?;
            }
            drop(receive);
            if done.is_some() {
                assert_eq!(&buffer[..5], b"hello");
                return Ok(());
            }
        }
        panic!("what was sent is lost");
    })
    .unwrap();
}

#[test]
fn sock_06_an_accept_that_is_dropped_while_others_run_has_taken_nothing() {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        {
            let mut accept: Future_<'_> = Box::pin(async { drop(listener.accept().await) });
            assert!(begin(&mut accept).await);
        }
        let server = fail_after(5.0, async { Ok(listener.accept().await?) }).await?;
        client.send_all(b"x").await?;
        assert_eq!(server.receive_some(&mut [0; 2]).await?, 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn streams_that_are_carried_into_another_run_say_so() {
    let (a, b) = terzetto::run(async { Ok(UnixStream::pair()?) }).unwrap();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        terzetto::run(async { Ok(b.receive_some(&mut [0; 2]).await?) })
    }));
    let panic = outcome.unwrap_err();
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    assert!(text.contains("run"), "{text}");
    drop((a, b));
}
