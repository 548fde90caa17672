//! CHAN: memory channels.

use std::{cell::RefCell, rc::Rc};
use terzetto::{
    Builder, CancelScope, ReceiveError, SendFailure, channel, checkpoint, nursery, sleep,
    testing::wait_all_tasks_blocked,
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
