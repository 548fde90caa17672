//! SYNC: fairness, hand-overs, and who waits for itself.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use terzetto::{
    Builder, CancelScope,
    lowlevel::cancel_shielded_checkpoint,
    move_on_after, nursery,
    sync::{Borrower, CapacityLimiter, Condition, ConditionError, Lock},
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::{OnScheduled, run_mock};

#[test]
fn sync_11_primitives_exclude_and_are_fair_over_a_thousand_rounds() {
    run_mock(async {
        let (lock, inside) = (&Lock::new(), &Cell::new(false));
        let rounds: &[Cell<u32>; 2] = &[Cell::new(0), Cell::new(0)];
        nursery(async |n| {
            for me in 0..2_usize {
                n.start_soon(async move {
                    while rounds[me].get() < 1000 {
                        let held = match lock.acquire_nowait() {
                            Ok(held) => held,
                            Err(_) => lock.acquire().await?,
                        };
                        assert!(!inside.replace(true));
                        cancel_shielded_checkpoint().await;
                        inside.set(false);
                        drop(held);
                        cancel_shielded_checkpoint().await;
                        rounds[me].set(rounds[me].get() + 1);
                        assert!(rounds[0].get().abs_diff(rounds[1].get()) <= 2);
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sync_12_a_lock_passes_by_a_waiter_that_was_cancelled_in_the_same_tick() {
    run_mock(async {
        let lock = &Lock::new();
        let scope = &CancelScope::new();
        let got = &Rc::new(Cell::new(""));
        nursery(async |n| {
            let held = lock.acquire().await?;
            n.start_soon(async move {
                scope
                    .run(async {
                        let _held = lock.acquire().await?;
                        got.set("first");
                        Ok(())
                    })
                    .await?;
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            n.start_soon(async move {
                let _held = lock.acquire().await?;
                got.set("second");
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            scope.cancel();
            drop(held);
            Ok(())
        })
        .await?;
        assert_eq!(got.get(), "second");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_10_a_condition_takes_only_a_guard_of_its_locks_present_holding() {
    run_mock(async {
        let (condition, other) = (Condition::new(), Lock::new());
        let held = condition.acquire().await?;
        let mut wrong = other.acquire().await?;
        let waited = move_on_after(1.0, async { Ok(condition.wait(&mut wrong).await) }).await?;
        assert!(matches!(waited, Some(Err(ConditionError::NotHeld))));
        assert_eq!(condition.tasks_waiting(), 0);
        drop((held, wrong));
        assert!(!other.is_locked() && !condition.lock().is_locked(), "each is released with its guard");
        // A guard whose lock was released behind its back, and acquired again.
        let mut old = condition.acquire().await?;
        condition.lock().release()?;
        let held = condition.acquire().await?;
        let refused = condition.wait(&mut old).await.unwrap_err();
        assert_eq!(refused.to_string(), "the task does not hold the condition's lock by this guard");
        drop(held);
        assert!(!condition.lock().is_locked());
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_07_who_would_wait_for_itself_is_told_what_for() {
    run_mock(async {
        let lock = Lock::new();
        let acquire = || async { lock.acquire().await.map(drop) };
        let (first, second) = futures_util::join!(acquire(), acquire());
        first?;
        let text = second.unwrap_err().to_string();
        assert!(text.contains("the lock is held already by the same task"), "{text}");
        let limiter = CapacityLimiter::new(2);
        let _loan = limiter.acquire().await?;
        let text = limiter.acquire().await.unwrap_err().to_string();
        assert!(text.contains("the limiter's borrower has a token of it already"), "{text}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_04_two_waits_for_one_borrower_let_nobody_else_in() {
    let woken = &RefCell::new(String::new());
    run_mock(async {
        let limiter = &CapacityLimiter::new(1);
        limiter.acquire_on_behalf_of(Borrower::new("a")).await?.forget();
        nursery(async |n| {
            for key in ["b", "b", "c", "d"] {
                n.start_soon(async move {
                    limiter.acquire_on_behalf_of(Borrower::new(key)).await?.forget();
                    woken.borrow_mut().push_str(key);
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
            }
            limiter.set_total_tokens(3);
            assert_eq!((limiter.borrowed_tokens(), limiter.tasks_waiting()), (2, 2));
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(*woken.borrow(), "bb");
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sync_04_who_asks_from_inside_a_wake_gets_no_token_that_is_handed_over() {
    let hook = Rc::new(OnScheduled::default());
    let main = async {
        let limiter = CapacityLimiter::new(1);
        let loan = limiter.acquire_on_behalf_of(Borrower::new("a")).await?;
        nursery(async |n| {
            n.start_soon(async {
                limiter.acquire_on_behalf_of(Borrower::new("b")).await?.forget();
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            let other = limiter.clone();
            hook.ask(move || match other.acquire_on_behalf_of_nowait(Borrower::new("c")) {
                Ok(loan) => {
                    loan.forget();
                    "ok".to_owned()
                }
                Err(error) => error.to_string(),
            });
            drop(loan);
            assert_eq!(hook.answer().as_deref(), Some("it cannot be acquired without waiting"));
            assert_eq!(limiter.borrowed_tokens(), 1);
            Ok(())
        })
        .await
    };
    Builder::new().instrument(hook.clone()).run(main).unwrap();
}

#[test]
fn sync_07_who_asks_from_inside_a_wake_does_not_get_the_lock_that_is_handed_over() {
    let hook = Rc::new(OnScheduled::default());
    let main = async {
        let lock = Lock::new();
        let held = lock.acquire().await?;
        nursery(async |n| {
            let waiter = n.start_soon_named("waiter", async {
                lock.acquire().await?.forget();
                Ok(lock.release()?)
            });
            wait_all_tasks_blocked(0.0).await?;
            let other = lock.clone();
            hook.ask(move || match other.acquire_nowait() {
                Ok(guard) => {
                    guard.forget();
                    "ok".to_owned()
                }
                Err(_) => "refused".to_owned(),
            });
            drop(held);
            assert_eq!(hook.answer().as_deref(), Some("refused"));
            assert_eq!(lock.owner(), Some(waiter));
            Ok(())
        })
        .await
    };
    Builder::new().instrument(hook.clone()).run(main).unwrap();
}
