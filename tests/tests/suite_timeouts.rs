//! What trio's own tests of timeouts assert, where `checkpoints.rs` and `scope.rs` do not: shields around a limit.

use terzetto::{
    CancelScope, TooSlow, checkpoint, current_time, fail_after, fail_at, move_on_after, sleep, sleep_forever,
};
use terzetto_tests::run_mock;

#[test]
fn trio_timeouts_context_shields_from_outer() {
    run_mock(async {
        let outer = CancelScope::new();
        let inner = CancelScope::with_timeout(1.0).shielded(true);
        outer
            .run(inner.run(async {
                outer.cancel();
                checkpoint().await?;
                inner.set_shield(false);
                assert!(checkpoint().await.is_err());
                Ok(())
            }))
            .await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_timeouts_limits_act_even_if_shielded() {
    run_mock(async {
        let outer = CancelScope::new();
        outer.cancel();
        outer
            .run(async {
                let shield = CancelScope::new().shielded(true);
                let moved_on = shield.run(move_on_after(2.0, async { Ok(sleep_forever().await?) }));
                assert_eq!((moved_on.await?, current_time()), (Some(None), 2.0));
                let shield = CancelScope::new().shielded(true);
                let error =
                    shield.run(fail_after(3.0, async { Ok(sleep_forever().await?) })).await.unwrap_err();
                assert!(error.downcast_ref::<TooSlow>().is_some(), "{error}");
                assert_eq!(current_time(), 5.0);
                Ok(())
            })
            .await?;
        assert!(!outer.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_timeouts_fail() {
    run_mock(async {
        for at in [false, true] {
            let start = current_time();
            let slow = async { Ok(sleep(100.0).await?) };
            let outcome = match at {
                true => fail_at(start + 2.0, slow).await,
                false => fail_after(2.0, slow).await,
            };
            assert!(outcome.unwrap_err().downcast_ref::<TooSlow>().is_some());
            assert_eq!(current_time() - start, 2.0);
            let quick = async { Ok(sleep(0.0).await?) };
            match at {
                true => fail_at(current_time() + 100.0, quick).await?,
                false => fail_after(100.0, quick).await?,
            }
        }
        Ok(())
    })
    .unwrap();
}
