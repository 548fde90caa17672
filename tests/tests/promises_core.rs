//! Sentences of the core's documentation that promise something of every case, where no other test
//! holds them.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    task::{Context, Waker},
};
use terzetto::{
    CancelScope, Error, ErrorGroup, cancellable, checkpoint, current_effective_deadline, current_task,
    current_time, fail_after, fail_at,
    lowlevel::{
        Aborted, Rescheduler, cancel_shielded_checkpoint, checkpoint_if_cancelled, current_root_task,
        current_statistics, spawn_system_task, wait_task_rescheduled,
    },
    move_on_after, move_on_at, nursery, sleep, sleep_forever, sleep_until,
    sync::{CapacityLimiter, Condition, Lock, ParkingLot},
    task_tree,
    testing::{assert_no_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::{begin, run_mock};

/// Polls a future once, outside any run.
fn poll_outside(future: impl Future) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready();
}

#[test]
fn run_05_what_needs_a_run_panics_outside() {
    let calls: [(&str, fn()); 20] = [
        ("cancellable", || poll_outside(cancellable(std::future::ready(())))),
        ("checkpoint", || poll_outside(checkpoint())),
        ("cancel_shielded_checkpoint", || poll_outside(cancel_shielded_checkpoint())),
        ("checkpoint_if_cancelled", || poll_outside(checkpoint_if_cancelled())),
        ("CancelScope::run", || poll_outside(CancelScope::new().run(async { Ok(()) }))),
        ("current_effective_deadline", || {
            let _ = current_effective_deadline();
        }),
        ("current_statistics", || {
            let _ = current_statistics();
        }),
        ("current_time", || {
            let _ = current_time();
        }),
        ("current_root_task", || drop(current_root_task())),
        ("fail_after", || poll_outside(fail_after(1.0, async { Ok(()) }))),
        ("fail_at", || poll_outside(fail_at(1.0, async { Ok(()) }))),
        ("move_on_after", || poll_outside(move_on_after(1.0, async { Ok(()) }))),
        ("move_on_at", || poll_outside(move_on_at(1.0, async { Ok(()) }))),
        ("nursery", || poll_outside(nursery(async |_| Ok(())))),
        ("sleep", || poll_outside(sleep(1.0))),
        ("sleep_until", || poll_outside(sleep_until(1.0))),
        ("sleep_forever", || poll_outside(sleep_forever())),
        ("spawn_system_task", || drop(spawn_system_task("system", async { Ok(()) }))),
        ("task_tree", || drop(task_tree())),
        ("wait_task_rescheduled", || {
            poll_outside(wait_task_rescheduled(|_: Rescheduler<()>| (), |_| Aborted::Succeeded));
        }),
    ];
    for (name, call) in calls {
        assert!(catch_unwind(call).is_err(), "{name}");
    }
}

#[test]
fn run_05_what_needs_a_task_panics_outside() {
    let calls: [(&str, fn()); 7] = [
        ("current_task", || drop(current_task())),
        ("Lock::acquire", || poll_outside(Lock::new().acquire())),
        ("Lock::acquire_nowait", || drop(Lock::new().acquire_nowait())),
        ("CapacityLimiter::acquire", || poll_outside(CapacityLimiter::new(1).acquire())),
        ("CapacityLimiter::release", || {
            let _ = CapacityLimiter::new(1).release();
        }),
        ("Condition::notify", || {
            let _ = Condition::new().notify(1);
        }),
        ("ParkingLot::park", || poll_outside(ParkingLot::new().park())),
    ];
    for (name, call) in calls {
        assert!(catch_unwind(call).is_err(), "{name}");
    }
}

#[test]
fn ckpt_05_of_tasks_that_only_yield_each_runs_once_a_tick() {
    for shielded in [false, true] {
        run_mock(async {
            let steps: &[Cell<u32>; 9] = &Default::default();
            nursery(async |outer| {
                // Some in the body's nursery, some in nurseries below.
                for group in 0..3 {
                    let busy = move |i: usize| async move {
                        loop {
                            steps[i].set(steps[i].get() + 1);
                            checkpoint().await?;
                        }
                    };
                    outer.start_soon(async move {
                        nursery(async |n| {
                            n.start_soon::<_>(busy(3 * group));
                            n.start_soon::<_>(busy(3 * group + 1));
                            busy(3 * group + 2).await
                        })
                        .await
                    });
                }
                // Until all have begun.
                sleep(0.0).await?;
                while steps.iter().any(|steps| steps.get() == 0) {
                    checkpoint().await?;
                }
                let before = steps.each_ref().map(Cell::get);
                for ticks in 1..=10 {
                    if shielded {
                        cancel_shielded_checkpoint().await;
                    } else {
                        checkpoint().await?;
                    }
                    // The order within a tick may be random: then one may be a step ahead or behind.
                    for (steps, before) in steps.iter().zip(before) {
                        assert!((steps.get() - before).abs_diff(ticks) <= 1);
                    }
                }
                outer.cancel_scope().cancel();
                Ok(())
            })
            .await
        })
        .unwrap();
    }
}

#[test]
fn scope_entering_and_leaving_a_scope_is_no_checkpoint() {
    run_mock(async {
        assert_no_checkpoints(async {
            CancelScope::new().run(async { Ok(()) }).await?;
            move_on_after(1.0, async { Ok(()) }).await?;
            move_on_at(1.0, async { Ok(()) }).await?;
            fail_after(1.0, async { Ok(()) }).await?;
            // Also if it swallows a cancellation that comes from inside.
            let scope = CancelScope::new();
            scope.cancel();
            assert!(scope.run(async { Ok(()) }).await?.is_some());
            Ok::<_, Error>(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn scope_01_a_scope_cuts_short_only_what_looks() {
    run_mock(async {
        // A time limit is no bound for what never looks, or hides from it.
        let scope = CancelScope::with_timeout(1.0);
        let slow = CancelScope::new().shielded(true);
        let ended = scope.run(async { slow.run(async { Ok(sleep(5.0).await?) }).await }).await?;
        assert_eq!((ended, current_time()), (Some(Some(())), 5.0));
        assert!(scope.cancel_called() && !scope.cancelled_caught());
        // Work that an outer scope has cut short was not caught by the inner one.
        let (outer, inner) = (CancelScope::new(), CancelScope::new());
        outer.cancel();
        assert!(outer.run(async { inner.run(async { Ok(checkpoint().await?) }).await }).await?.is_none());
        assert!(outer.cancelled_caught() && !inner.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_18_a_cancellation_has_the_reason_of_the_scope_that_was_cancelled_first() {
    run_mock(async {
        for outer_first in [false, true] {
            let (outer, inner) = (CancelScope::new(), CancelScope::new());
            let text = RefCell::new(None);
            outer
                .run(async {
                    inner
                        .run(async {
                            let scopes = [(&outer, "outer"), (&inner, "inner")];
                            let [first, second] = if outer_first { scopes } else { [scopes[1], scopes[0]] };
                            first.0.cancel_with_reason(first.1);
                            second.0.cancel_with_reason(second.1);
                            second.0.cancel_with_reason("again");
                            let cancelled = checkpoint().await.unwrap_err();
                            *text.borrow_mut() = cancelled.reason().text().map(str::to_owned);
                            Err::<(), Error>(cancelled.into())
                        })
                        .await
                })
                .await?;
            let expected = if outer_first { "outer" } else { "inner" };
            assert_eq!(text.borrow().as_deref(), Some(expected));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn sched_05_a_wait_that_is_dropped_calls_no_abort() {
    run_mock(async {
        let (begun, aborted) = (Cell::new(0), Rc::new(Cell::new(0)));
        let scope = CancelScope::new();
        let wait = || {
            let own = aborted.clone();
            Box::pin(wait_task_rescheduled(
                |_: Rescheduler<()>| begun.set(begun.get() + 1),
                move |_| {
                    own.set(own.get() + 1);
                    Aborted::Succeeded
                },
            ))
        };
        drop(wait());
        assert_eq!(begun.get(), 0);
        let mut waiting = wait();
        scope
            .run(async {
                begin(&mut waiting).await;
                drop(waiting);
                scope.cancel();
                Ok(())
            })
            .await?;
        assert_eq!((begun.get(), aborted.get()), (1, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_05_only_errors_of_tasks_have_an_origin() {
    run_mock(async {
        let outer = CancelScope::new();
        let origins = RefCell::new(Vec::new());
        let ended = outer
            .run(async {
                let error = nursery(async |n| {
                    n.start_soon_named("fails", async {
                        let _ = sleep_forever().await;
                        Err(Error::msg("of a child"))
                    });
                    n.start_soon_named("is cancelled", async { Ok(sleep_forever().await?) });
                    wait_all_tasks_blocked(0.0).await?;
                    outer.cancel();
                    Err::<(), _>(Error::msg("of the body"))
                })
                .await
                .unwrap_err();
                let group = error.group().unwrap();
                for (i, member) in group.errors().iter().enumerate() {
                    let what =
                        if member.is_cancelled() { "a cancellation".to_owned() } else { member.to_string() };
                    origins.borrow_mut().push((what, group.origin(i).map(|task| task.name().to_owned())));
                }
                assert!(group.origin(group.errors().len()).is_none());
                Err::<(), _>(error)
            })
            .await;
        assert!(ended.is_err());
        let mut origins = origins.take();
        origins.sort();
        assert_eq!(
            origins,
            [
                ("a cancellation".to_owned(), None),
                ("of a child".to_owned(), Some("fails".to_owned())),
                ("of the body".to_owned(), None)
            ]
        );
        assert!(ErrorGroup::new("made by hand", vec![Error::msg("one")]).origin(0).is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_18_the_errors_of_the_others_are_lost_to_a_panic() {
    let ended = catch_unwind(AssertUnwindSafe(|| {
        run_mock(nursery(async |n| {
            n.start_soon::<_>(async { Err(Error::msg("an error")) });
            n.start_soon(async { panic!("a panic") });
            Ok(())
        }))
    }));
    assert_eq!(ended.unwrap_err().downcast_ref::<&str>(), Some(&"a panic"));
}

#[test]
fn start_a_task_that_panics_before_it_is_ready_panics_in_the_caller() {
    let ended = catch_unwind(AssertUnwindSafe(|| {
        run_mock(nursery(async |n| {
            n.start(async |_status: terzetto::TaskStatus<()>| {
                checkpoint().await?;
                panic!("not ready")
            })
            .await
        }))
    }));
    assert_eq!(ended.unwrap_err().downcast_ref::<&str>(), Some(&"not ready"));
}
