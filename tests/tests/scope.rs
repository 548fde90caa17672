//! SCOPE and CKPT: cancel scopes and checkpoints.

use std::cell::Cell;
use terzetto::{
    CancelScope, CancelSource, Error, TooSlow, checkpoint, current_effective_deadline, current_time,
    fail_after,
    lowlevel::{Token, cancel_shielded_checkpoint, checkpoint_if_cancelled, current_statistics},
    move_on_after, nursery, sleep, sleep_forever, sleep_until,
};
use terzetto_tests::{Trace, levels, run_mock, sanitized};

#[test]
fn scope_01_cancellation_is_level_triggered() {
    run_mock(async {
        let scope = CancelScope::new();
        let outcome = scope
            .run(async {
                scope.cancel();
                for _ in 0..3 {
                    assert!(checkpoint().await.is_err());
                    assert!(sleep(1.0).await.is_err());
                    assert!(checkpoint_if_cancelled().await.is_err());
                }
                cancel_shielded_checkpoint().await;
                Ok(checkpoint().await?)
            })
            .await?;
        assert!(outcome.is_none());
        checkpoint().await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_04_a_body_that_ends_normally_keeps_its_value() {
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel();
        assert_eq!(scope.run(async { Ok(5) }).await?, Some(5));
        assert!(scope.cancel_called() && !scope.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_05_other_errors_pass_and_cancellation_beside_them_is_removed() {
    let error = run_mock(async {
        let scope = CancelScope::new();
        scope
            .run(async {
                nursery(async |n| {
                    n.start_soon(async { Ok(sleep_forever().await?) });
                    n.start_soon(async {
                        assert!(checkpoint().await.is_err());
                        Err(Error::msg("kept"))
                    });
                    scope.cancel();
                    Ok(())
                })
                .await
            })
            .await?;
        Ok(())
    })
    .unwrap_err();
    let leaves: Vec<String> = error.group().unwrap().leaves().map(ToString::to_string).collect();
    assert_eq!(leaves, ["kept"]);
}

#[test]
fn scope_06_only_the_outer_of_two_cancelled_scopes_catches() {
    run_mock(async {
        let (outer, inner) = (CancelScope::new(), CancelScope::new());
        outer
            .run(async {
                outer.cancel();
                inner.cancel();
                inner.run(async { Ok(sleep_forever().await?) }).await?;
                Ok(())
            })
            .await?;
        assert!(outer.cancelled_caught() && !inner.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_07_a_shield_hides_the_outer_cancellation() {
    run_mock(async {
        let trace = &Trace::default();
        let outer = CancelScope::new();
        outer
            .run(async {
                outer.cancel();
                CancelScope::new()
                    .shielded(true)
                    .run(async {
                        sleep(1.0).await?;
                        trace.note("shielded");
                        Ok(())
                    })
                    .await?;
                checkpoint().await?;
                trace.note("not reached");
                Ok(())
            })
            .await?;
        assert_eq!(trace.text(), "shielded");
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_08_lowering_the_shield_cancels_what_is_blocked() {
    run_mock(async {
        let (outer, inner) = (CancelScope::new(), CancelScope::new().shielded(true));
        nursery(async |n| {
            n.start_soon(async {
                outer.run(async { inner.run(async { Ok(sleep_forever().await?) }).await }).await?;
                Ok(())
            });
            sleep(1.0).await?;
            outer.cancel();
            sleep(1.0).await?;
            assert!(!outer.cancelled_caught());
            inner.set_shield(false);
            Ok(())
        })
        .await?;
        assert!(outer.cancelled_caught() && !inner.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_10_a_scope_can_be_cancelled_before_it_is_entered() {
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel();
        assert!(scope.run(async { Ok(checkpoint().await?) }).await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
#[should_panic(expected = "entered only once")]
fn scope_11_a_scope_is_entered_once() {
    let _never = run_mock(async {
        let scope = CancelScope::new();
        scope.run(async { Ok(()) }).await?;
        scope.run(async { Ok(()) }).await
    });
}

#[test]
#[should_panic(expected = "NaN")]
fn scope_12_a_nan_deadline_is_refused() {
    let _scope = CancelScope::with_deadline(f64::NAN);
}

#[test]
fn scope_13_the_deadline_may_be_moved() {
    run_mock(async {
        let start = current_time();
        let scope = CancelScope::with_deadline(start + 1.0);
        scope
            .run(async {
                scope.set_deadline(start + 5.0);
                Ok(sleep_forever().await?)
            })
            .await?;
        assert_eq!(current_time() - start, 5.0);
        scope.set_deadline(f64::INFINITY);
        assert!(scope.cancel_called() && scope.cancelled_caught());
        assert_eq!(scope.reason().unwrap().source(), CancelSource::Deadline);
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_14_deadlines_wake_in_order() {
    let trace = &Trace::default();
    run_mock(async {
        nursery(async |n| {
            for seconds in [3.0, 1.0, 2.0] {
                n.start_soon(async move {
                    move_on_after(seconds, async { Ok(sleep_forever().await?) }).await?;
                    trace.note(seconds.to_string());
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(trace.text(), "1 2 3");
}

#[test]
fn scope_16_a_deadline_counts_from_the_first_moment_in_its_scope() {
    run_mock(async {
        let seconds_left = || current_statistics().seconds_to_next_deadline;
        assert_eq!(seconds_left(), f64::INFINITY);
        move_on_after(3.0, async {
            // Nothing in the scope has come to a checkpoint yet.
            assert_eq!(seconds_left(), 3.0);
            move_on_after(5.0, async {
                assert_eq!((seconds_left(), current_effective_deadline() - current_time()), (3.0, 3.0));
                Ok(())
            })
            .await?;
            checkpoint().await?;
            assert_eq!(seconds_left(), 3.0);
            Ok(())
        })
        .await?;
        assert_eq!(seconds_left(), f64::INFINITY);
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_16_current_effective_deadline() {
    run_mock(async {
        assert_eq!(current_effective_deadline(), f64::INFINITY);
        let outer = CancelScope::with_deadline(10.0);
        outer
            .run(async {
                let inner = CancelScope::with_deadline(20.0);
                inner
                    .run(async {
                        assert_eq!(current_effective_deadline(), 10.0);
                        inner.set_shield(true);
                        assert_eq!(current_effective_deadline(), 20.0);
                        inner.cancel();
                        assert_eq!(current_effective_deadline(), f64::NEG_INFINITY);
                        Ok(())
                    })
                    .await?;
                Ok(())
            })
            .await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_21_a_hundred_thousand_tasks_in_one_scope_cancel_together() {
    let ended = Cell::new(0u32);
    run_mock(async {
        nursery(async |n| {
            for _ in 0..100_000 {
                let ended = &ended;
                n.start_soon(async move {
                    let cancelled = sleep_forever().await.unwrap_err();
                    ended.set(ended.get() + 1);
                    Err(cancelled.into())
                });
            }
            sleep(1.0).await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(ended.get(), 100_000);
}

/// Scopes inside scopes, with a task that waits at the bottom.
fn nested_scopes(levels: u32) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Error>>>> {
    Box::pin(async move {
        match levels {
            0 => Ok(sleep_forever().await?),
            _ => CancelScope::new().run(nested_scopes(levels - 1)).await.map(drop),
        }
    })
}

#[test]
fn scope_21_a_hundred_thousand_nested_scopes_cancel_in_linear_time_on_any_stack() {
    let time = |levels: u32| {
        let start = std::time::Instant::now();
        run_mock(async {
            let scope = CancelScope::with_timeout(1.0);
            scope.run(nested_scopes(levels)).await?;
            assert!(scope.cancelled_caught());
            Ok(())
        })
        .unwrap();
        start.elapsed().as_secs_f64()
    };
    let many = levels(100_000);
    // Ten times the scopes: ten times the time; a hundred times it would be if each scope looked at all above
    // it. The machine may be busy elsewhere meanwhile: so not at every try. A sanitizer's costs are not linear.
    let linear = || time(many) < 50.0 * time(many / 10).max(0.001);
    assert!(
        (0..5).any(|_| linear()) || sanitized(),
        "{many} scopes take more than 50 times as long as a tenth of them"
    );
    // Dropped while it waits.
    run_mock(async {
        let mut waiting = nested_scopes(many);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        drop(waiting);
        Ok(checkpoint().await?)
    })
    .unwrap();
}

#[test]
fn scope_22_a_scope_is_cancelled_from_another_thread_through_the_token() {
    thread_local!(static SCOPE: std::cell::RefCell<Option<CancelScope>> = const { std::cell::RefCell::new(None) });
    terzetto::run(async {
        let scope = CancelScope::new();
        SCOPE.set(Some(scope.clone()));
        let token = Token::current();
        let thread = std::thread::spawn(move || {
            token.run_sync_soon(|| SCOPE.take().unwrap().cancel_with_reason("from outside"))
        });
        assert!(scope.run(async { Ok(sleep_forever().await?) }).await?.is_none());
        thread.join().unwrap()?;
        assert_eq!(scope.reason().unwrap().text(), Some("from outside"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_25_bounded_cleanup_in_a_cancelled_scope() {
    run_mock(async {
        let start = current_time();
        let scope = CancelScope::new();
        scope
            .run(async {
                scope.cancel();
                let cancelled = checkpoint().await.unwrap_err();
                let bounded = CancelScope::with_timeout(2.0).shielded(true);
                assert!(bounded.run(async { Ok(sleep(60.0).await?) }).await?.is_none());
                Err::<(), _>(cancelled.into())
            })
            .await?;
        assert_eq!(current_time() - start, 2.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn ckpt_03_a_deadline_that_has_just_passed_is_seen() {
    let clock = terzetto::testing::MockClock::new();
    terzetto::Builder::new()
        .clock(clock.clone())
        .run(async {
            let scope = CancelScope::with_deadline(1.0);
            let outcome = scope
                .run(async {
                    clock.jump(2.0);
                    Ok(checkpoint().await?)
                })
                .await?;
            assert!(outcome.is_none());
            Ok(())
        })
        .unwrap();
}

#[test]
fn time_02_fail_after_fails_with_too_slow() {
    run_mock(async {
        let error = fail_after(1.0, async { Ok(sleep(2.0).await?) }).await.unwrap_err();
        assert!(error.downcast_ref::<TooSlow>().is_some());
        assert_eq!(fail_after(2.0, async { Ok(sleep(1.0).await?) }).await?, ());
        Ok(())
    })
    .unwrap();
}

#[test]
fn time_06_an_outer_timeout_is_not_the_inner_ones() {
    run_mock(async {
        let outcome =
            move_on_after(1.0, async { fail_after(5.0, async { Ok(sleep_forever().await?) }).await });
        assert!(outcome.await?.is_none());
        sleep_until(100.0).await?;
        assert_eq!(current_time(), 100.0);
        Ok(())
    })
    .unwrap();
}
