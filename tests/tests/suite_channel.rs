//! What trio's own tests of channels assert, where no other test here does: `as_safe_channel`, and a few more.

use terzetto::{
    CancelScope, Error, ErrorGroup, ReceiveError, SendFailure, channel, checkpoint, move_on_after, nursery,
    sleep_forever,
    sync::{Event, ProducerSender, ReceiveChannel, SendChannel, with_producer},
    testing::{Matcher, wait_all_tasks_blocked},
};
use terzetto_tests::{Trace, run_mock};

async fn count_to(sender: ProducerSender<u32>, end: u32) -> Result<(), Error> {
    for i in 0..end {
        sender.send(i).await?;
    }
    Ok(())
}

#[test]
fn trio_channel_as_safe_channel_exhaust_and_nested_loops() {
    run_mock(async {
        let mut outer = Vec::new();
        let seen = &mut outer;
        with_producer(
            async |sender| count_to(sender, 2).await,
            async move |values| {
                while let Some(i) = values.next().await? {
                    let inner = with_producer(
                        async |sender| count_to(sender, 2).await,
                        async |values| {
                            let mut all = Vec::new();
                            while let Some(j) = values.next().await? {
                                all.push(j);
                            }
                            Ok(all)
                        },
                    );
                    seen.push((i, inner.await?));
                }
                Ok(())
            },
        )
        .await?;
        assert_eq!(outer, [(0, vec![0, 1]), (1, vec![0, 1])]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_channel_as_safe_channel_broken_resource() {
    run_mock(with_producer(
        async |sender| count_to(sender, 2).await,
        async |values| {
            assert_eq!(values.receive().await?, 0);
            values.close();
            assert!(matches!(values.receive().await, Err(ReceiveError::Closed)));
            values.close();
            Ok(())
        },
    ))
    .unwrap();
}

/// A producer that must not go on.
async fn one_and_no_more(sender: ProducerSender<u32>) -> Result<(), Error> {
    sender.send(1).await?;
    panic!("nobody has asked for another value")
}

#[test]
fn trio_channel_as_safe_channel_cancelled() {
    run_mock(async {
        let scope = CancelScope::new();
        let unasked = with_producer(
            async |_sender: ProducerSender<u32>| panic!("nobody has asked for a value"),
            async |_values| {
                scope.cancel();
                // The producer has every chance to begin.
                Ok(checkpoint().await?)
            },
        );
        assert!(scope.run(unasked).await?.is_none());
        // Nor without a cancellation.
        with_producer(
            async |_sender: ProducerSender<u32>| panic!("nobody has asked for a value"),
            async |_values| wait_all_tasks_blocked(0.0).await.map_err(Into::into),
        )
        .await
    })
    .unwrap();
}

#[test]
fn trio_channel_as_safe_channel_no_race() {
    let outcome = run_mock(with_producer(
        async |sender| {
            sender.send(1).await?;
            Err(Error::msg("oae"))
        },
        async |values| {
            while let Some(value) = values.next().await? {
                assert_eq!(value, 1);
            }
            Ok(())
        },
    ));
    // As it is, in no group.
    Matcher::any().text("oae").matches(&outcome.unwrap_err()).unwrap();
}

#[test]
fn trio_channel_as_safe_channel_buffer_size_too_small_and_no_interleave() {
    run_mock(async {
        let stays = with_producer(one_and_no_more, async |values| {
            assert_eq!(values.receive().await?, 1);
            Ok(sleep_forever().await?)
        });
        assert!(move_on_after(5.0, stays).await?.is_none());
        with_producer(one_and_no_more, async |values| {
            assert_eq!(values.receive().await?, 1);
            Ok(checkpoint().await?)
        })
        .await
    })
    .unwrap();
}

#[test]
fn trio_channel_as_safe_channel_genexit_finally() {
    let trace = Trace::default();
    let outcome = run_mock(with_producer(
        async |sender| {
            let failure = sender.send(1).await.unwrap_err();
            assert!(matches!(failure, SendFailure::Cancelled(_)));
            trace.note("stopped");
            Err(Error::msg("agen"))
        },
        async |values| -> Result<(), Error> {
            assert_eq!(values.receive().await?, 1);
            Err(Error::msg("iterator"))
        },
    ));
    let both = Matcher::group([Matcher::any().text("agen"), Matcher::any().text("iterator")]);
    both.matches(&outcome.unwrap_err()).unwrap();
    assert_eq!(trace.text(), "stopped");
}

#[test]
fn trio_channel_as_safe_channel_doesnt_leak_cancellation() {
    let outcome = run_mock(async {
        with_producer(
            async |sender: ProducerSender<()>| {
                sender.send(()).await?;
                let scope = CancelScope::new();
                scope.cancel();
                scope.run(async { Ok(sender.send(()).await?) }).await.map(drop)
            },
            async |values| {
                while values.next().await?.is_some() {}
                Ok(())
            },
        )
        .await?;
        Err::<(), _>(Error::msg("should be reached"))
    });
    assert_eq!(outcome.unwrap_err().to_string(), "should be reached");
}

#[test]
fn trio_channel_as_safe_channel_dont_unwrap_user_exceptiongroup() {
    let outcome = run_mock(with_producer(
        async |_sender: ProducerSender<()>| panic!("not entered"),
        async |_values| -> Result<(), Error> { Err(ErrorGroup::new("foo", vec![Error::msg("bar")]).into()) },
    ));
    let error = outcome.unwrap_err();
    Matcher::group([Matcher::any().text("bar")]).text("foo").matches(&error).unwrap();
}

#[test]
fn trio_channel_as_safe_channel_multiple_receiver() {
    let trace = &Trace::default();
    run_mock(async {
        let event = Event::new();
        with_producer(
            async |sender| {
                event.wait().await?;
                count_to(sender, 2).await
            },
            async |values| {
                let values = &values;
                nursery(async |n| {
                    for name in ["first", "second"] {
                        n.start_soon(async move {
                            trace.note(format!("{name}:{}", values.receive().await?));
                            Ok(())
                        });
                        wait_all_tasks_blocked(0.0).await?;
                    }
                    event.set();
                    Ok(())
                })
                .await
            },
        )
        .await
    })
    .unwrap();
    assert_eq!(trace.text(), "first:0 second:1");
}

#[test]
fn trio_channel_as_safe_channel_multi_cancel() {
    let trace = Trace::default();
    run_mock(async {
        let scope = CancelScope::new();
        let both = with_producer(
            async |sender: ProducerSender<()>| {
                let sent = sender.send(()).await;
                trace.note(format!("producer {}", checkpoint().await.is_err()));
                Ok(sent?)
            },
            async |values| {
                values.receive().await?;
                scope.cancel();
                let cancelled = checkpoint().await;
                trace.note(format!("body {}", cancelled.is_err()));
                Ok(cancelled?)
            },
        );
        let outcome = scope.run(async {
            let error = both.await.unwrap_err();
            // In no group.
            assert!(error.is_cancelled() && error.group().is_none());
            Err::<(), _>(error)
        });
        assert!(outcome.await?.is_none());
        Ok(())
    })
    .unwrap();
    assert_eq!(trace.text(), "body true producer true");
}

#[test]
fn trio_channel_as_safe_channel_genexit_filter() {
    let outcome = run_mock(with_producer(
        async |sender: ProducerSender<()>| {
            nursery(async |n| {
                n.start_soon(async {
                    let _cancelled = sleep_forever().await;
                    Err(Error::msg("while cleaning up"))
                });
                Ok(sender.send(()).await?)
            })
            .await
        },
        async |values| Ok(values.receive().await?),
    ));
    // The producer's own nursery has made the group.
    Matcher::group([Matcher::any().text("while cleaning up")]).matches(&outcome.unwrap_err()).unwrap();
}

#[test]
fn trio_channel_as_safe_channel_close_between_iteration() {
    run_mock(with_producer(
        async |sender: ProducerSender<()>| {
            loop {
                sender.send(()).await?;
            }
        },
        async |values| {
            nursery(async |n| {
                n.start_soon(async {
                    checkpoint().await?;
                    values.close();
                    Ok(())
                });
                let ended = loop {
                    if let Err(ended) = values.next().await {
                        break ended;
                    }
                };
                assert!(matches!(ended, ReceiveError::Closed));
                Ok(())
            })
            .await
        },
    ))
    .unwrap();
}

#[test]
fn trio_channel_as_safe_channel_close_before_iteration() {
    run_mock(with_producer(
        async |_sender: ProducerSender<()>| panic!("should not be reached"),
        async |values| {
            values.close();
            assert!(matches!(values.receive().await, Err(ReceiveError::Closed)));
            Ok(wait_all_tasks_blocked(0.0).await?)
        },
    ))
    .unwrap();
}

#[test]
fn a_producer_goes_no_further_for_a_receive_that_was_cancelled() {
    let trace = Trace::default();
    run_mock(with_producer(
        async |sender| {
            for i in 0.. {
                trace.note(format!("make:{i}"));
                sender.send(i).await?;
            }
            Ok(())
        },
        async |values| {
            // It is asked for, and made meanwhile.
            let scope = CancelScope::new();
            scope
                .run(async {
                    let waits = values.receive();
                    scope.cancel();
                    Ok(waits.await.map(drop)?)
                })
                .await?;
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(values.receive().await?, 0);
            assert!(move_on_after(1.0, async { Ok(wait_all_tasks_blocked(0.0).await?) }).await?.is_some());
            Ok(())
        },
    ))
    .unwrap();
    assert_eq!(trace.text(), "make:0");
}

#[test]
fn trio_channel_553() {
    run_mock(async {
        let (sender, receiver) = channel(1);
        assert!(move_on_after(10.0, async { Ok(receiver.receive().await?) }).await?.is_none());
        // It goes into the buffer, and not to who has left.
        sender.send("a").await?;
        assert_eq!(receiver.receive_nowait().unwrap(), "a");
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_channel_inf_capacity_and_statistics() {
    run_mock(async {
        let (sender, receiver) = channel(usize::MAX);
        for i in 0..10 {
            sender.send_nowait(i)?;
        }
        assert_eq!(sender.statistics().peak_buffer_used, 10);
        drop(sender);
        let mut all = Vec::new();
        while let Some(i) = receiver.next().await? {
            all.push(i);
        }
        assert_eq!(all, Vec::from_iter(0..10));
        // The mark stays when the buffer is empty again, and senders that wait count as nothing.
        let (sender, receiver) = channel(2);
        assert_eq!((sender.statistics().peak_buffer_used, receiver.statistics().peak_buffer_used), (0, 0));
        sender.send_nowait(0)?;
        assert_eq!(sender.statistics().peak_buffer_used, 1);
        nursery(async |n| {
            sender.send_nowait(1)?;
            n.start_soon(async { Ok(sender.send(2).await?) });
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(receiver.statistics().tasks_waiting_send, 1);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        while receiver.receive_nowait().is_ok() {}
        let statistics = receiver.statistics();
        assert_eq!((statistics.current_buffer_used, statistics.peak_buffer_used), (0, 2));
        Ok(())
    })
    .unwrap();
}

#[test]
fn the_traits_of_channels_are_those_of_memory_and_of_producers() {
    async fn pass_on(from: impl ReceiveChannel<Item = u32>, to: &impl SendChannel<u32>) -> Result<(), Error> {
        to.send(from.receive().await.map_err(Into::into)?).await.map_err(Into::into)?;
        while let Some(value) = from.next().await.map_err(Into::into)? {
            to.send(value + 100).await.map_err(Into::into)?;
        }
        Ok(())
    }
    run_mock(async {
        let (sender, receiver) = channel(usize::MAX);
        with_producer(
            async |sender| count_to(sender, 2).await,
            async |values| pass_on(values, &sender).await,
        )
        .await?;
        let outcome = with_producer(
            async |again| pass_on(&receiver, &again).await,
            async |values| Ok((values.receive().await?, values.receive().await?)),
        );
        assert_eq!(outcome.await?, (0, 201));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_producer_in_a_cancelled_region_lets_neither_side_begin() {
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel();
        scope
            .run(async {
                let refused = with_producer(
                    async |_sender: ProducerSender<i32>| panic!("the producer has begun"),
                    async |_receiver| -> Result<(), Error> { panic!("the consumer has begun") },
                );
                assert!(refused.await.unwrap_err().is_cancelled());
                Ok(())
            })
            .await?;
        Ok(())
    })
    .unwrap();
}
