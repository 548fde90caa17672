//! MOCK and TEST: the testing kit.

use std::{
    cell::RefCell,
    os::unix::net::UnixStream,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    time::{Duration, Instant},
};
use terzetto::{
    Builder, CancelScope, Error, TooSlow, checkpoint, current_time, fail_after,
    io::wait_readable,
    lowlevel::{Clock, cancel_shielded_checkpoint, checkpoint_if_cancelled},
    nursery, sleep,
    sync::Event,
    testing::{
        MockClock, Sequencer, SequencerError, assert_checkpoints, assert_no_checkpoints,
        wait_all_tasks_blocked,
    },
    to_thread,
};
use terzetto_tests::{Trace, run_mock};

#[test]
fn mock_01_the_clock_stands_still_jumps_and_runs_at_a_rate() {
    let clock = MockClock::new();
    assert_eq!(clock.now(), 0.0);
    clock.jump(2.5);
    assert_eq!((clock.now(), clock.now()), (2.5, 2.5));
    assert!(catch_unwind(AssertUnwindSafe(|| clock.jump(-1.0))).is_err());
    clock.set_rate(1e6);
    let start = Instant::now();
    Builder::new()
        .clock(clock.clone())
        .run(async {
            sleep(3600.0).await?;
            Ok(())
        })
        .unwrap();
    assert!(clock.now() >= 3602.5 && start.elapsed().as_secs() < 30);
    clock.set_rate(0.0);
    assert_eq!(clock.now(), clock.now());
}

/// What a panic says.
fn refusal(call: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).expect_err("it was to be refused");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn mock_01_times_that_make_no_sense_are_refused_by_name_and_change_nothing() {
    let clock = MockClock::new();
    clock.jump(1.0);
    for seconds in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -1.0] {
        let said = refusal(|| clock.jump(seconds));
        assert!(said.contains("`seconds`") && said.contains("jump"), "{said}");
        let said = refusal(|| clock.set_rate(seconds));
        assert!(said.contains("`rate`"), "{said}");
        if seconds != f64::INFINITY {
            let said = refusal(|| clock.set_autojump_threshold(seconds));
            assert!(said.contains("`seconds`") && said.contains("threshold"), "{said}");
        }
    }
    // Each by itself is a number, and both together are none.
    clock.jump(f64::MAX);
    assert!(refusal(|| clock.jump(f64::MAX)).contains("`seconds`"));
    clock.set_autojump_threshold(f64::INFINITY);
    assert_eq!((clock.now(), clock.rate(), clock.autojump_after()), (f64::MAX, 0.0, f64::INFINITY));
    // No rate is so great that the clock would show infinity, after which no deadline ever comes.
    let clock = MockClock::new();
    clock.set_rate(f64::MAX);
    std::thread::sleep(std::time::Duration::from_millis(1));
    Builder::new().clock(clock.clone()).run(async { Ok(sleep(1.0).await?) }).unwrap();
    clock.jump(0.0);
    assert!(clock.now().is_finite());
}

#[test]
fn mock_02_the_clock_jumps_while_a_socket_or_a_thread_is_waited_for() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    Builder::new()
        .clock(MockClock::autojump())
        .run(async {
            let late = fail_after(3600.0, async { Ok(wait_readable(&ours).await?) }).await;
            assert!(late.is_err_and(|error| error.find::<TooSlow>().is_some()));
            assert_eq!(current_time(), 3600.0);
            // A thread waits for what a task sends an hour later.
            let (sender, receiver) = mpsc::channel();
            nursery(async |n| {
                n.start_soon(async {
                    sleep(3600.0).await?;
                    Ok(sender.send("an hour later")?)
                });
                let receives = move || receiver.recv_timeout(Duration::from_secs(60));
                assert_eq!(to_thread::run_sync(receives).await?, Ok("an hour later"));
                assert_eq!(current_time(), 7200.0);
                Ok(())
            })
            .await
        })
        .unwrap();
}

#[test]
fn mock_02_the_autojump_threshold_can_change_while_running() {
    let clock = MockClock::new();
    let own = clock.clone();
    Builder::new()
        .clock(clock)
        .run(async {
            nursery(async |n| {
                n.start_soon(async { Ok(sleep(10.0).await?) });
                wait_all_tasks_blocked(0.01).await?;
                assert_eq!(current_time(), 0.0, "no jump without a threshold");
                own.set_autojump_threshold(0.0);
                Ok(())
            })
            .await?;
            assert_eq!(current_time(), 10.0);
            Ok(())
        })
        .unwrap();
}

#[test]
fn mock_03_idle_waiters_are_served_before_time_jumps() {
    let trace = &Trace::default();
    let clock = MockClock::new();
    clock.set_autojump_threshold(0.02);
    Builder::new()
        .clock(clock)
        .run(nursery(async |n| {
            n.start_soon(async {
                sleep(1.0).await?;
                trace.note("slept");
                Ok(())
            });
            for cushion in [0.0, 0.02, 0.04] {
                n.start_soon(async move {
                    wait_all_tasks_blocked(cushion).await?;
                    trace.note(format!("{cushion}@{}", current_time()));
                    Ok(())
                });
            }
            Ok(())
        }))
        .unwrap();
    // Of any cushion, as in trio, also one that is longer than the threshold.
    assert_eq!(trace.text(), "0@0 0.02@0 0.04@0 slept");
}

#[test]
fn test_01_the_smallest_cushion_first_and_those_of_one_cushion_together() {
    let trace = &Trace::default();
    run_mock(nursery(async |n| {
        for cushion in [0.002, 0.0, 0.001, 0.0] {
            n.start_soon(async move {
                wait_all_tasks_blocked(cushion).await?;
                trace.note(cushion.to_string());
                Ok(())
            });
        }
        Ok(())
    }))
    .unwrap();
    assert_eq!(trace.text(), "0 0 0.001 0.002");
}

#[test]
fn test_01_what_still_runs_holds_the_waiter_back() {
    let event = Event::new();
    run_mock(nursery(async |n| {
        n.start_soon(async {
            for _ in 0..50 {
                cancel_shielded_checkpoint().await;
            }
            event.set();
            Ok(())
        });
        wait_all_tasks_blocked(0.0).await?;
        assert!(event.is_set());
        let scope = CancelScope::new();
        scope.cancel();
        assert!(scope.run(async { Ok(wait_all_tasks_blocked(0.0).await?) }).await?.is_none());
        Ok(())
    }))
    .unwrap();
}

#[test]
fn test_02_checkpoints_are_noticed() {
    run_mock(async {
        assert_checkpoints(checkpoint()).await?;
        assert_checkpoints(sleep(0.0)).await?;
        assert_no_checkpoints(async {}).await;
        // Two halves, one after the other, are a whole.
        assert_checkpoints(async {
            cancel_shielded_checkpoint().await;
            checkpoint_if_cancelled().await
        })
        .await?;
        Ok(())
    })
    .unwrap();
    let failed = |main: &mut dyn FnMut()| catch_unwind(AssertUnwindSafe(main)).is_err();
    // Half of a checkpoint is not nothing, and not a checkpoint.
    let half = || async {
        cancel_shielded_checkpoint().await;
        Ok(())
    };
    let other_half = || async { Ok(checkpoint_if_cancelled().await?) };
    assert!(failed(&mut || drop(run_mock(assert_no_checkpoints(half())))));
    assert!(failed(&mut || drop(run_mock(assert_no_checkpoints(other_half())))));
    assert!(failed(&mut || drop(run_mock(assert_checkpoints(half())))));
    assert!(failed(&mut || drop(run_mock(assert_checkpoints(other_half())))));
    assert!(failed(&mut || drop(run_mock(async {
        assert_checkpoints(async {}).await;
        Ok(())
    }))));
    assert!(failed(&mut || drop(run_mock(async { Ok(assert_no_checkpoints(checkpoint()).await?) }))));
}

#[test]
fn test_03_steps_are_made_in_order() {
    let order = &RefCell::new(Vec::new());
    run_mock(async {
        let steps = &Sequencer::new();
        nursery(async |n| {
            for first in [2_usize, 0, 1] {
                n.start_soon(async move {
                    for step in [first, first + 3] {
                        steps.step(step, async { order.borrow_mut().push(step) }).await?;
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert!(matches!(steps.step(3, async {}).await, Err(SequencerError::Reused(3))));
        // The first step waits for nothing.
        assert_no_checkpoints(Sequencer::new().step(0, async {})).await?;
        Ok(())
    })
    .unwrap();
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn test_03_a_cancelled_step_breaks_the_rest() {
    run_mock(async {
        let steps = &Sequencer::new();
        let scope = &CancelScope::new();
        nursery(async |n| {
            n.start_soon(async move {
                // Loud: the scope does not swallow it.
                let error = scope.run(async { Ok(steps.step(1, async {}).await?) }).await.unwrap_err();
                assert!(matches!(error.find(), Some(SequencerError::Cancelled(1))), "{error}");
                assert!(scope.cancel_called() && !scope.cancelled_caught());
                Ok(())
            });
            n.start_soon(async move {
                assert!(matches!(steps.step(2, async {}).await, Err(SequencerError::Broken)));
                Ok::<_, Error>(())
            });
            wait_all_tasks_blocked(0.0).await?;
            scope.cancel();
            Ok(())
        })
        .await?;
        assert!(matches!(steps.step(0, async {}).await, Err(SequencerError::Broken)));
        Ok(())
    })
    .unwrap();
}
