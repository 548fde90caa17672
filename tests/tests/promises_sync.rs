//! Sentences of the documentation of the primitives in `sync` that promise something of every case.

use std::{panic::catch_unwind, rc::Rc};
use terzetto::{
    CancelScope, Error, channel, current_task, current_time,
    lowlevel::current_statistics,
    nursery, sleep,
    sync::{
        CapacityLimiter, Condition, ConditionError, Event, Lock, NotHeld, ParkingLot, Semaphore,
        with_producer,
    },
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::{begin, run_mock};

#[test]
fn park_03_reparking_to_the_same_lot_puts_tasks_behind_the_others() {
    run_mock(async {
        let lot = &ParkingLot::new();
        nursery(async |n| {
            for name in ["a", "b", "c"] {
                n.start_soon_named(name, async { Ok(lot.park().await?) });
                wait_all_tasks_blocked(0.0).await?;
            }
            lot.repark(lot, 1);
            assert_eq!(current_statistics().tasks_runnable, 0, "none is woken");
            let names: Vec<String> = lot.unpark_all().iter().map(|task| task.name().to_owned()).collect();
            assert_eq!(names, ["b", "c", "a"]);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sync_05_a_wait_cancelled_in_the_tick_of_its_turn_has_acquired_nothing() {
    run_mock(async {
        let (lock, semaphore, limiter) = (&Lock::new(), &Semaphore::new(0), &CapacityLimiter::new(0));
        let scope = &CancelScope::new();
        let held = lock.acquire().await?;
        nursery(async |n| {
            n.start_soon(async move {
                let work = nursery(async |n| {
                    n.start_soon(async { lock.acquire().await.map(drop).map_err(Error::from) });
                    n.start_soon(async { semaphore.acquire().await.map(drop).map_err(Error::from) });
                    n.start_soon(async { limiter.acquire().await.map(drop).map_err(Error::from) });
                    Ok(())
                });
                scope.run(work).await.map(drop)
            });
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!((lock.tasks_waiting(), semaphore.tasks_waiting(), limiter.tasks_waiting()), (1, 1, 1));
            // First the cancellation, then their turn, and nobody has run in between.
            scope.cancel();
            drop(held);
            semaphore.release()?;
            limiter.set_total_tokens(1);
            assert_eq!((lock.is_locked(), semaphore.value(), limiter.borrowed_tokens()), (false, 1, 0));
            Ok(())
        })
        .await?;
        assert!(scope.cancelled_caught());
        assert_eq!((lock.is_locked(), semaphore.value(), limiter.borrowed_tokens()), (false, 1, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_10_a_cancelled_wait_holds_the_lock_again_though_more_is_cancelled_meanwhile() {
    run_mock(async {
        let condition = &Condition::new();
        nursery(async |n| {
            n.start_soon(async {
                sleep(0.5).await?;
                let _held = condition.acquire().await?;
                CancelScope::new().shielded(true).run(async { Ok(sleep(9.5).await?) }).await?;
                Ok(())
            });
            let (outer, inner) = (CancelScope::with_timeout(2.0), CancelScope::with_timeout(1.0));
            outer
                .run(async {
                    let wait = async {
                        let mut held = condition.acquire().await?;
                        let waited = condition.wait(&mut held).await;
                        assert!(matches!(waited, Err(ConditionError::Cancelled(_))));
                        assert_eq!(current_time(), 10.0);
                        assert_eq!(condition.lock().owner(), Some(current_task()));
                        Ok(waited?)
                    };
                    inner.run(wait).await
                })
                .await?;
            assert!(outer.cancelled_caught());
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sync_10_the_guard_of_a_wait_that_is_dropped_guards_nothing() {
    run_mock(async {
        let condition = Condition::new();
        let mut held = condition.acquire().await?;
        {
            let mut wait = Box::pin(condition.wait(&mut held));
            begin(&mut wait).await;
        }
        assert!(!condition.lock().is_locked());
        let again = condition.acquire().await?;
        drop(held);
        assert!(condition.lock().is_locked(), "the old guard has released nothing");
        drop(again);
        assert_eq!(condition.notify(1), Err(NotHeld::Lock));
        Ok(())
    })
    .unwrap();
}

/// Does not compile if a type is `Send`: then there are two answers.
trait NotSend<Answer> {
    fn holds() {}
}
impl<T: ?Sized> NotSend<()> for T {}
impl<T: ?Sized + Send> NotSend<u8> for T {}

#[test]
fn sync_no_primitive_leaves_the_runs_thread() {
    <Event as NotSend<_>>::holds();
    <Lock as NotSend<_>>::holds();
    <Semaphore as NotSend<_>>::holds();
    <CapacityLimiter as NotSend<_>>::holds();
    <Condition as NotSend<_>>::holds();
    <ParkingLot as NotSend<_>>::holds();
    <terzetto::Sender<u8> as NotSend<_>>::holds();
    <terzetto::Receiver<u8> as NotSend<_>>::holds();
}

#[test]
fn chan_06_whatever_comes_after_closing_fails_and_closing_twice_is_fine() {
    /// The value of a failed send need be neither `Send` nor an error.
    async fn send(sender: &terzetto::Sender<Rc<u8>>) -> Result<(), Error> {
        Ok(sender.send(Rc::new(1)).await?)
    }
    run_mock(async {
        let (sender, receiver) = channel(1);
        send(&sender).await?;
        for _ in 0..2 {
            sender.close();
            assert!(send(&sender).await.is_err());
        }
        // What was sent before is not lost.
        assert_eq!(receiver.receive().await?, Rc::new(1));
        for _ in 0..2 {
            receiver.close();
            assert!(receiver.receive().await.is_err());
        }
        with_producer(
            async |values| Ok(values.send(1).await?),
            async |values| {
                for _ in 0..2 {
                    values.close();
                    assert!(values.receive().await.is_err());
                }
                Ok(())
            },
        )
        .await
    })
    .unwrap();
}

#[test]
fn sync_06_of_a_semaphore_with_a_maximum_never_more_are_free() {
    assert!(catch_unwind(|| Semaphore::with_max(3, 2)).is_err());
    run_mock(async {
        let semaphore = Semaphore::with_max(2, 2);
        let permit = semaphore.acquire().await?;
        semaphore.release()?;
        assert_eq!(semaphore.value(), 2);
        // A permit that is given back twice is not counted.
        drop(permit);
        assert_eq!((semaphore.value(), semaphore.release()), (2, Err(NotHeld::AboveMaximum)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_10_a_wait_whose_lock_is_broken_meanwhile_says_so_and_holds_nothing() {
    run_mock(async {
        let condition = &Condition::new();
        nursery(async |n| {
            n.start_soon_named("forgets", async {
                sleep(0.5).await?;
                condition.acquire().await?.forget();
                Ok(sleep(1.5).await?)
            });
            let scope = CancelScope::with_timeout(1.0);
            let ended = scope.run(async {
                let mut held = condition.acquire().await?;
                let waited = condition.wait(&mut held).await;
                assert_eq!(current_time(), 2.0);
                assert!(matches!(&waited, Err(ConditionError::Broken(by)) if by.task() == "forgets"));
                assert_ne!(condition.lock().owner(), Some(current_task()));
                Ok(waited?)
            });
            assert!(ended.await.unwrap_err().to_string().contains("forgets"));
            Ok(())
        })
        .await
    })
    .unwrap();
}
