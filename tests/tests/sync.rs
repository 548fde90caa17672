//! SYNC: events, limiters, semaphores, locks, conditions.

use std::cell::{Cell, RefCell};
use terzetto::{
    CancelScope, Error, checkpoint, current_task, current_time, move_on_after, nursery, sleep,
    sync::{
        AcquireError, Borrower, CapacityLimiter, Condition, ConditionError, Event, Lock, NotHeld, Semaphore,
    },
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::{Trace, run_mock};

#[test]
fn sync_01_an_event_wakes_all_and_stays_set() {
    run_mock(async {
        let event = Event::new();
        nursery(async |n| {
            for _ in 0..3 {
                n.start_soon(async { Ok(event.wait().await?) });
            }
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(event.tasks_waiting(), 3);
            event.set();
            assert_eq!(event.tasks_waiting(), 0);
            Ok(())
        })
        .await?;
        assert!(event.is_set());
        assert_checkpoints(event.wait()).await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_02_a_borrower_has_one_token_and_only_a_borrower_gives_back() {
    run_mock(async {
        let limiter = CapacityLimiter::new(2);
        let loan = limiter.acquire().await?;
        assert!(matches!(limiter.acquire().await, Err(AcquireError::AlreadyBorrowed)));
        assert!(matches!(limiter.acquire_nowait(), Err(AcquireError::AlreadyBorrowed)));
        drop(loan);
        assert_eq!(limiter.release(), Err(NotHeld::Token));
        limiter.acquire_nowait()?.forget();
        assert_eq!(limiter.borrowed_tokens(), 1);
        limiter.release()?;
        assert_eq!(limiter.borrowed_tokens(), 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_03_a_limiter_lends_on_behalf_of_any_key() {
    run_mock(async {
        let limiter = CapacityLimiter::new(3);
        let one = limiter.acquire_on_behalf_of(Borrower::new("one")).await?;
        let two = limiter.acquire_on_behalf_of_nowait(Borrower::new(2_u8))?;
        assert!(matches!(
            limiter.acquire_on_behalf_of(Borrower::new("one")).await,
            Err(AcquireError::AlreadyBorrowed)
        ));
        // Of another type it is another key.
        drop(limiter.acquire_on_behalf_of_nowait(Borrower::new(2_u16))?);
        drop(one);
        let again = limiter.acquire_on_behalf_of_nowait(Borrower::new("one"))?;
        assert_eq!(limiter.borrowed_tokens(), 2);
        drop((again, two));
        assert_eq!(limiter.release_on_behalf_of(&Borrower::new("one")), Err(NotHeld::Token));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_04_the_total_may_be_raised_and_lowered() {
    let trace = &Trace::default();
    run_mock(async {
        let limiter = &CapacityLimiter::new(0);
        nursery(async |n| {
            for i in 0..4 {
                n.start_soon(async move {
                    let _loan = limiter.acquire().await?;
                    trace.note(i.to_string());
                    sleep(1.0).await?;
                    Ok(())
                });
                // In order, whatever the order of a batch is.
                wait_all_tasks_blocked(0.0).await?;
            }
            assert_eq!((limiter.available_tokens(), limiter.tasks_waiting()), (0, 4));
            limiter.set_total_tokens(3);
            assert_eq!((limiter.borrowed_tokens(), limiter.tasks_waiting()), (3, 1));
            limiter.set_total_tokens(1);
            assert_eq!(limiter.available_tokens(), -2);
            Ok(())
        })
        .await?;
        // The fourth had to wait until all three were back.
        assert_eq!(current_time(), 2.0);
        limiter.set_total_tokens(CapacityLimiter::UNLIMITED);
        drop(limiter.acquire_nowait()?);
        Ok(())
    })
    .unwrap();
    let mut first: Vec<String> = trace.text().split(' ').map(str::to_owned).collect();
    assert_eq!(first.pop().as_deref(), Some("3"));
    first.sort();
    assert_eq!(first, ["0", "1", "2"]);
}

#[test]
fn sync_05_cancelled_waiters_leave_no_trace() {
    run_mock(async {
        let limiter = CapacityLimiter::new(1);
        let loan = limiter.acquire_on_behalf_of(Borrower::new(1)).await?;
        let waited = move_on_after(1.0, async {
            limiter.acquire().await?.forget();
            Ok(())
        });
        assert!(waited.await?.is_none());
        assert_eq!((limiter.borrowed_tokens(), limiter.tasks_waiting()), (1, 0));
        assert_eq!(limiter.borrowers()[0].key::<i32>(), Some(&1));
        drop(loan);
        assert_eq!((limiter.borrowed_tokens(), limiter.available_tokens()), (0, 1));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_05_a_token_handed_to_a_dropped_wait_is_given_back() {
    run_mock(async {
        let limiter = CapacityLimiter::new(1);
        let loan = limiter.acquire_on_behalf_of(Borrower::new(1)).await?;
        let mut wait = Box::pin(limiter.acquire());
        assert!(futures_util::poll!(wait.as_mut()).is_pending());
        drop(loan);
        assert_eq!(limiter.borrowers()[0].key(), Some(&current_task()));
        drop(wait);
        assert_eq!(limiter.borrowed_tokens(), 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_06_a_semaphore_has_a_value_and_maybe_a_maximum() {
    run_mock(async {
        let semaphore = Semaphore::with_max(1, 1);
        assert_eq!(semaphore.release(), Err(NotHeld::AboveMaximum));
        let permit = assert_checkpoints(semaphore.acquire()).await?;
        assert!(matches!(semaphore.acquire_nowait(), Err(AcquireError::WouldBlock)));
        drop(permit);
        assert_eq!((semaphore.value(), semaphore.max_value()), (1, Some(1)));
        let unbounded = Semaphore::new(0);
        unbounded.release()?;
        unbounded.release()?;
        assert_eq!(unbounded.value(), 2);
        let full = Semaphore::new(usize::MAX);
        assert_eq!(full.release(), Err(NotHeld::AboveMaximum));
        assert_eq!(full.value(), usize::MAX);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_06_a_semaphore_serves_in_order() {
    let order = &RefCell::new(Vec::new());
    run_mock(async {
        let semaphore = &Semaphore::new(0);
        nursery(async |n| {
            for i in 0..4 {
                n.start_soon(async move {
                    semaphore.acquire().await?.forget();
                    order.borrow_mut().push(i);
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
            }
            for i in 1..=4 {
                semaphore.release()?;
                wait_all_tasks_blocked(0.0).await?;
                assert_eq!(order.borrow().len(), i);
            }
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(*order.borrow(), [0, 1, 2, 3]);
}

#[test]
fn sync_07_a_lock_belongs_to_a_task() {
    run_mock(async {
        let lock = &Lock::new();
        let held = assert_checkpoints(lock.acquire()).await?;
        assert!(matches!(lock.acquire().await, Err(AcquireError::AlreadyHeld)));
        assert_eq!(lock.owner(), Some(current_task()));
        nursery(async |n| {
            n.start_soon(async move {
                assert!(matches!(lock.acquire_nowait(), Err(AcquireError::WouldBlock)));
                assert_eq!(lock.release(), Err(NotHeld::Lock));
                Ok(())
            });
            Ok(())
        })
        .await?;
        held.forget();
        assert!(lock.is_locked());
        lock.release()?;
        assert!(!lock.is_locked());
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_07_a_released_lock_goes_to_the_first_waiter_and_no_newcomer() {
    let order = &RefCell::new(Vec::new());
    run_mock(async {
        let lock = &Lock::new();
        nursery(async |n| {
            let held = lock.acquire().await?;
            for i in 0..3 {
                n.start_soon(async move {
                    let _held = lock.acquire().await?;
                    order.borrow_mut().push(i);
                    checkpoint().await?;
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
            }
            drop(held);
            // Handed over already, though the new owner has not run.
            assert!(matches!(lock.acquire_nowait(), Err(AcquireError::WouldBlock)));
            let _last = lock.acquire().await?;
            assert_eq!(*order.borrow(), [0, 1, 2]);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sync_08_waiters_of_a_lock_whose_owner_has_ended_fail() {
    run_mock(async {
        let lock = &Lock::new();
        nursery(async |n| {
            n.start_soon_named("careless", async move {
                lock.acquire().await?.forget();
                sleep(1.0).await?;
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            let error = lock.acquire().await.unwrap_err();
            assert!(matches!(&error, AcquireError::Broken(broken) if broken.task() == "careless"), "{error}");
            assert_eq!(current_time(), 1.0);
            Ok(())
        })
        .await?;
        // A guard that is dropped with its task's future releases instead.
        nursery(async |n| {
            let lock = &Lock::new();
            let other = lock.clone();
            n.start_soon(async move {
                let _held = other.acquire().await?;
                sleep(1.0).await?;
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            drop(lock.acquire().await?);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sync_09_order_is_kept_among_cancellations() {
    let order = &RefCell::new(Vec::new());
    run_mock(async {
        let lock = &Lock::new();
        let scopes: &Vec<CancelScope> = &(0..6).map(|_| CancelScope::new()).collect();
        nursery(async |n| {
            let held = lock.acquire().await?;
            for (i, scope) in scopes.iter().enumerate() {
                n.start_soon(async move {
                    scope
                        .run(async {
                            let _held = lock.acquire().await?;
                            order.borrow_mut().push(i);
                            Ok(())
                        })
                        .await?;
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
            }
            scopes[0].cancel();
            scopes[3].cancel();
            drop(held);
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(*order.borrow(), [1, 2, 4, 5]);
}

#[test]
fn sync_10_a_condition_needs_its_lock_and_holds_it_again() {
    let woken = &Cell::new(0);
    run_mock(async {
        let condition = &Condition::new();
        assert_eq!(condition.notify(1), Err(NotHeld::Lock));
        nursery(async |n| {
            for _ in 0..4 {
                n.start_soon(async move {
                    let mut held = condition.acquire().await?;
                    condition.wait(&mut held).await?;
                    assert_eq!(condition.lock().owner(), Some(current_task()));
                    woken.set(woken.get() + 1);
                    Ok(())
                });
            }
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(condition.tasks_waiting(), 4);
            let held = condition.acquire().await?;
            condition.notify(1)?;
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(woken.get(), 0, "the lock is not free");
            drop(held);
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(woken.get(), 1);
            let held = condition.acquire().await?;
            condition.notify_all()?;
            drop(held);
            Ok(())
        })
        .await?;
        assert_eq!((woken.get(), condition.lock().is_locked()), (4, false));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_10_a_cancelled_wait_holds_the_lock_again() {
    run_mock(async {
        let condition = &Condition::new();
        nursery(async |n| {
            n.start_soon(async move {
                sleep(0.5).await?;
                let _held = condition.acquire().await?;
                let slow = CancelScope::new().shielded(true);
                slow.run(async { Ok(sleep(2.0).await?) }).await?;
                Ok(())
            });
            let scope = CancelScope::with_timeout(1.0);
            scope
                .run(async {
                    let mut held = condition.acquire().await?;
                    let error = condition.wait(&mut held).await.unwrap_err();
                    assert!(matches!(error, ConditionError::Cancelled(_)));
                    // It had to wait for the lock, under a shield.
                    assert_eq!(current_time(), 2.5);
                    assert_eq!(condition.lock().owner(), Some(current_task()));
                    Err::<(), Error>(error.into())
                })
                .await?;
            assert!(scope.cancelled_caught());
            assert!(!condition.lock().is_locked());
            Ok(())
        })
        .await
    })
    .unwrap();
}
