//! PAT-12: a scope is shut down. PAT-13, servers, is in `graceful_servers.rs`; PAT-14, signals, in
//! `../graceful_signals.rs`.

use std::cell::Cell;
use terzetto::{
    CancelScope, Error, channel, checkpoint,
    children::{gather, map},
    current_effective_deadline, current_time, fail_after,
    graceful::{finish, is_shutting_down, shut_down_begun, until_shut_down},
    move_on_after, nursery,
    race::first_to_succeed,
    service::with_services,
    sleep, sleep_forever,
    supervise::Supervisor,
};
use terzetto_tests::{Trace, run_mock};

/// Sleeps for ever, and notes when that was cut short.
async fn stays(who: &str, trace: &Trace) -> Result<(), Error> {
    let outcome = sleep_forever().await;
    trace.note(format!("{who}@{}", current_time()));
    Ok(outcome?)
}

/// Runs `inside` in a scope that is shut down after one second, with that grace.
async fn shut_down_after_one<T>(
    grace: f64,
    inside: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    let scope = &CancelScope::new();
    nursery(async |n| {
        n.start_soon(async move {
            sleep(1.0).await?;
            scope.shut_down(grace);
            Ok(())
        });
        let outcome = scope.run(inside).await?;
        n.cancel_scope().cancel();
        Ok(outcome)
    })
    .await
}

#[test]
fn pat_12_code_that_asked_for_nothing_is_cancelled_at_once_and_the_rest_when_the_grace_ends() {
    run_mock(async {
        let trace = &Trace::default();
        let outcome = shut_down_after_one(5.0, async {
            nursery(async |n| {
                n.start_soon(stays("plain", trace));
                n.start_soon(finish(stays("finishes", trace)));
                n.start_soon(finish(async {
                    assert!(until_shut_down(async { stays("told", trace).await }).await?.is_none());
                    // Level-triggered: it is told again and again, and goes on all the same.
                    assert!(until_shut_down(async { Ok(checkpoint().await?) }).await?.is_none());
                    shut_down_begun().await?;
                    sleep(2.0).await?;
                    trace.note(format!("farewell@{}", current_time()));
                    Ok(())
                }));
                Ok(())
            })
            .await
        });
        assert!(outcome.await?.is_none());
        let text = trace.text().replace("told@1 plain@1", "plain@1 told@1");
        assert_eq!(text, "plain@1 told@1 farewell@3 finishes@6");
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_the_shutdown_ends_when_all_has_finished() {
    run_mock(async {
        let outcome = shut_down_after_one(
            5.0,
            finish(async {
                sleep(3.0).await?;
                Ok("finished")
            }),
        );
        assert_eq!((outcome.await?, current_time()), (Some("finished"), 3.0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_after_finishing_the_code_is_cancelled_and_goes_no_further() {
    run_mock(async {
        let reached = Cell::new(0);
        let outcome = shut_down_after_one(5.0, async {
            finish(async { Ok(sleep(2.0).await?) }).await?;
            reached.set(1);
            checkpoint().await?;
            reached.set(2);
            Ok(())
        });
        assert_eq!((outcome.await?, reached.get(), current_time()), (None, 1, 2.0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_in_the_grace_period_deadlines_failures_and_cancellations_reach_what_finishes() {
    run_mock(async {
        // A deadline between the scope and what finishes, and one inside.
        let outcome = shut_down_after_one(50.0, async {
            let both = gather((
                finish(async {
                    let inner = move_on_after(3.0, async { Ok(sleep_forever().await?) }).await?;
                    Ok((inner, current_time()))
                }),
                finish(async {
                    let between = move_on_after(2.0, finish(async { Ok(sleep_forever().await?) })).await?;
                    Ok((between, current_time()))
                }),
            ));
            both.await
        });
        assert_eq!(outcome.await?, Some(((None, 3.0), (None, 2.0))));
        // A failure beside it.
        let begun = current_time();
        let outcome = shut_down_after_one(50.0, async {
            nursery(async |n| {
                n.start_soon(finish(async { Ok(sleep_forever().await?) }));
                n.start_soon(finish(async {
                    sleep(4.0).await?;
                    Err(Error::msg("broken"))
                }));
                Ok(())
            })
            .await
        });
        let error = outcome.await.unwrap_err();
        assert!(error.to_string().contains("broken") && current_time() == begun + 4.0, "{error}");
        // A cancellation from outside.
        let begun = current_time();
        let outcome = shut_down_after_one(50.0, finish(async { Ok(sleep_forever().await?) }));
        assert!(move_on_after(2.0, outcome).await?.is_none());
        assert_eq!(current_time(), begun + 2.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_cancel_ends_the_grace_and_a_second_shutdown_only_shortens_it() {
    run_mock(async {
        for (second, expected) in [(Some(2.0), 3.5), (Some(100.0), 11.0), (None, 1.5)] {
            let (scope, begun) = (&CancelScope::new(), current_time());
            nursery(async |n| {
                n.start_soon(async {
                    assert!(scope.run(finish(async { Ok(sleep_forever().await?) })).await?.is_none());
                    Ok(())
                });
                sleep(1.0).await?;
                scope.shut_down(10.0);
                assert!(scope.shut_down_called() && !scope.cancel_called());
                sleep(0.5).await?;
                match second {
                    Some(grace) => scope.shut_down(grace),
                    None => scope.cancel(),
                }
                Ok(())
            })
            .await?;
            assert!(scope.cancelled_caught() && scope.cancel_called());
            assert_eq!(current_time() - begun, expected, "{second:?}");
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_no_grace_is_a_cancellation_and_a_scope_that_was_not_entered_is_cancelled() {
    run_mock(async {
        assert!(shut_down_after_one(0.0, finish(async { Ok(sleep_forever().await?) })).await?.is_none());
        assert_eq!(current_time(), 1.0);
        let scope = CancelScope::new();
        scope.shut_down(10.0);
        assert!(scope.cancel_called());
        assert!(scope.run(finish(async { Ok(checkpoint().await?) })).await?.is_none());
        // One that has ended only says so.
        let scope = CancelScope::new();
        scope.run(async { Ok(()) }).await?;
        scope.shut_down(1.0);
        assert!(scope.shut_down_called());
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_only_the_scope_that_is_shut_down_swallows_it() {
    run_mock(async {
        let inner_ended = Cell::new(false);
        let outcome = shut_down_after_one(5.0, async {
            let inner = move_on_after(100.0, async { Ok(sleep_forever().await?) }).await;
            inner_ended.set(inner.is_err_and(|error| error.is_cancelled()));
            Ok(sleep_forever().await?)
        });
        assert!(outcome.await?.is_none() && inner_ended.get());
        assert_eq!(current_time(), 1.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_a_scope_inside_what_finishes_can_be_shut_down_itself() {
    run_mock(async {
        let outcome = shut_down_after_one(
            50.0,
            finish(async {
                let scope = &CancelScope::new();
                nursery(async |n| {
                    n.start_soon(async {
                        // Its code has asked to finish for the scope outside, and not for this one.
                        assert!(scope.run(async { Ok(sleep_forever().await?) }).await?.is_none());
                        Ok(())
                    });
                    sleep(2.0).await?;
                    scope.shut_down(5.0);
                    Ok(())
                })
                .await?;
                Ok(current_time())
            }),
        );
        assert_eq!(outcome.await?, Some(2.0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_a_shield_hides_a_shutdown_and_lowering_it_shows_it() {
    run_mock(async {
        let shield = CancelScope::new().shielded(true);
        let handle = shield.clone();
        let outcome = shut_down_after_one(10.0, async {
            nursery(async |n| {
                n.start_soon(finish(async {
                    sleep(4.0).await?;
                    handle.set_shield(false);
                    Ok(())
                }));
                let seen = shield.run(async {
                    sleep(2.0).await?;
                    assert!(!is_shutting_down());
                    let outcome = sleep_forever().await;
                    assert!(is_shutting_down() && current_time() == 4.0);
                    Ok(outcome?)
                });
                seen.await.map(drop)
            })
            .await
        });
        assert!(outcome.await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_code_can_ask_whether_it_is_shut_down_and_until_when() {
    run_mock(async {
        let outcome = shut_down_after_one(
            5.0,
            finish(async {
                assert!(!is_shutting_down() && current_effective_deadline() == f64::INFINITY);
                sleep(2.0).await?;
                assert!(is_shutting_down() && current_effective_deadline() == 6.0);
                let told = until_shut_down(async {
                    assert_eq!(current_effective_deadline(), f64::NEG_INFINITY);
                    let cancelled = checkpoint().await.unwrap_err();
                    let text = cancelled.reason().text().unwrap_or_default().to_owned();
                    assert_eq!(text, "it is shut down, with 5 s to finish");
                    Err::<(), _>(cancelled.into())
                });
                assert!(told.await?.is_none());
                Ok(())
            }),
        );
        assert!(outcome.await?.is_some());
        assert!(!is_shutting_down());
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_what_was_begun_outside_and_goes_on_inside_what_finishes_finishes() {
    run_mock(async {
        let outcome = shut_down_after_one(5.0, async {
            let mut begun = Box::pin(sleep(3.0));
            terzetto_tests::begin(&mut begun).await;
            finish(async move { Ok(begun.await?) }).await?;
            Ok(current_time())
        });
        assert_eq!(outcome.await?, Some(3.0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_a_body_that_ends_by_the_shutdown_does_not_cancel_what_finishes() {
    run_mock(async {
        let trace = &Trace::default();
        let scope = &CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                sleep(1.0).await?;
                scope.shut_down(10.0);
                Ok(())
            });
            let inner = nursery(async |inner| {
                inner.start_soon(finish(async {
                    sleep(3.0).await?;
                    trace.note(format!("worked@{}", current_time()));
                    Ok(())
                }));
                stays("body", trace).await
            });
            assert_eq!(scope.run(inner).await?, None);
            Ok(())
        })
        .await?;
        assert_eq!(trace.text(), "body@1 worked@3");
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_a_nursery_is_shut_down_through_its_scope_and_waits_for_what_finishes() {
    run_mock(async {
        let trace = &Trace::default();
        nursery(async |n| {
            n.start_soon(stays("plain", trace));
            n.start_soon(finish(async {
                // A nursery inside, with one that is told and one that works.
                nursery(async |inner| {
                    inner.start_soon(async {
                        assert!(until_shut_down(stays("told", trace)).await?.is_none());
                        Ok(())
                    });
                    inner.start_soon(async {
                        sleep(3.0).await?;
                        trace.note(format!("worked@{}", current_time()));
                        Ok(())
                    });
                    Ok(())
                })
                .await
            }));
            sleep(1.0).await?;
            n.cancel_scope().shut_down(10.0);
            Ok(())
        })
        .await?;
        let text = trace.text().replace("told@1 plain@1", "plain@1 told@1");
        assert_eq!(text, "plain@1 told@1 worked@3");
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_a_task_started_in_the_grace_period_sees_the_shutdown() {
    run_mock(async {
        let trace = &Trace::default();
        nursery(async |n| {
            n.start_soon(finish(async {
                sleep(2.0).await?;
                n.start_soon(stays("plain", trace));
                n.start_soon(finish(async {
                    sleep(1.0).await?;
                    trace.note("finished");
                    Ok(())
                }));
                Ok(())
            }));
            sleep(1.0).await?;
            n.cancel_scope().shut_down(10.0);
            Ok(())
        })
        .await?;
        assert_eq!((trace.text().as_str(), current_time()), ("plain@2 finished", 3.0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_a_request_that_was_received_is_answered_and_none_is_lost() {
    run_mock(async {
        let (requests, taken) = channel(0);
        let (scope, answered) = (&CancelScope::new(), Cell::new(0));
        nursery(async |n| {
            n.start_soon(async {
                scope
                    .run(finish(async {
                        while let Some(number) = until_shut_down(async { Ok(taken.receive().await?) }).await?
                        {
                            sleep(1.0).await?;
                            answered.set(number);
                        }
                        Ok(())
                    }))
                    .await?;
                Ok(())
            });
            sleep(1.0).await?;
            // Handed over in the very instant of the shutdown.
            requests.send_nowait(1)?;
            scope.shut_down(5.0);
            assert!(move_on_after(3.0, async { Ok(requests.send(2).await?) }).await?.is_none());
            Ok(())
        })
        .await?;
        assert_eq!(answered.get(), 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_the_other_patterns_stop_too() {
    run_mock(async {
        let begun = Cell::new(0);
        let supervised = Supervisor::one_for_one().task("waits", async || {
            begun.set(begun.get() + 1);
            Ok(sleep_forever().await?)
        });
        assert!(shut_down_after_one(5.0, supervised.run()).await?.is_none());
        let calls = map(0.., async |_| finish(async { Ok(sleep(1.5).await?) }).await).at_most(2);
        assert!(shut_down_after_one(5.0, calls.collect()).await?.is_none());
        assert_eq!((begun.get(), current_time()), (1, 2.5));
        let race = first_to_succeed((
            async { Ok(sleep_forever().await.map(|_| 0)?) },
            finish(async {
                sleep(2.0).await?;
                Ok(1)
            }),
        ));
        assert_eq!(shut_down_after_one(5.0, race).await?.map(|finish| finish.value), Some(1));
        // A service that finishes is there until the last task has finished. The whole must finish to have a value.
        let trace = &Trace::default();
        let serviced = with_services(async |n, services| {
            services.start_soon(stays("service", trace));
            n.start_soon(async {
                sleep(2.0).await?;
                trace.note("task");
                Ok(())
            });
            Ok("value")
        });
        assert_eq!(shut_down_after_one(5.0, finish(serviced)).await?, Some("value"));
        assert_eq!(trace.text(), format!("task service@{}", current_time()));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_12_a_timeout_around_a_shutdown_is_kept() {
    run_mock(async {
        let ends = fail_after(2.0, shut_down_after_one(50.0, finish(async { Ok(sleep_forever().await?) })));
        assert!(ends.await.unwrap_err().downcast_ref::<terzetto::TooSlow>().is_some());
        assert_eq!(current_time(), 2.0);
        Ok(())
    })
    .unwrap();
}

#[test]
#[should_panic(expected = "grace must be a number of seconds that is not negative, and is -1")]
fn pat_12_a_grace_period_that_makes_no_sense_is_refused() {
    CancelScope::new().shut_down(-1);
}
