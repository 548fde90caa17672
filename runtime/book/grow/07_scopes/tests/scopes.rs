// The tests of step 7.

use std::{cell::Cell, time::Duration};
use step_02::yield_now;
use step_04::run;
use step_07::{Error, Scope, cancellable, failed, move_on_after, nursery, sleep};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(5);

#[test]
fn a_task_that_fails_ends_the_others_and_only_its_error_comes_out() {
    let outcome = run(nursery(async |n| {
        n.start_soon(async { failed("broken") });
        n.start_soon(sleep(LONG));
        sleep(LONG).await
    }));
    assert_eq!(outcome, Err(Error::Group(vec![Error::Failed("broken".into())])));
}

#[test]
fn a_scope_swallows_its_own_cancellation_and_what_is_outside_goes_on() {
    let outcome = run(async {
        let cut = move_on_after(SHORT, sleep(LONG)).await?;
        sleep(SHORT).await?;
        Ok::<_, Error>(cut)
    });
    assert_eq!(outcome, Ok(None));
}

#[test]
fn cancellation_is_level_triggered() {
    let failures = Cell::new(0);
    let outcome = run(move_on_after(SHORT, async {
        for _ in 0..3 {
            failures.set(failures.get() + u32::from(sleep(LONG).await.is_err()));
        }
        Ok("it went on, and ended by itself")
    }));
    assert_eq!((outcome, failures.get()), (Ok(Some("it went on, and ended by itself")), 3));
}

#[test]
fn the_outer_of_two_cancelled_scopes_catches() {
    let inner_returned = Cell::new(false);
    let outer = Scope::default();
    let outcome = run(outer.run(async {
        let inner = Scope::default();
        inner.cancel();
        outer.cancel();
        inner.run(sleep(LONG)).await?;
        inner_returned.set(true);
        Ok(())
    }));
    assert_eq!((outcome, inner_returned.get()), (Ok(None), false));
}

#[test]
fn a_shield_lets_cleanup_wait() {
    let cleaned = Cell::new(false);
    let outcome = run(move_on_after(SHORT, async {
        let work = sleep(LONG).await;
        Scope::shielded()
            .run(async {
                sleep(SHORT).await?;
                cleaned.set(true);
                Ok(())
            })
            .await?;
        work
    }));
    assert_eq!((outcome, cleaned.get()), (Ok(None), true));
}

#[test]
fn failures_pass_through_a_cancelled_scope() {
    let outcome = run(move_on_after(SHORT, async {
        let _ = sleep(LONG).await;
        failed::<()>("the cleanup is broken")
    }));
    assert_eq!(outcome, Err(Error::Failed("the cleanup is broken".into())));
}

#[test]
fn to_cancel_a_nursery_is_no_error_and_the_body_keeps_its_value() {
    let outcome = run(nursery(async |n| {
        n.start_soon(sleep(LONG));
        cancellable(yield_now()).await?;
        n.scope.cancel();
        Ok(42)
    }));
    assert_eq!(outcome, Ok(Some(42)));
}

#[test]
fn an_outer_cancellation_passes_through_a_nursery() {
    let outcome = run(move_on_after(SHORT, async {
        nursery(async |n| {
            n.start_soon(sleep(LONG));
            Ok(())
        })
        .await
    }));
    assert_eq!(outcome, Ok(None));
}
