//! START: `nursery.start`.

use std::{
    cell::Cell,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use terzetto::{
    CancelScope, Error, NeverStarted, NurseryClosed, StartedTwice, TaskStatus, checkpoint, current_time,
    lowlevel::cancel_shielded_checkpoint, move_on_after, nursery, sleep, sleep_forever,
};
use terzetto_tests::{Trace, run_mock};

#[test]
fn start_01_returns_the_value_once_the_child_is_ready() {
    let ended_at = Cell::new(0.0);
    run_mock(async {
        nursery(async |n| {
            let value = n
                .start(async |status: TaskStatus<u32>| {
                    sleep(1.0).await?;
                    status.started(7)?;
                    sleep(2.0).await?;
                    ended_at.set(current_time());
                    Ok(())
                })
                .await?;
            assert_eq!((value, current_time()), (7, 1.0));
            assert_eq!(n.child_count(), 1);
            Ok(())
        })
        .await?;
        assert_eq!((ended_at.get(), current_time()), (3.0, 3.0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn start_02_a_child_that_ends_without_being_ready_is_told() {
    run_mock(async {
        nursery(async |n| {
            let error = n.start_named("lazy", async |_: TaskStatus<()>| Ok(())).await.unwrap_err();
            assert!(error.downcast_ref::<NeverStarted>().is_some());
            assert!(error.to_string().contains("lazy"), "{error}");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn start_03_a_failure_before_being_ready_is_the_callers_alone() {
    run_mock(async {
        nursery(async |n| {
            n.start_soon(async {
                sleep(5.0).await?;
                Ok(())
            });
            let error = n
                .start(async |_: TaskStatus<()>| {
                    sleep(1.0).await?;
                    Err(Error::msg("no port"))
                })
                .await
                .unwrap_err();
            assert_eq!(error.to_string(), "no port");
            assert!(!n.cancel_scope().cancel_called());
            Ok(())
        })
        .await?;
        assert_eq!(current_time(), 5.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn start_04_a_second_started_fails() {
    run_mock(async {
        nursery(async |n| {
            n.start(async |status| {
                status.started(())?;
                assert_eq!(status.started(()), Err(StartedTwice));
                Ok(())
            })
            .await
        })
        .await
    })
    .unwrap();
}

#[test]
fn start_05_a_failure_after_being_ready_is_the_nurserys() {
    let error = run_mock(async {
        nursery(async |n| {
            n.start(async |status| {
                status.started(())?;
                sleep(1.0).await?;
                Err(Error::msg("late"))
            })
            .await?;
            sleep_forever().await?;
            Ok(())
        })
        .await
    })
    .unwrap_err();
    assert_eq!(error.group().unwrap().leaves().map(ToString::to_string).collect::<Vec<_>>(), ["late"]);
}

#[test]
fn start_06_the_callers_scopes_hold_until_started_and_the_nurserys_after() {
    let trace = &Trace::default();
    run_mock(async {
        nursery(async |n| {
            let caught = move_on_after(1.0, async {
                n.start(async |_: TaskStatus<()>| {
                    let outcome = sleep_forever().await;
                    trace.note("cancelled before");
                    Ok(outcome?)
                })
                .await
            })
            .await?;
            assert!(caught.is_none());
            let scope = CancelScope::new();
            scope
                .run(async {
                    n.start(async |status| {
                        status.started(())?;
                        sleep(3.0).await?;
                        trace.note("not cancelled after");
                        Ok(())
                    })
                    .await?;
                    scope.cancel();
                    Ok(())
                })
                .await?;
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(trace.text(), "cancelled before not cancelled after");
}

/// The child opens a nursery of its own with a sleeping task, and says that it is ready from inside.
async fn with_grandchild(status: TaskStatus<()>, trace: &Trace) -> Result<(), Error> {
    nursery(async |inner| {
        inner.start_soon(async {
            let outcome = sleep_forever().await;
            trace.note("grandchild");
            Ok(outcome?)
        });
        sleep(1.0).await?;
        status.started(())?;
        let outcome = sleep_forever().await;
        trace.note("child");
        Ok(outcome?)
    })
    .await
}

#[test]
fn start_07_a_cancelled_nursery_reaches_what_is_moved_into_it() {
    for cancel_at in [0.5, 1.0, 1.5] {
        let trace = &Trace::default();
        run_mock(async {
            let target = CancelScope::new();
            nursery(async |outer| {
                let target = &target;
                outer.start_soon(async move {
                    sleep(cancel_at).await?;
                    target.cancel();
                    Ok(())
                });
                target
                    .run(nursery(async |n| {
                        // The caller of `start` is shielded from the cancellation of the nursery.
                        let caller = CancelScope::new().shielded(true);
                        caller
                            .run(async {
                                n.start(async |status| with_grandchild(status, trace).await).await?;
                                Ok(())
                            })
                            .await?;
                        Ok(())
                    }))
                    .await?;
                assert_eq!(current_time(), f64::max(cancel_at, 1.0));
                Ok(())
            })
            .await
        })
        .unwrap();
        let mut words: Vec<String> = trace.text().split(' ').map(str::to_owned).collect();
        words.sort();
        assert_eq!(words, ["child", "grandchild"], "{cancel_at}");
    }
}

#[test]
fn start_08_a_pending_start_keeps_the_nursery_open() {
    let trace = &Trace::default();
    run_mock(async {
        nursery(async |outer| {
            nursery(async |n| {
                // The caller lives in the outer nursery; the body of the inner one ends at once.
                let handle: &_ = n;
                handle.start_soon(async move {
                    handle
                        .start(async |status| {
                            sleep(2.0).await?;
                            status.started(())?;
                            sleep(1.0).await?;
                            trace.note("done");
                            Ok(())
                        })
                        .await
                });
                Ok(())
            })
            .await?;
            assert_eq!((current_time(), outer.child_count()), (3.0, 0));
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(trace.text(), "done");
}

#[test]
fn start_09_started_is_quiet_when_the_caller_is_cancelled() {
    let trace = &Trace::default();
    run_mock(async {
        nursery(async |n| {
            let scope = CancelScope::new();
            let own = scope.clone();
            scope
                .run(async {
                    let outcome = n
                        .start(async move |status: TaskStatus<u8>| {
                            own.cancel();
                            status.started(3)?;
                            let outcome = sleep(1.0).await;
                            trace.note(if outcome.is_err() { "cancelled" } else { "slept" });
                            Ok(outcome?)
                        })
                        .await;
                    assert!(outcome.as_ref().unwrap_err().is_cancelled());
                    outcome?;
                    Ok(())
                })
                .await?;
            assert!(scope.cancelled_caught());
            assert_eq!(n.child_count(), 0);
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(trace.text(), "cancelled");
}

#[test]
fn start_09_started_notices_deadlines_that_have_passed() {
    let scope = CancelScope::with_timeout(1.0);
    run_mock(nursery(async |n| {
        n.start(async |status: TaskStatus<()>| {
            let inside = async {
                scope.set_relative_deadline(0.0);
                Ok(status.started(())?)
            };
            // Nothing checks for cancellation inside.
            scope.run(inside).await.map(drop)
        })
        .await
    }))
    .unwrap();
    assert!(scope.cancel_called() && !scope.cancelled_caught());
}

#[test]
fn start_10_the_same_function_runs_under_start_soon() {
    async fn work(status: TaskStatus<u8>, ran: &Cell<u8>) -> Result<(), Error> {
        status.started(1)?;
        checkpoint().await?;
        ran.set(ran.get() + 1);
        Ok(())
    }
    let ran = Cell::new(0);
    run_mock(async {
        nursery(async |n| {
            n.start_soon(work(TaskStatus::ignored(), &ran));
            n.start(async |status| work(status, &ran).await).await?;
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(ran.get(), 2);
    // Nobody looks at it, however often it is told.
    let status = TaskStatus::ignored();
    assert_eq!((status.started(1), status.started(2)), (Ok(()), Ok(())));
}

#[test]
fn start_11_a_cancelled_start_whose_child_ends_all_the_same_returns_its_end() {
    run_mock(async {
        nursery(async |n| {
            for fails in [false, true] {
                let scope = CancelScope::new();
                let own = scope.clone();
                let outcome = scope
                    .run(async {
                        let outcome = n
                            .start(async move |status| {
                                own.cancel();
                                status.started(5)?;
                                if fails { Err(Error::msg("after all")) } else { Ok(()) }
                            })
                            .await;
                        Ok(outcome.map_err(|error| error.to_string()))
                    })
                    .await?;
                let expected = if fails { Err("after all".to_owned()) } else { Ok(5) };
                assert_eq!(outcome, Some(expected));
            }
            Ok(())
        })
        .await
    })
    .unwrap();
}

/// The scope in which `start` keeps the child catches like that of a nursery. So once a shield hides the cancellation
/// around, it goes no further, and all that is left to say is that the child never was ready.
#[test]
fn start_11_a_shield_raised_in_the_clean_up_keeps_the_cancellation_in() {
    run_mock(async {
        let (around, scope) = (CancelScope::new(), CancelScope::new());
        let (around, scope) = (&around, &scope);
        nursery(async |n| {
            n.start_soon(async {
                let ended = around.run(scope.run(async {
                    n.start(async |_: TaskStatus<()>| {
                        let slept = sleep(5.0).await;
                        scope.set_shield(true);
                        Ok(slept?)
                    })
                    .await
                }));
                let error = ended.await.unwrap_err();
                assert!(error.find::<NeverStarted>().is_some(), "{error}");
                assert!(!around.cancelled_caught() && !scope.cancelled_caught());
                Ok(())
            });
            sleep(1.0).await?;
            around.cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn start_12_a_closed_nursery_refuses_at_once() {
    /// Polls a future that tries to start a task, from the destructor of a child.
    struct TriesLater<'a, F: Future<Output = Result<(), Error>>>(Option<F>, &'a Trace);

    impl<F: Future<Output = Result<(), Error>>> Drop for TriesLater<'_, F> {
        fn drop(&mut self) {
            let Some(attempt) = self.0.take() else { return };
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(Err(error)) = pin!(attempt).as_mut().poll(&mut cx) {
                assert!(error.downcast_ref::<NurseryClosed>().is_some());
                self.1.note("refused");
            }
        }
    }

    let trace = &Trace::default();
    run_mock(async {
        let dropped_half_way = move_on_after(1.0, async {
            let block = nursery(async |n| {
                n.start_soon(async move {
                    let attempt = n.start(async |_: TaskStatus<()>| {
                        trace.note("ran");
                        Ok(())
                    });
                    let _later = TriesLater(Some(attempt), trace);
                    sleep_forever().await?;
                    Ok(())
                });
                sleep_forever().await?;
                Ok(())
            });
            let mut block = Box::pin(block);
            // Polled until the child sleeps, then dropped: the nursery closes before its children go.
            for _ in 0..4 {
                let _ = futures_util::poll!(block.as_mut());
                cancel_shielded_checkpoint().await;
            }
            drop(block);
            Ok(())
        });
        dropped_half_way.await.map(|_| ())
    })
    .unwrap();
    assert_eq!(trace.text(), "refused");
}

#[test]
fn start_dropped_half_way_drops_the_child() {
    let alive = Rc::new(());
    run_mock(async {
        nursery(async |n| {
            let held = alive.clone();
            let mut attempt = Box::pin(n.start(async move |_: TaskStatus<()>| {
                let _held = held;
                sleep_forever().await?;
                Ok(())
            }));
            for _ in 0..3 {
                assert!(futures_util::poll!(attempt.as_mut()).is_pending());
                cancel_shielded_checkpoint().await;
            }
            assert_eq!(Rc::strong_count(&alive), 2);
            drop(attempt);
            assert_eq!((Rc::strong_count(&alive), n.child_count()), (1, 0));
            Ok(())
        })
        .await
    })
    .unwrap();
}
