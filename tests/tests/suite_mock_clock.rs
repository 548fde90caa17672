//! trio's `test_mock_clock`.

use std::time::Instant;
use terzetto::{
    Builder, current_time,
    lowlevel::Clock,
    nursery, sleep,
    testing::{MockClock, wait_all_tasks_blocked},
};
use terzetto_tests::Trace;

#[test]
fn trio_mock_clock() {
    let refused = |call: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err();
    let clock = MockClock::new();
    assert!(format!("{clock:?}").contains("now: 0"));
    assert_eq!((clock.rate(), clock.now()), (0.0, 0.0));
    clock.jump(1.2);
    assert_eq!(clock.now(), 1.2);
    assert!(refused(&|| clock.jump(-1.0)) && clock.now() == 1.2);
    assert_eq!((clock.deadline_to_sleep_time(1.1), clock.deadline_to_sleep_time(1.2)), (0.0, 0.0));
    assert!(clock.deadline_to_sleep_time(1.3) > 999_999.0);
    assert!(refused(&|| clock.set_rate(-1.0)) && clock.rate() == 0.0);
    for rate in [2.0, 0.5] {
        let (begun, before) = (Instant::now(), clock.now());
        clock.set_rate(rate);
        let far = clock.deadline_to_sleep_time(before + 1000.0);
        let past = clock.now();
        let limit = begun.elapsed().as_secs_f64();
        assert!(past >= before && past <= before + rate * limit, "{past}");
        assert!(far <= 1000.0 / rate && far >= 1000.0 / rate - limit, "{far}");
        assert_eq!(clock.deadline_to_sleep_time(before), 0.0);
        // A jump goes on from there.
        clock.jump(0.8);
        assert!(clock.now() >= before + 0.8);
        clock.set_rate(0.0);
        assert_eq!(clock.now(), clock.now());
    }
}

#[test]
fn trio_mock_clock_autojump() {
    let clock = MockClock::new();
    assert_eq!(clock.autojump_after(), f64::INFINITY);
    clock.set_autojump_threshold(0.0);
    assert_eq!(clock.autojump_after(), 0.0);
    let begun = Instant::now();
    let main = async {
        let mut start = current_time();
        for i in 0..10 {
            sleep(10.0 * f64::from(i)).await?;
            assert_eq!(current_time(), start + 10.0 * f64::from(i));
            start = current_time();
        }
        // Who waits for the others to be blocked goes before the jump.
        clock.set_autojump_threshold(0.02);
        wait_all_tasks_blocked(0.0).await?;
        wait_all_tasks_blocked(0.01).await?;
        assert_eq!(current_time(), start);
        // A change counts at once.
        clock.set_autojump_threshold(10_000.0);
        wait_all_tasks_blocked(0.0).await?;
        clock.set_autojump_threshold(0.0);
        Ok(sleep(100_000.0).await?)
    };
    Builder::new().clock(clock.clone()).run(main).unwrap();
    assert!(begun.elapsed().as_secs() < 20);
}

#[test]
fn trio_mock_clock_autojump_interference() {
    let clock = MockClock::new();
    clock.set_autojump_threshold(0.02);
    // The clock of no run changes nothing.
    let other = MockClock::new();
    other.set_autojump_threshold(0.01);
    let main = async {
        wait_all_tasks_blocked(0.015).await?;
        Ok(sleep(100_000.0).await?)
    };
    Builder::new().clock(clock).run(main).unwrap();
    assert_eq!(other.now(), 0.0);
}

#[test]
fn trio_mock_clock_autojump_preset() {
    let clock = MockClock::new();
    clock.set_autojump_threshold(0.1);
    clock.set_autojump_threshold(0.01);
    let begun = Instant::now();
    Builder::new().clock(clock).run(async { Ok(sleep(10_000.0).await?) }).unwrap();
    assert!(begun.elapsed().as_secs() < 20);
}

/// A sleeper, and a waiter that waits for all to be blocked, with a clock that jumps at once.
fn sleeper_and_waiter(cushion: f64, then: f64) -> String {
    let trace = &Trace::default();
    let main = nursery(async |n| {
        n.start_soon(async {
            sleep(100.0).await?;
            trace.note("yawn");
            Ok(())
        });
        n.start_soon(async move {
            wait_all_tasks_blocked(cushion).await?;
            trace.note("woke");
            sleep(then).await?;
            trace.note("done");
            Ok(())
        });
        Ok(())
    });
    Builder::new().clock(MockClock::autojump()).run(main).unwrap();
    trace.text()
}

#[test]
fn trio_mock_clock_autojump_0_and_wait_all_tasks_blocked_0() {
    assert_eq!(sleeper_and_waiter(0.0, 1000.0), "woke yawn done");
}

#[test]
fn trio_mock_clock_autojump_0_and_wait_all_tasks_blocked_nonzero() {
    assert_eq!(sleeper_and_waiter(0.1, 0.0), "woke done yawn");
}
