//! NUR: nurseries.

use std::{
    cell::Cell,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    task::Poll,
};
use terzetto::{
    CancelScope, Error, checkpoint, current_time, lowlevel::cancel_shielded_checkpoint, move_on_after,
    nursery, sleep, sleep_forever,
};
use terzetto_tests::{Trace, levels, run_mock};

#[test]
fn nur_01_block_ends_when_body_and_children_have_ended() {
    let trace = &Trace::default();
    run_mock(async {
        nursery(async |n| {
            for seconds in [3.0, 1.0, 2.0] {
                n.start_soon(async move {
                    sleep(seconds).await?;
                    trace.note(seconds.to_string());
                    Ok(())
                });
            }
            trace.note("body");
            Ok(())
        })
        .await?;
        trace.note("after");
        Ok(())
    })
    .unwrap();
    assert_eq!(trace.text(), "body 1 2 3 after");
}

#[test]
fn nur_02_start_soon_returns_before_the_child_runs() {
    let ran = Cell::new(false);
    run_mock(async {
        nursery(async |n| {
            n.start_soon(async {
                ran.set(true);
                Ok(())
            });
            assert!(!ran.get());
            // Both are runnable in the next tick, in no promised order: two ticks are enough.
            cancel_shielded_checkpoint().await;
            cancel_shielded_checkpoint().await;
            assert!(ran.get());
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn nur_03_child_error_cancels_siblings_and_body() {
    let trace = &Trace::default();
    let error = run_mock(async {
        nursery(async |n| {
            n.start_soon(async {
                let error = sleep_forever().await.unwrap_err();
                trace.note("sibling");
                Err(error.into())
            });
            n.start_soon(async {
                sleep(1.0).await?;
                Err(Error::msg("boom"))
            });
            let cancelled = sleep_forever().await.unwrap_err();
            assert!(cancelled.to_string().contains("boom"), "{cancelled}");
            trace.note("body");
            cancelled_is(cancelled)
        })
        .await
    })
    .unwrap_err();
    let leaves: Vec<String> = error.group().unwrap().leaves().map(ToString::to_string).collect();
    assert_eq!(leaves, ["boom"]);
    assert!(trace.text().contains("sibling") && trace.text().contains("body"));
}

fn cancelled_is(cancelled: terzetto::Cancelled) -> Result<(), Error> {
    Err(cancelled.into())
}

#[test]
fn nur_04_body_error_cancels_children() {
    let cancelled = Cell::new(false);
    let error = run_mock(async {
        nursery(async |n| {
            n.start_soon(async {
                let error = sleep_forever().await.unwrap_err();
                cancelled.set(true);
                Err(error.into())
            });
            checkpoint().await?;
            Err::<(), _>(Error::msg("body"))
        })
        .await
    })
    .unwrap_err();
    assert!(cancelled.get());
    assert_eq!(error.group().unwrap().errors().len(), 1);
}

#[test]
fn nur_05_all_errors_arrive_in_one_group() {
    let error = run_mock(async {
        nursery(async |n| {
            for i in 0..3 {
                n.start_soon(async move { Err(Error::msg(format!("child {i}"))) });
            }
            n.start_soon(async { Ok(sleep_forever().await?) });
            Err::<(), _>(Error::msg("body"))
        })
        .await
    })
    .unwrap_err();
    let mut leaves: Vec<String> = error.group().unwrap().leaves().map(ToString::to_string).collect();
    leaves.sort();
    assert_eq!(leaves, ["body", "child 0", "child 1", "child 2"]);
}

#[test]
fn nur_06_a_single_error_still_arrives_in_a_group() {
    let error = run_mock(async {
        nursery(async |n| {
            n.start_soon(async { Err(Error::msg("alone")) });
            Ok(())
        })
        .await
    })
    .unwrap_err();
    let single = error.into_group().unwrap().into_single().unwrap();
    assert_eq!(single.to_string(), "alone");
}

#[test]
fn nur_08_the_wait_at_the_end_adds_no_cancellation() {
    run_mock(async {
        let scope = CancelScope::new();
        let outcome = scope
            .run(async {
                nursery(async |n| {
                    n.start_soon(async {
                        cancel_shielded_checkpoint().await;
                        cancel_shielded_checkpoint().await;
                        Ok(())
                    });
                    scope.cancel();
                    Ok(7)
                })
                .await
            })
            .await?;
        assert_eq!(outcome, Some(7));
        assert!(!scope.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_09_an_empty_block_is_a_schedule_point_and_no_cancel_point() {
    let trace = &Trace::default();
    run_mock(async {
        nursery(async |n| {
            let scope = CancelScope::new();
            scope.cancel();
            n.start_soon(async {
                trace.note("other");
                Ok(())
            });
            scope
                .run(async {
                    // In no promised order within a tick: two of them are enough.
                    nursery(async |_| Ok(())).await?;
                    nursery(async |_| Ok(())).await?;
                    trace.note("after");
                    Ok(())
                })
                .await?;
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(trace.text(), "other after");
}

#[test]
fn nur_10_children_belong_to_the_nursery_they_were_started_in() {
    run_mock(async {
        nursery(async |outer| {
            let scope = CancelScope::new();
            scope
                .run(async {
                    outer.start_soon(async {
                        let start = current_time();
                        sleep(5.0).await?;
                        assert_eq!(current_time() - start, 5.0);
                        Ok(())
                    });
                    scope.cancel();
                    sleep_forever().await?;
                    Ok(())
                })
                .await?;
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn nur_11_a_child_may_start_siblings_after_the_body_has_ended() {
    let trace = &Trace::default();
    run_mock(async {
        nursery(async |n| {
            n.start_soon(async move {
                sleep(1.0).await?;
                n.start_soon(async {
                    trace.note("sibling");
                    Ok(())
                });
                Ok(())
            });
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(trace.text(), "sibling");
}

#[test]
fn nur_12_cancelling_the_nursery_ends_it_without_an_error() {
    run_mock(async {
        nursery(async |n| {
            n.start_soon(async { Ok(sleep_forever().await?) });
            n.cancel_scope().cancel();
            Ok(sleep_forever().await?)
        })
        .await
    })
    .unwrap();
}

#[test]
fn nur_14_a_crash_climbs_level_by_level() {
    let error = run_mock(async {
        nursery(async |_| {
            nursery(async |n| {
                n.start_soon(async { Err(Error::msg("deep")) });
                Ok(())
            })
            .await
        })
        .await
    })
    .unwrap_err();
    let inner = error.group().unwrap().errors()[0].group().unwrap();
    assert_eq!(inner.errors()[0].to_string(), "deep");
}

#[test]
fn nur_15_a_task_started_in_a_cancelled_nursery_runs_to_its_first_checkpoint() {
    let trace = &Trace::default();
    run_mock(async {
        nursery(async |n| {
            n.cancel_scope().cancel();
            n.start_soon(async {
                trace.note("started");
                checkpoint().await?;
                trace.note("not reached");
                Ok(())
            });
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(trace.text(), "started");
}

#[test]
fn nur_16_children_borrow_from_the_enclosing_frame() {
    let mut halves = [0, 0];
    let (left, right) = halves.split_at_mut(1);
    run_mock(async {
        nursery(async |n| {
            n.start_soon(async {
                sleep(1.0).await?;
                left[0] = 1;
                Ok(())
            });
            n.start_soon(async {
                right[0] = 2;
                Ok(())
            });
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(halves, [1, 2]);
}

struct OnDrop<'a>(&'a Cell<u32>);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn nur_17_dropping_half_way_drops_children_and_forgetting_stops_them() {
    for forget in [false, true] {
        let (dropped, polls) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        run_mock(async {
            let (inner_dropped, inner_polls) = (dropped.clone(), polls.clone());
            let mut block = Box::pin(async move {
                let frame = (inner_dropped, inner_polls);
                nursery(async |n| {
                    for _ in 0..10 {
                        n.start_soon(async {
                            let _on_drop = OnDrop(&frame.0);
                            loop {
                                frame.1.set(frame.1.get() + 1);
                                checkpoint().await?;
                            }
                        });
                    }
                    Ok(())
                })
                .await
            });
            for _ in 0..3 {
                let polled = futures_util::poll!(block.as_mut());
                assert!(polled.is_pending());
                checkpoint().await?;
            }
            let before = polls.get();
            assert!(before > 0);
            match forget {
                true => std::mem::forget(block),
                false => drop(block),
            }
            for _ in 0..10 {
                checkpoint().await?;
            }
            assert_eq!(polls.get(), before);
            assert_eq!(dropped.get(), if forget { 0 } else { 10 });
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn nur_18_a_panic_cancels_siblings_and_goes_on_in_the_parent() {
    let trace = &Trace::default();
    let payload = catch_unwind(AssertUnwindSafe(|| {
        run_mock(async {
            nursery(async |n| {
                n.start_soon(async {
                    let cancelled = sleep_forever().await.unwrap_err();
                    CancelScope::new().shielded(true).run(async { Ok(sleep(1.0).await?) }).await?;
                    trace.note("cleaned");
                    Err(cancelled.into())
                });
                n.start_soon(async {
                    checkpoint().await?;
                    panic!("oh dear")
                });
                Ok(())
            })
            .await
        })
    }))
    .unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"oh dear"));
    assert_eq!(trace.text(), "cleaned");
    // RUN-10: a run may follow one that panicked.
    run_mock(async { Ok(checkpoint().await?) }).unwrap();
}

type Block = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Nurseries in the bodies of nurseries: all are opened in one poll.
fn nested_bodies(levels: u32) -> Block {
    Box::pin(async move {
        match levels {
            0 => Ok(sleep(1.0).await?),
            _ => nursery(async |_| nested_bodies(levels - 1).await).await,
        }
    })
}

/// Nurseries in the children of nurseries: one more level a tick.
fn nested_children(levels: u32) -> Block {
    Box::pin(async move {
        if levels == 0 {
            return Ok(sleep(1.0).await?);
        }
        nursery(async |n| {
            n.start_soon(nested_children(levels - 1));
            Ok(())
        })
        .await
    })
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    run_mock(nested_children(1_000)).unwrap();
    // Ten thousand deep, polled and then dropped half-way.
    run_mock(async {
        let mut block = nested_bodies(levels(10_000));
        for _ in 0..3 {
            assert!(futures_util::poll!(block.as_mut()).is_pending());
            checkpoint().await?;
        }
        drop(block);
        Ok(())
    })
    .unwrap();
}

#[test]
fn foreign_combinators_work_inside_a_task() {
    run_mock(async {
        let start = current_time();
        let sum = Cell::new(0.0);
        let (left, right) = futures_util::future::join(
            nursery(async |n| {
                for i in 0..100 {
                    let sum = &sum;
                    n.start_soon(async move {
                        sleep(f64::from(i)).await?;
                        sum.set(sum.get() + 1.0);
                        Ok(())
                    });
                }
                Ok(())
            }),
            move_on_after(5.0, async { Ok(sleep_forever().await?) }),
        )
        .await;
        left?;
        assert_eq!((right?, sum.get(), current_time() - start), (None, 100.0, 99.0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_16_the_bodys_value_may_borrow_from_the_enclosing_frame() {
    run_mock(async {
        let names = [String::from("ada"), String::from("grace")];
        let longest = nursery(async |n| {
            n.start_soon(async { Ok(checkpoint().await?) });
            let longest = names.iter().max_by_key(|name| name.len());
            longest.map(String::as_str).ok_or_else(|| Error::msg("nobody"))
        });
        assert_eq!(longest.await?, "grace");
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_12_the_bodys_value_is_kept_when_its_children_are_cancelled() {
    let value = run_mock(nursery(async |n| {
        n.start_soon(async { Ok(sleep_forever().await?) });
        checkpoint().await?;
        n.cancel_scope().cancel();
        Ok("kept")
    }));
    assert_eq!(value.unwrap(), "kept");
}

#[test]
fn nur_01_a_body_that_has_woken_itself_in_its_last_poll_has_ended() {
    let wake = || {
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(())
        })
    };
    for yields in 0..3 {
        run_mock(nursery(async |n| {
            n.start_soon(async move {
                wake().await;
                Ok(())
            });
            for _ in 0..yields {
                checkpoint().await?;
            }
            wake().await;
            Ok(())
        }))
        .unwrap();
        // A wait of the body is aborted by the body itself.
        run_mock(nursery(async |n| {
            let mut sleeps = pin!(sleep(1_000.0));
            for _ in 0..=yields {
                assert!(poll_fn(|cx| Poll::Ready(sleeps.as_mut().poll(cx))).await.is_pending());
                checkpoint().await?;
            }
            n.cancel_scope().cancel();
            Ok(())
        }))
        .unwrap();
    }
}
