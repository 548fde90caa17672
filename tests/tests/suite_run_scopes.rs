//! trio's `test_run`, second part: cancel scopes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use terzetto::{
    Builder, CancelScope, Error, checkpoint, current_effective_deadline, current_time, fail_after,
    lowlevel::cancel_shielded_checkpoint,
    nursery, sleep, sleep_forever,
    testing::{MockClock, wait_all_tasks_blocked},
};
use terzetto_tests::{Trace, run_mock};

/// Whether a call panics.
fn refused<T>(call: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(call()))).is_err()
}

#[test]
fn trio_run_cancel_scope_repr() {
    run_mock(async {
        let scope = CancelScope::new();
        let says = |what: &str| format!("{scope:?}").contains(what);
        assert!(says("New"), "{scope:?}");
        scope
            .run(async {
                assert!(
                    says("Entered") && says("deadline: inf") && says("cancel_called: false"),
                    "{scope:?}"
                );
                scope.set_deadline(current_time() + 10.0);
                assert!(says("deadline: 10.0"), "{scope:?}");
                scope.cancel();
                assert!(says("cancel_called: true"), "{scope:?}");
                Ok(())
            })
            .await?;
        assert!(says("Exited"), "{scope:?}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_cancel_scope_validation() {
    assert!(refused(|| CancelScope::with_deadline(f64::NAN)));
    assert!(refused(|| CancelScope::with_timeout(f64::NAN)) && refused(|| CancelScope::with_timeout(-3.0)));
    let scope = CancelScope::new();
    assert!(refused(|| scope.set_deadline(f64::NAN)));
    assert!(
        refused(|| scope.set_relative_deadline(f64::NAN)) && refused(|| scope.set_relative_deadline(-3.0))
    );
    scope.set_relative_deadline(5.0);
    assert_eq!((scope.relative_deadline(), scope.is_relative()), (5.0, Some(true)));
    assert!(refused(|| scope.set_deadline(7.0)), "not both");
}

#[test]
fn trio_run_cancel_shielding() {
    run_mock(async {
        let (outer, inner) = (CancelScope::new(), CancelScope::new());
        let inside = async {
            checkpoint().await?;
            outer.cancel();
            assert!(checkpoint().await.is_err() && !inner.shield());
            inner.set_shield(true);
            assert!(inner.shield());
            checkpoint().await?;
            let innermost = CancelScope::new();
            let within = async {
                innermost.cancel();
                assert!(checkpoint().await.is_err(), "no shield against what is inside");
                Ok(())
            };
            innermost.run(within).await?;
            checkpoint().await?;
            inner.set_shield(false);
            assert!(checkpoint().await.is_err());
            inner.set_shield(true);
            checkpoint().await?;
            // Nor against the shielded scope itself.
            inner.cancel();
            Ok(checkpoint().await?)
        };
        outer
            .run(async {
                assert_eq!(inner.run(inside).await?, None);
                assert!(inner.cancelled_caught());
                Ok(())
            })
            .await
            .map(drop)
    })
    .unwrap();
}

#[test]
fn trio_run_cancel_shield_abort() {
    let trace = &Trace::default();
    run_mock(async {
        let outer = CancelScope::new();
        let block = nursery(async |n| {
            outer.cancel();
            n.cancel_scope().set_shield(true);
            n.start_soon(async {
                trace.note("sleeping");
                let cancelled = sleep_forever().await.unwrap_err();
                trace.note("cancelled");
                Err(cancelled.into())
            });
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(trace.text(), "sleeping");
            n.cancel_scope().set_shield(false);
            let shield = CancelScope::new().shielded(true);
            let inside = async {
                wait_all_tasks_blocked(0.0).await?;
                assert_eq!(trace.text(), "sleeping cancelled");
                Ok(())
            };
            shield.run(inside).await.map(drop)
        });
        outer.run(block).await.map(drop)
    })
    .unwrap();
}

#[test]
fn trio_run_basic_timeout() {
    let clock = MockClock::new();
    let main = async {
        let start = current_time();
        let scope = CancelScope::new();
        let inside = async {
            assert_eq!(scope.deadline(), f64::INFINITY);
            scope.set_deadline(start + 1.0);
            assert_eq!(scope.deadline(), start + 1.0);
            Ok(())
        };
        scope.run(inside).await?;
        assert!(!scope.cancel_called());
        clock.jump(2.0);
        for _ in 0..3 {
            checkpoint().await?;
        }
        assert!(!scope.cancel_called(), "its deadline came after its end");

        let scope = CancelScope::with_deadline(current_time() + 1.0);
        let inside = async {
            clock.jump(2.0);
            Ok(sleep_forever().await?)
        };
        scope.run(inside).await?;
        assert!(scope.cancel_called() && scope.cancelled_caught());

        let (start, scope) = (current_time(), CancelScope::new());
        let inside = async {
            checkpoint().await?;
            scope.set_deadline(start + 10.0);
            checkpoint().await?;
            clock.jump(5.0);
            checkpoint().await?;
            scope.set_deadline(start + 1.0);
            assert!(checkpoint().await.is_err() && checkpoint().await.is_err());
            Ok(())
        };
        scope.run(inside).await.map(drop)
    };
    Builder::new().clock(clock.clone()).run(main).unwrap();
}

#[test]
fn trio_run_cancel_scope_nesting() {
    run_mock(async {
        // If two are cancelled at once, the outer one wins.
        let [one, two, three] = [(); 3].map(|()| CancelScope::new());
        let inside = async {
            three.cancel();
            two.cancel();
            Ok(sleep_forever().await?)
        };
        let within = async { three.run(inside).await.map(drop) };
        one.run(async { two.run(within).await.map(drop) }).await?;
        let state = |scope: &CancelScope| (scope.cancel_called(), scope.cancelled_caught());
        assert_eq!([&one, &two, &three].map(state), [(false, false), (true, true), (true, false)]);

        // Shields.
        let [one, two] = [(); 2].map(|()| CancelScope::new());
        let inside = async {
            one.cancel();
            assert!(checkpoint().await.is_err() && checkpoint().await.is_err());
            two.set_shield(true);
            checkpoint().await?;
            two.cancel();
            assert!(checkpoint().await.is_err());
            Ok(())
        };
        one.run(async { two.run(inside).await.map(drop) }).await?;

        // What was not delivered by the end of its scope never is.
        let scope = CancelScope::new();
        let inside = async {
            scope.cancel();
            cancel_shielded_checkpoint().await;
            Ok(())
        };
        scope.run(inside).await?;
        checkpoint().await?;
        assert!(!scope.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_unshield_while_cancel_propagating() {
    run_mock(async {
        let (outer, inner) = (CancelScope::new(), CancelScope::new());
        let inside = async {
            outer.cancel();
            let outcome = checkpoint().await;
            inner.set_shield(true);
            Ok(outcome?)
        };
        outer.run(async { inner.run(inside).await.map(drop) }).await?;
        assert!(outer.cancelled_caught() && !inner.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_cancel_unbound() {
    async fn sleep_until_cancelled(scope: &CancelScope) -> Result<(), Error> {
        scope.run(fail_after(1.0, async { Ok(sleep_forever().await?) })).await.map(drop)
    }
    run_mock(async {
        // Before it is entered, and after.
        let scope = CancelScope::new();
        scope.cancel();
        sleep_until_cancelled(&scope).await?;
        let scope = CancelScope::new();
        nursery(async |n| {
            n.start_soon(sleep_until_cancelled(&scope));
            wait_all_tasks_blocked(0.0).await?;
            scope.cancel();
            Ok(())
        })
        .await?;
        // A shield that is raised before.
        let (outer, scope) = (CancelScope::new(), CancelScope::new().shielded(true));
        let inside = async {
            outer.cancel();
            checkpoint().await?;
            scope.set_shield(false);
            assert!(checkpoint().await.is_err());
            Ok(())
        };
        outer.run(async { scope.run(inside).await.map(drop) }).await?;
        // A scope is entered once.
        let scope = CancelScope::new();
        scope.run(async { Ok(checkpoint().await?) }).await?;
        scope.cancel();
        checkpoint().await?;
        assert!(scope.cancel_called() && !scope.cancelled_caught());
        // The deadline counts before the entry, too, and a scope is never un-cancelled.
        let scope = CancelScope::with_deadline(current_time() + 1.0);
        assert!(!scope.cancel_called());
        scope.set_deadline(scope.deadline() - 1.0);
        assert!(scope.cancel_called());
        scope.set_deadline(scope.deadline() + 1.0);
        assert!(scope.cancel_called());
        Ok(())
    })
    .unwrap();
    // Not after its end, not inside itself, not by two tasks.
    let again = |by: u32| {
        catch_unwind(AssertUnwindSafe(|| {
            run_mock(async {
                let scope = CancelScope::new();
                match by {
                    0 => scope.run(async { Ok(()) }).await.map(drop)?,
                    1 => {
                        return scope
                            .run(async { scope.run(async { Ok(()) }).await.map(drop) })
                            .await
                            .map(drop);
                    }
                    _ => {}
                }
                nursery(async |n| {
                    n.start_soon(async { scope.run(async { Ok(sleep_forever().await?) }).await.map(drop) });
                    wait_all_tasks_blocked(0.0).await?;
                    scope.run(async { Ok(()) }).await.map(drop)
                })
                .await
            })
        }))
    };
    for by in 0..3 {
        let payload = again(by).unwrap_err();
        assert!(payload.downcast_ref::<&str>().unwrap().contains("entered only once"));
    }
}

#[test]
fn trio_run_current_effective_deadline() {
    run_mock(async {
        assert_eq!(current_effective_deadline(), f64::INFINITY);
        let (one, two) = (CancelScope::with_deadline(5.0), CancelScope::with_deadline(10.0));
        let inside = async {
            let is = |deadline: f64| assert_eq!(current_effective_deadline(), deadline);
            is(5.0);
            two.set_deadline(3.0);
            is(3.0);
            two.set_deadline(10.0);
            is(5.0);
            two.set_shield(true);
            is(10.0);
            two.set_shield(false);
            is(5.0);
            one.cancel();
            is(f64::NEG_INFINITY);
            two.set_shield(true);
            is(10.0);
            Ok(())
        };
        let outside = async {
            two.run(inside).await?;
            assert_eq!(current_effective_deadline(), f64::NEG_INFINITY);
            Ok(())
        };
        one.run(outside).await?;
        assert_eq!(current_effective_deadline(), f64::INFINITY);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_cancel_scope_deadline_duplicates() {
    run_mock(async {
        let (now, scope) = (current_time(), CancelScope::new());
        let inside = async {
            for _ in 0..2000 {
                scope.set_deadline(now + 9998.0);
                scope.set_deadline(now + 9999.0);
            }
            Ok(sleep(0.01).await?)
        };
        scope.run(inside).await?;
        assert!(!scope.cancel_called());
        Ok(())
    })
    .unwrap();
}
