//! trio's `test_parking_lot`.

use std::{cell::RefCell, rc::Rc};
use terzetto::{
    CancelScope, Error, Task, TaskStatus, current_task, nursery, sleep_forever,
    sync::{NotABreaker, ParkError, ParkingLot},
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::{Trace, run_mock};

/// Parks, and says what becomes of that.
async fn waiter(name: u32, lot: &ParkingLot, scope: &CancelScope, trace: &Trace) -> Result<(), Error> {
    let inside = async {
        trace.note(format!("sleep-{name}"));
        let parked = lot.park().await;
        trace.note(format!("{}-{name}", if parked.is_ok() { "wake" } else { "cancelled" }));
        Ok(parked?)
    };
    scope.run(inside).await.map(drop)
}

/// The lines from the one of this number on.
fn since(trace: &Trace, first: usize) -> Vec<String> {
    trace.text().split(' ').skip(first).map(str::to_owned).collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[test]
fn trio_parking_lot_basic() {
    let (lot, trace, scopes) = (&ParkingLot::new(), &Trace::default(), &scopes::<9>());
    run_mock(async {
        nursery(async |n| {
            assert!(lot.is_empty());
            for i in 0..3 {
                n.start_soon(waiter(i, lot, &scopes[i as usize], trace));
            }
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(since(trace, 0).len(), 3);
            assert!(!lot.is_empty() && lot.len() == 3);
            lot.unpark_all();
            assert!(lot.is_empty());
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(sorted(since(trace, 3)), ["wake-0", "wake-1", "wake-2"]);
            Ok(())
        })
        .await?;
        // One by one: in the order in which they came.
        nursery(async |n| {
            for i in 3..6 {
                n.start_soon(waiter(i, lot, &scopes[i as usize], trace));
                wait_all_tasks_blocked(0.0).await?;
            }
            for _ in 0..3 {
                lot.unpark(1);
                wait_all_tasks_blocked(0.0).await?;
            }
            assert_eq!(since(trace, 6), ["sleep-3", "sleep-4", "sleep-5", "wake-3", "wake-4", "wake-5"]);
            Ok(())
        })
        .await?;
        // With nobody there it does nothing.
        assert!(lot.unpark(1).is_empty() && lot.unpark(100).is_empty());
        nursery(async |n| {
            for i in 6..9 {
                n.start_soon(waiter(i, lot, &scopes[i as usize], trace));
                wait_all_tasks_blocked(0.0).await?;
            }
            lot.unpark(2);
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(sorted(since(trace, 15)), ["wake-6", "wake-7"]);
            lot.unpark_all();
            Ok(())
        })
        .await
    })
    .unwrap();
}

fn scopes<const N: usize>() -> [CancelScope; N] {
    std::array::from_fn(|_| CancelScope::new())
}

#[test]
fn trio_parking_lot_cancel() {
    let (lot, trace, scopes) = (&ParkingLot::new(), &Trace::default(), &scopes::<4>());
    run_mock(nursery(async |n| {
        for i in 1..=3 {
            n.start_soon(waiter(i, lot, &scopes[i as usize], trace));
            wait_all_tasks_blocked(0.0).await?;
        }
        scopes[2].cancel();
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!(since(trace, 3), ["cancelled-2"]);
        lot.unpark_all();
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!(sorted(since(trace, 4)), ["wake-1", "wake-3"]);
        Ok(())
    }))
    .unwrap();
}

#[test]
fn trio_parking_lot_repark() {
    let (one, two, trace) = (&ParkingLot::new(), &ParkingLot::new(), &Trace::default());
    let scopes = &scopes::<4>();
    run_mock(nursery(async |n| {
        for i in 1..=3 {
            n.start_soon(waiter(i, one, &scopes[i as usize], trace));
            wait_all_tasks_blocked(0.0).await?;
        }
        one.repark(two, 1);
        assert_eq!((one.len(), two.len()), (2, 1));
        two.unpark_all();
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!(since(trace, 3), ["wake-1"]);
        one.repark_all(two);
        assert_eq!((one.len(), two.len()), (0, 2));
        // Who was moved is found where it stands now.
        scopes[2].cancel();
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!((two.len(), since(trace, 4)), (1, vec!["cancelled-2".to_owned()]));
        two.unpark_all();
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!(since(trace, 5), ["wake-3"]);
        Ok(())
    }))
    .unwrap();
}

#[test]
fn trio_parking_lot_repark_with_count() {
    let (one, two, trace) = (&ParkingLot::new(), &ParkingLot::new(), &Trace::default());
    let scopes = &scopes::<4>();
    run_mock(nursery(async |n| {
        for i in 1..=3 {
            n.start_soon(waiter(i, one, &scopes[i as usize], trace));
            wait_all_tasks_blocked(0.0).await?;
        }
        one.repark(two, 2);
        assert_eq!((one.len(), two.len()), (1, 2));
        while !two.is_empty() {
            two.unpark(1);
            wait_all_tasks_blocked(0.0).await?;
        }
        assert_eq!(since(trace, 3), ["wake-1", "wake-2"]);
        one.unpark_all();
        Ok(())
    }))
    .unwrap();
}

/// Who has broken a lot, by what parking in it fails with.
async fn broken_by(lot: &ParkingLot) -> Option<String> {
    match lot.park().await {
        Err(ParkError::Broken(broken)) => Some(broken.task().to_owned()),
        _ => None,
    }
}

/// Hands out its task, and waits.
async fn dummy(status: TaskStatus<Task>) -> Result<(), Error> {
    status.started(current_task())?;
    Ok(sleep_forever().await?)
}

#[test]
fn trio_parking_lot_breaker_basic() {
    run_mock(async {
        let (lot, task) = (ParkingLot::new(), current_task());
        for _ in 0..2 {
            lot.break_lot(&task);
            assert_eq!(broken_by(&lot).await.as_deref(), Some("main"));
        }
        let text = lot.park().await.unwrap_err().to_string();
        assert_eq!(text, "broken on behalf of task main");
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_parking_lot_break_parking_tasks() {
    let (lot, scope) = (&ParkingLot::new(), &CancelScope::new());
    let error = run_mock(nursery(async |n| {
        n.start_soon_named("bad parker", async {
            lot.add_breaker(&current_task())?;
            scope.run(async { Ok(sleep_forever().await?) }).await.map(drop)
        });
        wait_all_tasks_blocked(0.0).await?;
        n.start_soon(async { Ok(lot.park().await?) });
        wait_all_tasks_blocked(0.0).await?;
        scope.cancel();
        Ok(())
    }));
    let single = error.unwrap_err().into_group().unwrap().into_single().unwrap();
    let broken = single.downcast_ref::<ParkError>().unwrap();
    assert!(matches!(broken, ParkError::Broken(by) if by.task() == "bad parker"), "{broken}");
}

#[test]
fn trio_parking_lot_breaker_registration() {
    run_mock(async {
        let (lot, task) = (ParkingLot::new(), current_task());
        assert_eq!(lot.remove_breaker(&task), Err(NotABreaker));
        // Twice, and taken back twice.
        lot.add_breaker(&task)?;
        lot.add_breaker(&task)?;
        assert_eq!([(); 3].map(|()| lot.remove_breaker(&task)), [Ok(()), Ok(()), Err(NotABreaker)]);
        // Also with a lot that is broken.
        lot.break_lot(&task);
        let child = Rc::new(RefCell::new(None));
        nursery(async |n| {
            let task = n.start_named("child", dummy).await?;
            lot.add_breaker(&task)?;
            *child.borrow_mut() = Some(task);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        // It names whom it was broken by first.
        assert_eq!(broken_by(&lot).await.as_deref(), Some("main"));
        // By hand, in the name of a task that has ended.
        let lot = ParkingLot::new();
        lot.break_lot(&child.take().unwrap());
        assert_eq!(broken_by(&lot).await.as_deref(), Some("child"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_parking_lot_breaker_rebreak() {
    run_mock(async {
        let lot = ParkingLot::new();
        lot.break_lot(&current_task());
        nursery(async |n| {
            let child = n.start(dummy).await?;
            lot.break_lot(&child);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert_eq!(broken_by(&lot).await.as_deref(), Some("main"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_parking_lot_multiple_breakers_exit() {
    run_mock(async {
        let lot = ParkingLot::new();
        nursery(async |n| {
            for _ in 0..3 {
                lot.add_breaker(&n.start_named("breaker", dummy).await?)?;
            }
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert_eq!(broken_by(&lot).await.as_deref(), Some("breaker"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_parking_lot_breaker_register_exited_task() {
    run_mock(async {
        let (lot, child) = (ParkingLot::new(), Rc::new(RefCell::new(None)));
        nursery(async |n| {
            *child.borrow_mut() = Some(n.start_named("child", dummy).await?);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        let refused = lot.add_breaker(&child.take().unwrap()).unwrap_err();
        assert_eq!(refused.task(), "child");
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_parking_lot_break_itself() {
    let lot = &ParkingLot::new();
    let error = run_mock(nursery(async |n| {
        let child = n
            .start_named("parked", async move |status| {
                status.started(current_task())?;
                Ok(lot.park().await?)
            })
            .await?;
        lot.break_lot(&child);
        Ok(())
    }));
    let single = error.unwrap_err().into_group().unwrap().into_single().unwrap();
    assert!(matches!(single.downcast_ref(), Some(ParkError::Broken(_))));
}
