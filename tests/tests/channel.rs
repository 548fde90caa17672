//! CHAN: memory channels.

use futures_util::{
    StreamExt,
    future::{Either, select},
};
use std::{cell::RefCell, pin::pin, rc::Rc, task::Poll};
use terzetto::{
    Builder, CancelScope, Error, ReceiveError, SendFailure, channel, checkpoint, move_on_after, nursery,
    sleep,
    sync::with_producer,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::{OnScheduled, Trace, run_mock};

#[test]
fn chan_01_a_send_of_capacity_zero_completes_only_with_a_receiver() {
    let trace = &Trace::default();
    run_mock(async {
        let (sender, receiver) = channel(0);
        nursery(async |n| {
            n.start_soon(async move {
                sender.send(1).await?;
                trace.note("sent");
                Ok(())
            });
            sleep(1.0).await?;
            trace.note("receive");
            assert_eq!(receiver.receive().await?, 1);
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(trace.text(), "receive sent");
}

#[test]
fn chan_02_values_and_waiting_senders_are_first_in_first_out() {
    run_mock(async {
        let (sender, receiver) = channel(2);
        nursery(async |n| {
            for i in 0..6 {
                let sender = sender.clone();
                n.start_soon(async move {
                    sleep(f64::from(i)).await?;
                    sender.send(i).await?;
                    Ok(())
                });
            }
            drop(sender);
            sleep(10.0).await?;
            let mut got = Vec::new();
            while let Some(value) = receiver.next().await? {
                got.push(value);
            }
            assert_eq!(got, [0, 1, 2, 3, 4, 5]);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn chan_03_nowait_fails_with_would_block() {
    run_mock(async {
        let (sender, receiver) = channel(1);
        assert!(matches!(receiver.receive_nowait(), Err(ReceiveError::WouldBlock)));
        sender.send_nowait(1)?;
        let (value, failure) = sender.send_nowait(2).unwrap_err().into_parts();
        assert!(value == 2 && matches!(failure, SendFailure::WouldBlock));
        assert_eq!(receiver.receive_nowait()?, 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_04_buffered_values_first_then_the_end_again_and_again() {
    run_mock(async {
        let (sender, receiver) = channel(2);
        sender.send(1).await?;
        drop(sender);
        assert_eq!(receiver.receive().await?, 1);
        for _ in 0..2 {
            assert!(matches!(receiver.receive().await, Err(ReceiveError::EndOfChannel)));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_05_a_sender_without_receivers_is_broken_and_buffered_values_are_dropped() {
    run_mock(async {
        let (sender, receiver) = channel(1);
        let value = Rc::new(());
        sender.send(value.clone()).await?;
        nursery(async |n| {
            n.start_soon(async {
                let (_, failure) = sender.send(value.clone()).await.unwrap_err().into_parts();
                assert!(matches!(failure, SendFailure::Broken));
                Ok(())
            });
            sleep(1.0).await?;
            drop(receiver);
            Ok(())
        })
        .await?;
        assert_eq!(Rc::strong_count(&value), 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_08_a_cancelled_send_has_sent_nothing_and_a_cancelled_receive_taken_nothing() {
    run_mock(async {
        let (sender, receiver) = channel(0);
        let (sending, receiving) = (CancelScope::new(), CancelScope::new());
        nursery(async |n| {
            n.start_soon(async {
                sending
                    .run(async {
                        let (value, failure) = sender.send(1).await.unwrap_err().into_parts();
                        assert_eq!(value, 1);
                        Err::<(), _>(failure.into())
                    })
                    .await?;
                Ok(())
            });
            sleep(1.0).await?;
            // In one tick: the sender is cancelled, then somebody looks for its value.
            sending.cancel();
            assert!(matches!(receiver.receive_nowait(), Err(ReceiveError::WouldBlock)));
            Ok(())
        })
        .await?;
        nursery(async |n| {
            n.start_soon(async {
                receiving.run(async { Ok(receiver.receive().await?) }).await?;
                Ok(())
            });
            sleep(1.0).await?;
            receiving.cancel();
            assert!(sender.send_nowait(2).is_err());
            Ok(())
        })
        .await?;
        assert!(sending.cancelled_caught() && receiving.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_08_a_value_handed_to_a_receive_that_is_dropped_is_not_lost() {
    run_mock(async {
        let (sender, receiver) = channel(0);
        let mut receive = Box::pin(receiver.receive());
        assert!(futures_util::poll!(receive.as_mut()).is_pending());
        sender.send_nowait(7)?;
        drop(receive);
        assert_eq!(receiver.receive().await?, 7);
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_08_a_buffered_value_is_not_lost_by_a_receive_that_is_dropped_while_it_lets_others_run() {
    run_mock(async {
        let (sender, receiver) = channel(2);
        sender.send_nowait(7)?;
        sender.send_nowait(8)?;
        let mut receive = Box::pin(receiver.receive());
        assert!(futures_util::poll!(receive.as_mut()).is_pending());
        drop(receive);
        assert_eq!((receiver.receive().await?, receiver.receive().await?), (7, 8));
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_02_values_that_are_put_back_keep_their_order() {
    run_mock(async {
        let (sender, receiver) = channel(0);
        for first_dropped in [0, 1] {
            let mut receives = vec![Box::pin(receiver.receive()), Box::pin(receiver.receive())];
            for receive in &mut receives {
                assert!(futures_util::poll!(receive).is_pending());
            }
            sender.send_nowait(1)?;
            sender.send_nowait(2)?;
            drop(receives.remove(first_dropped));
            drop(receives);
            // Given out again, and put back again.
            let mut again = Box::pin(receiver.receive());
            assert!(futures_util::poll!(&mut again).is_pending());
            drop(again);
            let statistics = receiver.statistics();
            assert!(statistics.current_buffer_used <= statistics.max_buffer_size, "{statistics:?}");
            assert_eq!((receiver.receive_nowait()?, receiver.receive_nowait()?), (1, 2));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_02_a_value_that_is_put_back_takes_its_room() {
    run_mock(async {
        let (sender, receiver) = channel(1);
        sender.send_nowait(1)?;
        let mut receive = Box::pin(receiver.receive());
        assert!(futures_util::poll!(&mut receive).is_pending());
        // There is room now.
        sender.send_nowait(2)?;
        drop(receive);
        assert_eq!(receiver.statistics().current_buffer_used, 1);
        nursery(async |n| {
            n.start_soon(async { Ok(sender.send(3).await?) });
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(receiver.receive_nowait()?, 1);
            assert_eq!(sender.statistics().tasks_waiting_send, 1, "the second value is in the buffer");
            assert_eq!((receiver.receive_nowait()?, receiver.receive_nowait()?), (2, 3));
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn chan_05_a_value_that_is_put_back_into_a_channel_without_receivers_is_dropped() {
    run_mock(async {
        let value = Rc::new(());
        let (sender, receiver) = channel(0);
        let mut receive = Box::pin(receiver.receive());
        assert!(futures_util::poll!(&mut receive).is_pending());
        sender.send_nowait(value.clone())?;
        receiver.close();
        drop(receive);
        assert_eq!(Rc::strong_count(&value), 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_02_a_send_from_inside_a_wake_overtakes_nobody() {
    let hook = Rc::new(OnScheduled::default());
    let main = async {
        let (sender, receiver) = channel(1);
        sender.send_nowait(1)?;
        nursery(async |n| {
            n.start_soon(async { Ok(sender.send(2).await?) });
            wait_all_tasks_blocked(0.0).await?;
            let other = sender.clone();
            hook.ask(move || {
                other.send_nowait(9).map_or_else(|refused| refused.to_string(), |()| "ok".to_owned())
            });
            assert_eq!(receiver.receive_nowait()?, 1);
            assert_eq!(hook.answer().as_deref(), Some("the channel is full, and no receiver waits"));
            assert_eq!(receiver.receive_nowait()?, 2);
            Ok(())
        })
        .await
    };
    Builder::new().instrument(hook.clone()).run(main).unwrap();
}

#[test]
fn chan_11_many_producers_and_consumers_see_every_value_once() {
    run_mock(async {
        let (sender, receiver) = channel(3);
        let got = &RefCell::new(Vec::new());
        nursery(async |n| {
            for producer in 0..20 {
                let sender = sender.clone();
                n.start_soon(async move {
                    for i in 0..50 {
                        sender.send(producer * 50 + i).await?;
                    }
                    Ok(())
                });
            }
            drop(sender);
            for _ in 0..7 {
                let receiver = receiver.clone();
                n.start_soon(async move {
                    while let Some(value) = receiver.next().await? {
                        got.borrow_mut().push(value);
                        checkpoint().await?;
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        got.borrow_mut().sort_unstable();
        assert_eq!(*got.borrow(), (0..1000).collect::<Vec<_>>());
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_06_closing_an_end_wakes_its_own_waiters_and_the_other_side() {
    run_mock(async {
        let (sender, receiver) = &channel::<u8>(0);
        nursery(async |n| {
            n.start_soon(async {
                assert!(matches!(receiver.receive().await, Err(ReceiveError::Closed)));
                Ok(())
            });
            sleep(1.0).await?;
            receiver.close();
            receiver.close();
            assert!(matches!(receiver.receive_nowait(), Err(ReceiveError::Closed)));
            Ok(())
        })
        .await?;
        assert!(matches!(sender.send(1).await.unwrap_err().into_parts(), (1, SendFailure::Broken)));
        let (sender, receiver) = &channel::<u8>(0);
        nursery(async |n| {
            n.start_soon(async {
                assert!(matches!(sender.send(2).await.unwrap_err().into_parts(), (2, SendFailure::Closed)));
                Ok(())
            });
            sleep(1.0).await?;
            sender.close();
            assert!(matches!(sender.send_nowait(3).unwrap_err().failure(), SendFailure::Closed));
            assert!(matches!(receiver.receive().await, Err(ReceiveError::EndOfChannel)));
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn chan_07_an_end_closes_with_its_last_clone() {
    run_mock(async {
        let (sender, receiver) = channel(4);
        let (second, third) = (sender.clone(), sender.clone());
        drop(sender);
        second.close();
        // A clone of a closed end is closed, and counts for nothing.
        let fourth = second.clone();
        assert!(matches!(fourth.send_nowait(0).unwrap_err().failure(), SendFailure::Closed));
        third.send(1).await?;
        assert_eq!(receiver.receive().await?, 1);
        assert!(matches!(receiver.receive_nowait(), Err(ReceiveError::WouldBlock)));
        drop(third);
        assert!(matches!(receiver.receive_nowait(), Err(ReceiveError::EndOfChannel)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_09_receiving_in_a_loop_ends_with_the_channel_and_is_a_checkpoint_each_time() {
    run_mock(async {
        let (sender, receiver) = channel(8);
        for i in 0..3 {
            sender.send_nowait(i)?;
        }
        drop(sender);
        for i in 0..3 {
            assert_eq!(assert_checkpoints(receiver.next()).await?, Some(i));
        }
        // The end is no item.
        // The end is told without a yield, as in trio.
        assert!(matches!(futures_util::poll!(pin!(receiver.next())), Poll::Ready(Ok(None))));
        assert_eq!(receiver.next().await?, None);
        let scope = CancelScope::new();
        scope.cancel();
        assert!(scope.run(async { Ok(receiver.next().await?) }).await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_10_statistics() {
    run_mock(async {
        let (sender, receiver) = &channel(1);
        let other = receiver.clone();
        nursery(async |n| {
            for i in 0..3 {
                n.start_soon(async move { Ok(sender.send(i).await?) });
            }
            wait_all_tasks_blocked(0.0).await?;
            let found = sender.statistics();
            assert_eq!((found.current_buffer_used, found.max_buffer_size), (1, 1));
            assert_eq!((found.open_send_channels, found.open_receive_channels), (1, 2));
            assert_eq!((found.tasks_waiting_send, found.tasks_waiting_receive), (2, 0));
            assert_eq!(other.statistics(), found);
            for _ in 0..3 {
                receiver.receive().await?;
            }
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn chan_12_dropping_an_end_closes_it() {
    run_mock(async {
        let (sender, receiver) = channel(1);
        nursery(async |n| {
            n.start_soon(async move {
                assert!(matches!(receiver.receive().await, Err(ReceiveError::EndOfChannel)));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            drop::<terzetto::Sender<()>>(sender);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn chan_09_a_receiver_is_a_stream() {
    run_mock(async {
        let (sender, receiver) = channel(4);
        for i in 0..4 {
            sender.send_nowait(i)?;
        }
        drop(sender);
        let values: Vec<i32> = receiver.into_stream().map(|value| value.unwrap()).collect().await;
        assert_eq!(values, [0, 1, 2, 3]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_09_a_stream_begins_afresh_after_the_scope_it_was_cancelled_in() {
    run_mock(async {
        let (sender, receiver) = channel(1);
        let mut values = receiver.into_stream();
        let first = move_on_after(1.0, async {
            // Both are cancelled, and only the sleep is asked.
            match select(pin!(sleep(50.0)), values.next()).await {
                Either::Left((slept, _)) => Ok(slept.map(|()| None)?),
                Either::Right((value, _)) => Ok(value.transpose()?),
            }
        });
        assert_eq!(first.await?, None);
        sender.send_nowait(7)?;
        assert_eq!(values.next().await.transpose()?, Some(7));
        // Where it is cancelled, it says so.
        let scope = CancelScope::new();
        scope.cancel();
        scope.run(async { Ok(values.next().await.transpose()?) }).await?;
        assert!(scope.cancelled_caught());
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_13_a_producer_ends_with_its_consumer_and_passes_errors_on() {
    let trace = &Trace::default();
    run_mock(async {
        let sum = with_producer(
            async |sender| {
                for i in 1.. {
                    if let Err(error) = sender.send(i).await {
                        trace.note("stopped");
                        return Err(error.into());
                    }
                }
                Ok(())
            },
            async |receiver| Ok(receiver.receive().await? + receiver.receive().await?),
        );
        assert_eq!(sum.await?, 3);
        let all = with_producer(
            async |sender| {
                for i in 0..3 {
                    sender.send(i).await?;
                }
                Ok(())
            },
            async |receiver| {
                let mut all = Vec::new();
                while let Some(i) = receiver.next().await? {
                    all.push(i);
                }
                Ok(all)
            },
        );
        assert_eq!(all.await?, [0, 1, 2]);
        let failed = with_producer(
            async |sender| {
                sender.send(1).await?;
                Err(Error::msg("no more"))
            },
            async |receiver| {
                while receiver.next().await?.is_some() {}
                Ok(sleep(5.0).await?)
            },
        );
        assert_eq!(failed.await.unwrap_err().to_string(), "no more");
        Ok(())
    })
    .unwrap();
    assert_eq!(trace.text(), "stopped");
}

#[test]
fn chan_13_a_channel_of_the_producers_own_that_is_broken_is_its_error() {
    let outcome = run_mock(async {
        let (log, gone) = channel(1);
        drop(gone);
        with_producer(
            async |sender| {
                sender.send(1).await?;
                Ok(log.send("sent").await?)
            },
            async |receiver| {
                while receiver.next().await?.is_some() {}
                Ok(())
            },
        )
        .await
    });
    assert!(matches!(outcome.unwrap_err().find(), Some(SendFailure::Broken)));
}
