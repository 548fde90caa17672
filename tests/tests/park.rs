//! PARK: parking lots; SCHED-04 to SCHED-10: waits of users' own.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use terzetto::{
    CancelScope, Cancelled, Error, InternalError, checkpoint, current_task, current_time,
    lowlevel::{Aborted, NotBlocked, Rescheduler, wait_task_rescheduled},
    nursery, sleep, sleep_forever,
    sync::{ParkError, ParkingLot},
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::run_mock;

#[test]
fn park_01_unpark_wakes_the_first_in_order() {
    let woken = &RefCell::new(Vec::new());
    run_mock(async {
        let lot = &ParkingLot::new();
        nursery(async |n| {
            for name in ["a", "b", "c", "d"] {
                n.start_soon_named(name, async move {
                    lot.park().await?;
                    woken.borrow_mut().push(name);
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
            }
            let two = lot.unpark(2);
            assert_eq!(two.iter().map(|task| task.name().to_owned()).collect::<Vec<_>>(), ["a", "b"]);
            wait_all_tasks_blocked(0.0).await?;
            woken.borrow_mut().sort_unstable();
            assert_eq!(*woken.borrow(), ["a", "b"]);
            assert_eq!(lot.unpark_all().len(), 2);
            assert!(lot.is_empty() && lot.unpark(1).is_empty());
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(woken.borrow().len(), 4);
}

#[test]
fn park_02_a_cancelled_task_leaves_and_the_others_keep_their_order() {
    run_mock(async {
        let (lot, scope) = (&ParkingLot::new(), &CancelScope::new());
        nursery(async |n| {
            for name in ["a", "b", "c"] {
                n.start_soon_named(name, async move {
                    match name {
                        "b" => drop(scope.run(async { Ok(lot.park().await?) }).await?),
                        _ => lot.park().await?,
                    }
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
            }
            scope.cancel();
            assert_eq!(lot.len(), 2);
            let names: Vec<String> = lot.unpark_all().iter().map(|task| task.name().to_owned()).collect();
            assert_eq!(names, ["a", "c"]);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn park_03_repark_moves_waiters_in_order() {
    run_mock(async {
        let (from, to) = (&ParkingLot::new(), &ParkingLot::new());
        let scope = &CancelScope::new();
        nursery(async |n| {
            n.start_soon_named("a", async move {
                scope.run(async { Ok(from.park().await?) }).await?;
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            for name in ["b", "c"] {
                n.start_soon_named(name, async move { Ok(from.park().await?) });
                wait_all_tasks_blocked(0.0).await?;
            }
            from.repark(to, 2);
            assert_eq!((from.len(), to.len()), (1, 2));
            to.repark(to, 1);
            from.repark_all(to);
            assert_eq!((from.len(), to.len()), (0, 3));
            // A moved task is taken out of where it stands now.
            scope.cancel();
            assert_eq!(to.len(), 2);
            let names: Vec<String> = to.unpark_all().iter().map(|task| task.name().to_owned()).collect();
            assert_eq!(names, ["b", "c"]);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn park_04_a_broken_lot_fails_its_waiters_and_all_later_ones() {
    run_mock(async {
        let lot = &ParkingLot::new();
        nursery(async |n| {
            n.start_soon_named("breaker", async move {
                lot.add_breaker(&current_task()).unwrap();
                sleep(1.0).await?;
                Ok(())
            });
            let broken = |outcome| matches!(outcome, Err(ParkError::Broken(by)) if by.task() == "breaker");
            assert!(broken(lot.park().await));
            assert_eq!(current_time(), 1.0);
            assert!(broken(lot.park().await));
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn park_01_waits_of_a_run_that_is_over_are_passed_over() {
    let lot = ParkingLot::new();
    let mut old = Box::pin(lot.park());
    run_mock(async {
        assert!(futures_util::poll!(&mut old).is_pending());
        Ok(())
    })
    .unwrap();
    run_mock(nursery(async |n| {
        n.start_soon_named("new", async { Ok(lot.park().await?) });
        wait_all_tasks_blocked(0.0).await?;
        let woken = lot.unpark(1);
        assert_eq!(woken.iter().map(ToString::to_string).collect::<Vec<_>>(), ["new"]);
        Ok(())
    }))
    .unwrap();
}

#[test]
fn park_04_a_lot_broken_by_hand_says_so() {
    run_mock(async {
        let lot = ParkingLot::new();
        lot.break_lot(&current_task());
        assert_eq!(lot.park().await.unwrap_err().to_string(), "broken on behalf of task main");
        let ends = ParkingLot::new();
        nursery(async |n| {
            n.start_soon_named("breaker", async { Ok(ends.add_breaker(&current_task())?) });
            Ok(())
        })
        .await?;
        let text = ends.park().await.unwrap_err().to_string();
        assert_eq!(text, "broken by task breaker, which ended and had others waiting for it");
        Ok(())
    })
    .unwrap();
}

#[test]
fn park_05_a_task_that_has_ended_breaks_nothing() {
    run_mock(async {
        let lot = &ParkingLot::new();
        nursery(async |n| {
            let gone = n.start_soon_named("gone", async { Ok(()) });
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(lot.add_breaker(&gone).unwrap_err().task(), "gone");
            assert!(lot.remove_breaker(&current_task()).is_err());
            lot.add_breaker(&current_task()).unwrap();
            assert!(lot.remove_breaker(&current_task()).is_ok());
            n.start_soon(async { Ok(lot.park().await?) });
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(lot.unpark_all().len(), 1);
            Ok(())
        })
        .await
    })
    .unwrap();
}

type Slot = RefCell<Option<Rescheduler<u32>>>;

#[test]
fn sched_04_a_wait_returns_what_it_is_rescheduled_with() {
    run_mock(async {
        let slot: &Slot = &RefCell::default();
        for outcome in [Ok(3), Err("no")] {
            nursery(async |n| {
                n.start_soon(async move {
                    sleep(1.0).await?;
                    slot.take().unwrap().reschedule(outcome.map_err(Error::msg))?;
                    Ok(())
                });
                let waited =
                    wait_task_rescheduled(|waiter| *slot.borrow_mut() = Some(waiter), |_| Aborted::Succeeded);
                assert_eq!(waited.await.map_err(|error| error.to_string()), outcome.map_err(str::to_owned));
                Ok(())
            })
            .await?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn sched_05_06_abort_is_called_once_and_may_refuse() {
    run_mock(async {
        let slot: &Slot = &RefCell::default();
        let handed: &Rc<RefCell<Vec<Cancelled>>> = &Rc::default();
        let scope = &CancelScope::new();
        nursery(async |n| {
            n.start_soon(async move {
                scope
                    .run(async {
                        let own = handed.clone();
                        let abort = move |cancelled: &Cancelled| {
                            own.borrow_mut().push(cancelled.clone());
                            Aborted::Failed
                        };
                        let value =
                            wait_task_rescheduled(|waiter| *slot.borrow_mut() = Some(waiter), abort).await?;
                        assert_eq!((value, current_time()), (9, 2.0));
                        // It may raise what it was handed.
                        let cancelled = handed.borrow()[0].clone();
                        Err::<(), Error>(cancelled.into())
                    })
                    .await?;
                assert!(scope.cancelled_caught());
                Ok(())
            });
            sleep(1.0).await?;
            scope.cancel_with_reason("enough");
            scope.set_shield(true);
            scope.set_shield(false);
            sleep(1.0).await?;
            assert_eq!(handed.borrow().len(), 1);
            assert_eq!(handed.borrow()[0].reason().text(), Some("enough"));
            slot.take().unwrap().reschedule(Ok(9))?;
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sched_07_08_rescheduling_twice_is_refused_and_abort_comes_too_late() {
    run_mock(async {
        let slot: &Slot = &RefCell::default();
        let aborted = &Rc::new(Cell::new(false));
        let scope = &CancelScope::new();
        nursery(async |n| {
            n.start_soon(async move {
                let own = aborted.clone();
                let value = scope
                    .run(wait_task_rescheduled(
                        |waiter| *slot.borrow_mut() = Some(waiter),
                        move |_| {
                            own.set(true);
                            Aborted::Succeeded
                        },
                    ))
                    .await?;
                assert_eq!(value, Some(1));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            let waiter = slot.take().unwrap();
            waiter.reschedule(Ok(1))?;
            scope.cancel();
            assert_eq!(waiter.reschedule(Ok(2)), Err(NotBlocked));
            checkpoint().await?;
            checkpoint().await?;
            assert!(!aborted.get());
            assert_eq!(waiter.clone().reschedule(Ok(3)), Err(NotBlocked));
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sched_10_a_panic_in_an_abort_function_ends_the_run_as_an_internal_error() {
    let error = run_mock(async {
        let scope = CancelScope::new();
        nursery(async |n| {
            let own = scope.clone();
            n.start_soon(async move {
                own.run(wait_task_rescheduled::<()>(|_| (), |_| panic!("cannot abort"))).await?;
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            scope.cancel();
            sleep_forever().await?;
            Ok(())
        })
        .await
    })
    .unwrap_err();
    let internal = error.downcast_ref::<InternalError>().expect("an internal error");
    assert_eq!(internal.cause().unwrap().to_string(), "cannot abort");
}
