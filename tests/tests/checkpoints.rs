//! CKPT and TIME: what is a checkpoint, and time limits.

use std::cell::Cell;
use terzetto::{
    CancelScope, Error, TooSlow, channel, checkpoint, current_effective_deadline, current_time, fail_after,
    fail_at,
    lowlevel::{cancel_shielded_checkpoint, checkpoint_if_cancelled},
    move_on_after, move_on_at, nursery, sleep, sleep_forever, sleep_until,
    sync::{CapacityLimiter, Event, Lock, Semaphore},
    testing::{assert_checkpoints, assert_no_checkpoints},
    to_thread,
};
use terzetto_tests::run_mock;

/// Runs `inside` in a scope that is cancelled already; says whether it was cancelled there.
async fn cancelled_in<T>(inside: impl Future<Output = Result<T, Error>>) -> bool {
    let scope = CancelScope::new();
    scope.cancel();
    matches!(scope.run(inside).await, Ok(None))
}

#[test]
fn ckpt_01_every_operation_that_succeeds_is_a_checkpoint() {
    run_mock(async {
        let event = Event::new();
        event.set();
        assert_checkpoints(event.wait()).await?;
        drop(assert_checkpoints(Lock::new().acquire()).await?);
        drop(assert_checkpoints(Semaphore::new(1).acquire()).await?);
        drop(assert_checkpoints(CapacityLimiter::new(1).acquire()).await?);
        let (sender, receiver) = channel(1);
        assert_checkpoints(sender.send(1)).await?;
        assert_checkpoints(receiver.receive()).await?;
        assert_checkpoints(sleep(1.0)).await?;
        assert_checkpoints(to_thread::run_sync(|| ())).await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn ckpt_02_a_cancelled_operation_has_had_no_effect() {
    run_mock(async {
        let (sender, receiver) = channel(1);
        assert!(cancelled_in(async { Ok(sender.send(1).await?) }).await);
        assert_eq!(sender.statistics().current_buffer_used, 0);
        sender.send_nowait(2)?;
        assert!(cancelled_in(async { Ok(receiver.receive().await?) }).await);
        assert_eq!(receiver.receive_nowait()?, 2);
        let (lock, semaphore, limiter) = (Lock::new(), Semaphore::new(1), CapacityLimiter::new(1));
        assert!(cancelled_in(async { Ok(Some(lock.acquire().await?)) }).await);
        assert!(cancelled_in(async { Ok(Some(semaphore.acquire().await?)) }).await);
        assert!(cancelled_in(async { Ok(Some(limiter.acquire().await?)) }).await);
        assert_eq!((lock.is_locked(), semaphore.value(), limiter.borrowed_tokens()), (false, 1, 0));
        let ran = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let own = ran.clone();
        let job = to_thread::run_sync(move || own.store(true, std::sync::atomic::Ordering::SeqCst));
        assert!(cancelled_in(job).await);
        assert!(!ran.load(std::sync::atomic::Ordering::SeqCst));
        Ok(())
    })
    .unwrap();
}

#[test]
fn ckpt_04_checkpoint_if_cancelled_fails_or_does_not_yield() {
    run_mock(async {
        let other = Cell::new(false);
        nursery(async |n| {
            n.start_soon(async {
                other.set(true);
                Ok(())
            });
            for _ in 0..10 {
                checkpoint_if_cancelled().await?;
            }
            assert!(!other.get());
            Ok(())
        })
        .await?;
        assert!(cancelled_in(async { Ok(checkpoint_if_cancelled().await?) }).await);
        Ok(())
    })
    .unwrap();
}

#[test]
fn ckpt_05_a_shielded_checkpoint_yields_and_never_fails() {
    run_mock(async {
        let ticks = Cell::new(0);
        nursery(async |n| {
            n.start_soon(async {
                for _ in 0..4 {
                    ticks.set(ticks.get() + 1);
                    cancel_shielded_checkpoint().await;
                }
                Ok(())
            });
            let scope = CancelScope::new();
            scope.cancel();
            let ended = scope.run(async {
                for _ in 0..3 {
                    cancel_shielded_checkpoint().await;
                }
                Ok(())
            });
            assert!(ended.await?.is_some());
            assert!(ticks.get() >= 2);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn ckpt_06_a_sleep_of_no_length_is_a_checkpoint() {
    run_mock(async {
        assert_checkpoints(sleep(0.0)).await?;
        assert_checkpoints(sleep_until(current_time() - 1.0)).await?;
        assert!(cancelled_in(async { Ok(sleep(0.0).await?) }).await);
        Ok(())
    })
    .unwrap();
}

#[test]
fn ckpt_07_a_deadline_that_expires_while_tasks_only_yield_is_noticed() {
    // On the system's clock: time passes while the loop never sleeps.
    terzetto::run(async {
        let turns = Cell::new(0_u64);
        let busy = move_on_after(0.01, async {
            loop {
                checkpoint().await?;
                turns.set(turns.get() + 1);
            }
        });
        assert!(busy.await.map(|ended: Option<()>| ended.is_none())?);
        assert!(turns.get() > 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn ckpt_08_plain_functions_are_no_checkpoints() {
    run_mock(async {
        let (sender, receiver) = channel(1);
        let (lock, event) = (Lock::new(), Event::new());
        assert_no_checkpoints(async {
            sender.send_nowait(1)?;
            receiver.receive_nowait()?;
            drop(lock.acquire_nowait()?);
            event.set();
            Ok::<_, Error>(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn time_01_negative_and_nan_durations_are_refused() {
    for bad in [-1.0, f64::NAN] {
        let refused = std::panic::catch_unwind(|| run_mock(async move { Ok(sleep(bad).await?) }));
        assert!(refused.is_err(), "{bad}");
    }
    run_mock(async {
        let start = current_time();
        sleep(2.0).await?;
        sleep_until(start + 5.0).await?;
        assert_eq!(current_time(), start + 5.0);
        sleep(std::time::Duration::from_millis(500)).await?;
        assert_eq!(current_time(), start + 5.5);
        Ok(())
    })
    .unwrap();
}

#[test]
fn time_03_a_shielded_timeout_still_acts() {
    run_mock(async {
        let outer = CancelScope::new();
        outer.cancel();
        let done = outer.run(async {
            let inner = CancelScope::with_timeout(2.0).shielded(true);
            assert!(inner.run(async { Ok(sleep_forever().await?) }).await?.is_none());
            assert_eq!(current_time(), 2.0);
            Ok(())
        });
        assert!(done.await?.is_some());
        Ok(())
    })
    .unwrap();
}

#[test]
fn time_04_the_origin_of_time_differs_from_run_to_run() {
    let origin = || terzetto::run(async { Ok(current_time()) }).unwrap();
    let (first, second) = (origin(), origin());
    assert!((first - second).abs() > 1e-3, "{first} {second}");
    terzetto::run(async {
        let before = current_time();
        checkpoint().await?;
        assert!(current_time() >= before);
        Ok(())
    })
    .unwrap();
}

#[test]
fn time_05_a_timeout_counts_from_entry() {
    run_mock(async {
        let limited = move_on_after(2.0, async { Ok(sleep(1.5).await?) });
        sleep(10.0).await?;
        assert!(limited.await?.is_some());
        assert_eq!(current_time(), 11.5);
        assert!(move_on_at(12.0, async { Ok(sleep_forever().await?) }).await?.is_none());
        let error = fail_at(13.0, async { Ok(sleep_forever().await?) }).await.unwrap_err();
        assert!(error.downcast_ref::<TooSlow>().is_some());
        assert_eq!(fail_after(1.0, async { Ok(7) }).await?, 7);
        Ok(())
    })
    .unwrap();
}

#[test]
fn time_07_sleep_forever_ends_only_by_cancellation() {
    run_mock(async {
        assert!(move_on_after(1e9, async { Ok(sleep_forever().await?) }).await?.is_none());
        assert_eq!(current_time(), 1e9);
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_15_a_relative_deadline_counts_from_entry_and_then_from_now() {
    let refused = |look: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(look)).is_err();
    run_mock(async {
        let scope = CancelScope::with_timeout(5.0);
        assert_eq!((scope.is_relative(), CancelScope::new().is_relative()), (Some(true), Some(false)));
        assert_eq!(scope.relative_deadline(), 5.0);
        scope.set_relative_deadline(3.0);
        assert!(refused(&|| assert!(scope.deadline() > 0.0)) && refused(&|| scope.set_deadline(1.0)));
        sleep(1.0).await?;
        scope
            .run(async {
                assert_eq!((scope.deadline(), current_effective_deadline()), (4.0, 4.0));
                assert_eq!(scope.is_relative(), None);
                sleep(1.0).await?;
                assert_eq!(scope.relative_deadline(), 2.0);
                scope.set_relative_deadline(4.0);
                assert_eq!(scope.deadline(), 6.0);
                scope.set_relative_deadline(f64::INFINITY);
                assert_eq!(current_effective_deadline(), f64::INFINITY);
                scope.set_relative_deadline(1.0);
                assert!(refused(&|| scope.set_relative_deadline(-1.0)));
                Ok(sleep(60.0).await?)
            })
            .await?;
        assert!(scope.cancelled_caught());
        assert_eq!((current_time(), scope.relative_deadline()), (3.0, 0.0));
        sleep(1.0).await?;
        assert_eq!(scope.relative_deadline(), -1.0);
        // Before entry a scope has the one or the other.
        let absolute = CancelScope::with_deadline(3.0);
        assert!(refused(&|| assert!(absolute.relative_deadline() > 0.0)));
        assert!(refused(&|| absolute.set_relative_deadline(1.0)));
        assert_eq!(CancelScope::new().relative_deadline(), f64::INFINITY);
        Ok(())
    })
    .unwrap();
}

#[test]
fn time_01_whole_seconds_are_seconds() {
    run_mock(async {
        sleep(1).await?;
        sleep(2_u64).await?;
        assert_eq!(current_time(), 3.0);
        assert!(move_on_after(2, async { Ok(sleep_forever().await?) }).await?.is_none());
        assert_eq!((current_time(), CancelScope::with_timeout(7).relative_deadline()), (5.0, 7.0));
        Ok(())
    })
    .unwrap();
    let refused = std::panic::catch_unwind(|| drop(sleep(-1))).unwrap_err();
    assert!(refused.downcast_ref::<String>().unwrap().contains("not negative"));
}
