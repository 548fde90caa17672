//! Futures that begin in one place and go on in another: in another scope, after their scope, in another run.

use futures_util::{StreamExt, future::join, stream::FuturesUnordered};
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    rc::Rc,
    task::Poll,
    time::Duration,
};
use terzetto::{
    CancelScope, ContextVar, Error, TaskStatus, cancellable, channel, checkpoint, current_effective_deadline,
    current_task, current_time, move_on_after, nursery, sleep, sleep_forever,
    sync::{Event, Lock},
};
use terzetto_tests::{begin, run_mock, within};

type Moved<'a> = Pin<Box<dyn Future<Output = Result<Option<()>, Error>> + 'a>>;

#[test]
fn a_wait_that_began_before_its_time_limit_keeps_it() {
    let ended = run_mock(async {
        move_on_after(100.0, async {
            let event = Event::new();
            let mut waiting = pin!(event.wait());
            begin(&mut waiting).await;
            let begun = current_time();
            let _ = move_on_after(1.0, async { Ok(waiting.await?) }).await;
            Ok(current_time() - begun)
        })
        .await
    })
    .unwrap();
    assert_eq!(ended, Some(1.0), "the limit of one second is kept");
}

#[test]
fn a_nursery_that_began_before_its_time_limit_keeps_it() {
    run_mock(async {
        move_on_after(100.0, async {
            let mut block = Box::pin(nursery(async |n| {
                n.start_soon(async { Ok(sleep_forever().await?) });
                Ok(())
            }));
            begin(&mut block).await;
            let begun = current_time();
            let _ = move_on_after(1.0, block).await;
            assert_eq!(current_time() - begun, 1.0);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn a_wait_that_outlives_its_scope_is_cancelled_by_the_next() {
    run_mock(async {
        let event = Event::new();
        nursery(async |n| {
            n.start_soon(async {
                sleep(50.0).await?;
                event.set();
                Ok(())
            });
            let mut waiting = Box::pin(event.wait());
            CancelScope::new()
                .run(async {
                    begin(&mut waiting).await;
                    Ok(())
                })
                .await?;
            let begun = current_time();
            let ended = move_on_after(1.0, async { Ok(waiting.await?) }).await?;
            assert_eq!((ended, current_time() - begun), (None, 1.0));
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn a_wait_that_outlives_its_scope_is_not_cancelled_by_it() {
    run_mock(async {
        let event = Event::new();
        let mut waiting = Box::pin(event.wait());
        let inner = CancelScope::new();
        inner
            .run(async {
                begin(&mut waiting).await;
                Ok(())
            })
            .await?;
        inner.cancel();
        nursery(async |n| {
            n.start_soon(async {
                sleep(1.0).await?;
                event.set();
                Ok(())
            });
            Ok(waiting.await?)
        })
        .await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_stream_that_was_polled_before_its_time_limit_keeps_it() {
    run_mock(async {
        move_on_after(100.0, async {
            let (_s, r) = channel::<u8>(1);
            let mut values = r.into_stream();
            // Something else comes first.
            futures_util::future::select(values.next(), pin!(async { sleep(0.5).await })).await;
            let begun = current_time();
            let _ = move_on_after(1.0, async { Ok(values.next().await.transpose()?) }).await;
            assert_eq!(current_time() - begun, 1.0, "the limit is kept");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn what_outlives_a_cancelled_scope_is_not_cancelled_by_it() {
    run_mock(async {
        let (event, ended) = (Event::new(), Cell::new(false));
        let inner = CancelScope::new();
        let mut moved: Moved<'_> = Box::pin(async {
            inner
                .run(async {
                    event.wait().await.ok();
                    checkpoint().await?;
                    ended.set(true);
                    Ok(())
                })
                .await
        });
        let outer = CancelScope::new();
        outer
            .run(async {
                begin(&mut moved).await;
                outer.cancel();
                Ok(())
            })
            .await?;
        // The outer scope is left: what was moved out of it is under no cancelled scope.
        let outcome = moved.await;
        assert!(!inner.cancel_called());
        assert!(
            !inner.cancelled_caught(),
            "a scope that nobody cancelled has caught a cancellation: {outcome:?}"
        );
        assert!(ended.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn what_outlives_a_shield_is_cancelled_with_what_is_around() {
    within(Duration::from_secs(5), || {
        run_mock(async {
            let outer = CancelScope::new();
            outer
                .run(async {
                    let mut moved: Moved<'_> =
                        Box::pin(async { CancelScope::new().run(async { Ok(sleep(100.0).await?) }).await });
                    CancelScope::new()
                        .shielded(true)
                        .run(async {
                            begin(&mut moved).await;
                            outer.cancel();
                            Ok(())
                        })
                        .await?;
                    let start = current_time();
                    let outcome = moved.await;
                    assert!(current_time() - start < 50.0, "not cancelled: {outcome:?}");
                    Ok(())
                })
                .await?;
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn a_start_that_began_before_its_time_limit_keeps_it() {
    run_mock(async {
        move_on_after(100.0, async {
            nursery(async |n| {
                let mut start = Box::pin(n.start(async |_: TaskStatus<()>| Ok(sleep_forever().await?)));
                begin(&mut start).await;
                let begun = current_time();
                let _ = move_on_after(1.0, start).await;
                assert_eq!(current_time() - begun, 1.0);
                Ok(())
            })
            .await
        })
        .await
    })
    .unwrap();
}

/// A task that polls the call of `start` that waits for it, from below the scope around that call.
#[test]
fn a_started_task_that_polls_its_own_start_leaves_the_tree_a_tree() {
    within(Duration::from_secs(5), || {
        run_mock(async {
            nursery(async |n| {
                let start: Rc<RefCell<Option<Moved<'_>>>> = Rc::default();
                let own = start.clone();
                let child = async move |status: TaskStatus<()>| {
                    checkpoint().await?;
                    let mut start = own.take().unwrap();
                    begin(&mut start).await;
                    assert_eq!(current_effective_deadline(), f64::INFINITY);
                    status.started(())?;
                    start.await?;
                    Ok(())
                };
                let mut call: Moved<'_> =
                    Box::pin(async move { CancelScope::new().run(n.start(child)).await });
                begin(&mut call).await;
                *start.borrow_mut() = Some(call);
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn a_wait_polled_outside_a_scope_and_then_inside_is_cancelled_outside() {
    within(Duration::from_secs(5), || {
        run_mock(async {
            let begun = current_time();
            let ended = move_on_after(1.0, async {
                let waiting = RefCell::new(Box::pin(sleep(50.0)));
                let inside = CancelScope::new();
                let inside = inside.run(async {
                    poll_fn(|cx| Poll::Ready(waiting.borrow_mut().as_mut().poll(cx).is_pending())).await;
                    Ok(())
                });
                // The last to poll it is a scope that is left in the same poll.
                let outside = poll_fn(|cx| waiting.borrow_mut().as_mut().poll(cx));
                let (slept, left) = join(outside, inside).await;
                Ok((slept?, left?))
            });
            assert_eq!((ended.await?, current_time() - begun), (None, 1.0));
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn what_a_foreign_executor_holds_outlives_its_scope_and_keeps_the_next_time_limit() {
    within(Duration::from_secs(5), || {
        run_mock(async {
            let event = Event::new();
            let wait = || -> Pin<Box<dyn Future<Output = Result<(), Error>>>> {
                let event = event.clone();
                Box::pin(async move { Ok(event.wait().await?) })
            };
            let in_nursery = |wait| {
                Box::pin(nursery(async |n| {
                    n.start_soon(wait);
                    Ok(())
                }))
            };
            // It polls what was woken only.
            for held in [wait(), in_nursery(wait())] {
                let mut all = FuturesUnordered::new();
                all.push(held);
                let inner = CancelScope::new();
                inner
                    .run(async {
                        begin(&mut all.next()).await;
                        checkpoint().await?;
                        begin(&mut all.next()).await;
                        Ok(())
                    })
                    .await?;
                let begun = current_time();
                let limited = async {
                    let _ = move_on_after(1.0, async { all.next().await.transpose() }).await?;
                    Ok(current_time() - begun)
                };
                assert_eq!(move_on_after(100.0, limited).await?, Some(1.0));
            }
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn a_lock_belongs_to_the_task_that_polls_for_it_last() {
    run_mock(async {
        let lock = Lock::new();
        let held = lock.acquire().await?;
        let moved = RefCell::new(Some(Box::pin(lock.acquire())));
        nursery(async |n| {
            n.start_soon(async {
                let mut begun = moved.take().unwrap();
                begin(&mut begun).await;
                moved.replace(Some(begun));
                Ok(())
            });
            n.start_soon(async {
                checkpoint().await?;
                let acquiring = moved.take().unwrap();
                let _held = acquiring.await?;
                assert_eq!(lock.owner(), Some(current_task()));
                Ok(())
            });
            sleep(1.0).await?;
            drop(held);
            Ok(())
        })
        .await?;
        assert!(lock.acquire_nowait().is_ok());
        Ok(())
    })
    .unwrap();
}

static NAME: ContextVar<&str> = ContextVar::new("name");

#[test]
fn the_body_of_a_nursery_belongs_to_the_task_that_polls_it_last() {
    run_mock(async {
        let event = Event::new();
        let block = Box::pin(nursery(async |n| {
            event.wait().await?;
            let lock = Lock::new();
            let _held = lock.acquire().await?;
            assert_eq!((lock.owner(), NAME.get()), (Some(current_task()), Some("second")));
            n.start_soon(async { Ok(checkpoint().await?) });
            Ok(current_task())
        }));
        let block = RefCell::new(Some(block));
        nursery(async |n| {
            n.start_soon(async {
                NAME.set("first");
                let mut begun = block.take().unwrap();
                begin(&mut begun).await;
                block.replace(Some(begun));
                Ok(())
            });
            checkpoint().await?;
            checkpoint().await?;
            // It may have the number that the first had.
            n.start_soon(async {
                NAME.set("second");
                event.set();
                let block = block.take().unwrap();
                assert_eq!(block.await?, current_task());
                Ok(())
            });
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn the_bodies_of_nurseries_inside_each_other_move_together() {
    run_mock(async {
        let event = Event::new();
        let block = Box::pin(nursery(async |_| {
            nursery(async |_| {
                event.wait().await?;
                Ok(current_task())
            })
            .await
        }));
        let block = RefCell::new(Some(block));
        nursery(async |n| {
            n.start_soon(async {
                let mut begun = block.take().unwrap();
                begin(&mut begun).await;
                block.replace(Some(begun));
                Ok(sleep(1.0).await?)
            });
            checkpoint().await?;
            // The other task has begun, whatever the order of a batch.
            checkpoint().await?;
            event.set();
            let block = block.take().unwrap();
            assert_eq!(block.await?, current_task());
            Ok(())
        })
        .await
    })
    .unwrap();
}

/// Begins a future in one run, and goes on with it in another, which must panic and say why.
fn carry_over(future: impl Future + 'static) {
    let mut future = Box::pin(future);
    run_mock(async {
        begin(&mut future).await;
        Ok(())
    })
    .unwrap();
    let carried = catch_unwind(AssertUnwindSafe(|| {
        run_mock(async {
            let _value = future.await;
            Ok(())
        })
    }));
    let payload = carried.unwrap_err();
    let text = payload.downcast_ref::<&str>().unwrap();
    assert!(text.contains("had begun in one run was polled in another"), "{text}");
}

#[test]
fn run_08_what_began_in_another_run_fails_clearly() {
    within(Duration::from_secs(5), || {
        carry_over(sleep(1.0));
        carry_over(sleep_forever());
        let event = Event::new();
        carry_over(async move { event.wait().await });
        // Nothing in it would notice.
        let scope = CancelScope::new();
        let careless = async {
            while checkpoint().await.is_ok() {}
            Ok(())
        };
        carry_over(async move { scope.run(careless).await });
        carry_over(nursery(async |n| {
            n.start_soon(async { Ok(checkpoint().await?) });
            Ok(())
        }));
    });
}

/// As [`carry_over`], through something foreign that polls a member only when that was woken.
fn carry_over_in_a_set(future: impl Future + 'static) {
    let mut set = FuturesUnordered::new();
    set.push(async {
        future.await;
    });
    carry_over(async move { set.next().await });
}

#[test]
fn run_08_what_a_foreign_executor_carries_into_another_run_fails_clearly() {
    within(Duration::from_secs(5), || {
        carry_over_in_a_set(sleep(1.0));
        carry_over_in_a_set(sleep_forever());
        let event = Event::new();
        carry_over_in_a_set(async move { event.wait().await });
        let (_sender, receiver) = channel::<u8>(0);
        carry_over_in_a_set(async move { receiver.receive().await });
        // Each waits in a foreign future, so nothing of it is woken but the block itself.
        carry_over_in_a_set(nursery(async |_n| {
            std::future::pending::<()>().await;
            Ok(())
        }));
        carry_over_in_a_set(nursery(async |n| {
            n.start_soon(async { Ok(sleep_forever().await?) });
            Ok(())
        }));
        carry_over_in_a_set(cancellable(std::future::pending::<()>()));
    });
}
