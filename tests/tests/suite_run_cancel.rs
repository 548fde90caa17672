//! trio's `test_run`: where a cancellation arrives, and what becomes of it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use terzetto::{
    CancelScope, Cancelled, Error, ErrorGroup, checkpoint,
    lowlevel::{cancel_shielded_checkpoint, checkpoint_if_cancelled},
    nursery, sleep_forever,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::{OnDrop, run_mock};

type Block = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>>>>;

#[test]
fn trio_run_cancel_points() {
    let run_cancelled = |inside: fn(CancelScope) -> Block| {
        run_mock(async {
            let scope = CancelScope::new();
            scope.run(inside(scope.clone())).await.map(drop)
        })
        .unwrap();
    };
    run_cancelled(|scope| {
        Box::pin(async move {
            checkpoint_if_cancelled().await?;
            scope.cancel();
            assert!(checkpoint_if_cancelled().await.is_err());
            Ok(())
        })
    });
    run_cancelled(|scope| {
        Box::pin(async move {
            checkpoint().await?;
            scope.cancel();
            assert!(checkpoint().await.is_err());
            Ok(())
        })
    });
    run_cancelled(|scope| {
        Box::pin(async move {
            scope.cancel();
            assert!(sleep_forever().await.is_err());
            Ok(())
        })
    });
    run_cancelled(|scope| {
        Box::pin(async move {
            scope.cancel();
            cancel_shielded_checkpoint().await;
            cancel_shielded_checkpoint().await;
            assert!(checkpoint().await.is_err());
            Ok(())
        })
    });
}

#[test]
fn trio_run_cancel_edge_cases() {
    run_mock(async {
        // Twice in a row.
        let scope = CancelScope::new();
        scope.cancel();
        scope.cancel();
        scope.run(async { Ok(checkpoint().await?) }).await?;
        assert!(scope.cancel_called() && scope.cancelled_caught());
        // Level-triggered.
        let scope = CancelScope::new();
        let inside = async {
            scope.cancel();
            assert!(sleep_forever().await.is_err() && sleep_forever().await.is_err());
            Ok(())
        };
        scope.run(inside).await.map(drop)
    })
    .unwrap();
}

#[test]
fn trio_run_cancel_scope_exceptiongroup_filtering() {
    let error = run_mock(async {
        let outer = CancelScope::new();
        let inside = async {
            let block = nursery(async |n| {
                // Two that the nursery's own scope cancels.
                n.start_soon(async { Ok(sleep_forever().await?) });
                n.start_soon(async { Ok(sleep_forever().await?) });
                n.cancel_scope().cancel();
                let shield = CancelScope::new().shielded(true);
                shield.run(async { Ok(wait_all_tasks_blocked(0.0).await?) }).await?;
                // One that the outer scope cancels, and one that fails otherwise.
                n.start_soon(async { Ok(sleep_forever().await?) });
                outer.cancel();
                n.start_soon(async { Err(Error::msg("key")) });
                Ok(())
            });
            let error = block.await.unwrap_err();
            // The outer scope was cancelled before the block ended, so that the cancellations go on to it.
            let leaves: Vec<bool> = error.group().unwrap().leaves().map(Error::is_cancelled).collect();
            assert_eq!(leaves.iter().filter(|&&cancelled| cancelled).count(), 3, "{error}");
            assert_eq!(leaves.len(), 4);
            Err::<(), _>(error)
        };
        outer.run(inside).await
    })
    .unwrap_err();
    // Outside there is only the error, in its group.
    let single = error.into_group().unwrap().into_single().unwrap();
    assert_eq!(single.to_string(), "key");
}

#[test]
fn trio_run_cancel_inheritance() {
    let record = &RefCell::new(Vec::new());
    let leaf = |name: String| async move {
        let cancelled = sleep_forever().await.unwrap_err();
        record.borrow_mut().push(name);
        Err::<(), Error>(cancelled.into())
    };
    run_mock(nursery(async |n| {
        for worker in ["w1", "w2"] {
            n.start_soon(nursery(async move |inner| {
                inner.start_soon(leaf(format!("{worker}-l1")));
                inner.start_soon(leaf(format!("{worker}-l2")));
                Ok(())
            }));
        }
        n.cancel_scope().cancel();
        Ok(())
    }))
    .unwrap();
    let mut record = record.take();
    record.sort();
    assert_eq!(record, ["w1-l1", "w1-l2", "w2-l1", "w2-l2"]);
}

#[test]
fn trio_run_trivial_yields() {
    run_mock(async {
        assert_checkpoints(checkpoint()).await?;
        assert_checkpoints(async {
            checkpoint_if_cancelled().await?;
            cancel_shielded_checkpoint().await;
            Ok::<_, Cancelled>(())
        })
        .await?;
        // A nursery is a schedule point and no cancel point, be it empty, with a task, or failing.
        let cancelled = CancelScope::new();
        cancelled.cancel();
        let inside = async {
            nursery(async |_| Ok(())).await?;
            nursery(async |n| {
                n.start_soon(async { Ok(()) });
                Ok(())
            })
            .await?;
            let failed = nursery(async |_| Err::<(), _>(Error::msg("key"))).await.unwrap_err();
            assert_eq!(failed.into_group().unwrap().into_single().unwrap().to_string(), "key");
            Ok(())
        };
        cancelled.run(inside).await?;
        assert!(!cancelled.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_locals_destroyed_promptly_on_cancel() {
    let destroyed = Rc::new(Cell::new(false));
    run_mock(async {
        nursery(async |n| {
            let own = destroyed.clone();
            n.start_soon(async move {
                let _local = OnDrop(|| own.set(true));
                Ok(checkpoint().await?)
            });
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert!(destroyed.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_cancel_scope_no_cancellederror() {
    run_mock(async {
        let scope = CancelScope::new();
        let inside = async {
            scope.cancel();
            Err::<(), _>(ErrorGroup::new("test", vec![Error::msg("one"), Error::msg("two")]).into())
        };
        let error = scope.run(inside).await.unwrap_err();
        assert_eq!((error.group().unwrap().errors().len(), scope.cancelled_caught()), (2, false));
        Ok(())
    })
    .unwrap();
}
