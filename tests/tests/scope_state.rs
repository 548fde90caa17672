//! SCOPE: what a scope says of itself, and what a cancellation says.

use terzetto::{
    CancelScope, CancelSource, Error, checkpoint, current_time, move_on_after, nursery, sleep, sleep_forever,
};
use terzetto_tests::{Trace, run_mock};

#[test]
fn scope_02_a_scope_swallows_its_own_cancellation_only() {
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel();
        assert!(scope.run(async { Ok(sleep(1.0).await?) }).await?.is_none());
        assert!(scope.cancelled_caught());
        let calm = CancelScope::new();
        assert_eq!(calm.run(async { Ok(1) }).await?, Some(1));
        assert!(!calm.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_03_cancel_called_is_true_once_the_deadline_has_passed() {
    run_mock(async {
        let scope = CancelScope::with_deadline(current_time() + 1.0);
        assert!(!scope.cancel_called());
        sleep(2.0).await?;
        assert!(scope.cancel_called());
        let scope = CancelScope::new();
        scope
            .run(async {
                scope.set_deadline(current_time());
                assert!(scope.cancel_called());
                Ok(())
            })
            .await?;
        assert!(!scope.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_09_raising_the_shield_stops_the_next_cancellation_only() {
    run_mock(async {
        let outer = CancelScope::new();
        let done = outer.run(async {
            let inner = CancelScope::new();
            inner
                .run(async {
                    outer.cancel();
                    let first = sleep(1.0).await;
                    assert!(first.is_err());
                    inner.set_shield(true);
                    sleep(1.0).await?;
                    assert_eq!(current_time(), 1.0);
                    inner.set_shield(false);
                    Ok(sleep(1.0).await?)
                })
                .await?;
            unreachable!("the outer scope is cancelled")
        });
        assert!(done.await.map(|ended: Option<()>| ended.is_none())?);
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_17_cancelling_twice_or_late_does_nothing() {
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel_with_reason("first");
        scope.cancel_with_reason("second");
        scope.run(async { Ok(sleep(1.0).await?) }).await?;
        assert_eq!(scope.reason().unwrap().text(), Some("first"));
        let scope = CancelScope::new();
        scope.run(async { Ok(()) }).await?;
        scope.cancel();
        sleep(1.0).await?;
        assert!(!scope.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_18_a_cancellation_says_who_asked_and_why() {
    run_mock(async {
        let scope = &CancelScope::new();
        nursery(async |n| {
            n.start_soon_named("asker", async {
                scope.cancel_with_reason("enough");
                Ok(())
            });
            scope
                .run(async {
                    let cancelled = sleep_forever().await.unwrap_err();
                    let reason = cancelled.reason();
                    assert_eq!(
                        (reason.source(), reason.text(), reason.task()),
                        (CancelSource::Explicit, Some("enough"), Some("asker"))
                    );
                    Err::<(), Error>(cancelled.into())
                })
                .await?;
            Ok(())
        })
        .await?;
        let late = CancelScope::with_timeout(1.0);
        late.run(async { Ok(sleep_forever().await?) }).await?;
        assert_eq!(late.reason().unwrap().source(), CancelSource::Deadline);
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_19_20_what_has_completed_is_not_cancelled() {
    run_mock(async {
        let (sender, receiver) = &terzetto::channel(0);
        let scope = &CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                let got = scope.run(async {
                    let value = receiver.receive().await?;
                    assert!(checkpoint().await.is_err(), "the cancellation shows at the next checkpoint");
                    Ok(value)
                });
                assert_eq!(got.await?, Some(5));
                Ok(())
            });
            sleep(1.0).await?;
            sender.send_nowait(5)?;
            scope.cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn scope_23_locals_are_dropped_before_the_code_after_the_scope() {
    let trace = &Trace::default();
    struct Noisy<'a>(&'a Trace);
    impl Drop for Noisy<'_> {
        fn drop(&mut self) {
            self.0.note("dropped");
        }
    }
    run_mock(async {
        move_on_after(1.0, async {
            let _local = Noisy(trace);
            Ok(sleep_forever().await?)
        })
        .await?;
        trace.note("after");
        Ok(())
    })
    .unwrap();
    assert_eq!(trace.text(), "dropped after");
}

/// `Cancelled` has no public constructor: `scope_24`'s first half is that this does not compile.
///
/// ```compile_fail
/// let made = terzetto::Cancelled {};
/// ```
#[test]
fn scope_24_cancelled_says_what_cancelled_it() {
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel_with_reason("the kettle boils");
        scope
            .run(async {
                let text = checkpoint().await.unwrap_err().to_string();
                assert!(
                    text.contains("on request") && text.contains("main") && text.contains("kettle"),
                    "{text}"
                );
                Ok(())
            })
            .await?;
        Ok(())
    })
    .unwrap();
}
