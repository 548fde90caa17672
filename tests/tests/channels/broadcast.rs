//! BCAST: broadcast channels: what goes to whom, how they end, what is lost.

use super::{Call, CallsOnClone, CallsOnDrop, Wait, cancelled_in};
use std::{cell::RefCell, rc::Rc};
use terzetto::{
    CancelScope, Error, SendFailure, fail_after, move_on_after, nursery, sleep,
    sync::{
        BroadcastReceiveError as Failed, BroadcastReceiver, BroadcastSender, ReceiveChannel, SendChannel,
        SlowReceiver, broadcast,
    },
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::{OnScheduled, begin, run_mock};

const POLICIES: [SlowReceiver; 3] = [SlowReceiver::Wait, SlowReceiver::Lag, SlowReceiver::Disconnect];

/// All that there is to receive now.
fn rest<T: Clone>(receiver: &BroadcastReceiver<T>) -> Vec<T> {
    std::iter::from_fn(|| receiver.receive_nowait().ok()).collect()
}

async fn all<T: Clone>(receiver: BroadcastReceiver<T>) -> Result<Vec<T>, Error> {
    let mut values = Vec::new();
    while let Some(value) = receiver.next().await? {
        values.push(value);
    }
    Ok(values)
}

#[test]
fn bcast_01_every_receiver_gets_every_value_in_order() {
    for slow in POLICIES {
        run_mock(async {
            let (sender, receiver) = broadcast(2, slow);
            let got = &RefCell::new(Vec::new());
            nursery(async |n| {
                for delay in [0.0, 0.5, 0.9] {
                    let receiver = receiver.clone();
                    n.start_soon(async move {
                        sleep(delay).await?;
                        let values = all(receiver).await?;
                        got.borrow_mut().push(values);
                        Ok(())
                    });
                }
                drop(receiver);
                for i in 0..5 {
                    sender.send(i).await?;
                    sleep(1.0).await?;
                }
                drop(sender);
                Ok(())
            })
            .await?;
            assert_eq!(*got.borrow(), vec![vec![0, 1, 2, 3, 4]; 3], "{slow:?}");
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn bcast_01_a_clone_gets_what_its_original_has_not_received_and_a_subscriber_what_is_sent_later() {
    run_mock(async {
        let (sender, receiver) = broadcast(8, SlowReceiver::Wait);
        for i in 0..3 {
            sender.send_nowait(i)?;
        }
        assert_eq!(receiver.receive_nowait()?, 0);
        let (clone, subscriber) = (receiver.clone(), sender.subscribe());
        sender.send_nowait(3)?;
        assert_eq!(
            (rest(&receiver), rest(&clone), rest(&subscriber)),
            (vec![1, 2, 3], vec![1, 2, 3], vec![3])
        );
        assert_eq!(sender.statistics().current_buffer_used, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_01_several_receives_at_one_end_share_its_values() {
    run_mock(async {
        let (sender, receiver) = broadcast(8, SlowReceiver::Wait);
        let got = &RefCell::new(Vec::new());
        nursery(async |n| {
            for _ in 0..3 {
                n.start_soon(async {
                    let value = receiver.receive().await?;
                    got.borrow_mut().push(value);
                    Ok(())
                });
            }
            wait_all_tasks_blocked(0.0).await?;
            for i in 0..3 {
                sender.send(i).await?;
            }
            Ok(())
        })
        .await?;
        assert_eq!(*got.borrow(), [0, 1, 2]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_01_code_for_any_channel_takes_its_ends() {
    async fn send(to: impl SendChannel<u32>) -> Result<(), Error> {
        to.send(1).await.map_err(Into::into)
    }
    async fn receive(from: impl ReceiveChannel<Item = u32>) -> Result<(u32, Option<u32>), Error> {
        let first = from.receive().await.map_err(Into::into)?;
        Ok((first, from.next().await.map_err(Into::into)?))
    }
    run_mock(async {
        let (sender, receiver) = broadcast(1, SlowReceiver::Lag);
        send(&sender).await?;
        drop(sender);
        assert_eq!(receive(receiver).await?, (1, None));
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_05_what_was_sent_comes_first_and_then_the_end_again_and_again() {
    for slow in POLICIES {
        run_mock(async {
            let (sender, receiver) = broadcast(2, slow);
            sender.send(1).await?;
            let other = sender.clone();
            sender.close();
            sender.close();
            assert!(matches!(sender.send_nowait(2).unwrap_err().failure(), SendFailure::Closed));
            assert!(matches!(sender.send(2).await.unwrap_err().failure(), SendFailure::Closed));
            assert_eq!(receiver.receive().await?, 1);
            assert!(matches!(receiver.receive_nowait(), Err(Failed::WouldBlock)), "there is another sender");
            nursery(async |n| {
                n.start_soon(async {
                    assert!(matches!(receiver.receive().await, Err(Failed::EndOfChannel)), "it was waiting");
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                drop(other);
                Ok(())
            })
            .await?;
            assert_eq!(receiver.next().await?, None);
            assert!(matches!(receiver.receive_nowait(), Err(Failed::EndOfChannel)));
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn bcast_05_a_closed_receiver_fails_and_lets_its_values_go() {
    run_mock(async {
        let (sender, receiver) = broadcast(2, SlowReceiver::Wait);
        let value = Rc::new(());
        let other = receiver.clone();
        nursery(async |n| {
            n.start_soon(async {
                assert!(matches!(receiver.receive().await, Err(Failed::Closed)), "it was waiting");
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            receiver.close();
            receiver.close();
            Ok(())
        })
        .await?;
        assert!(matches!(receiver.receive_nowait(), Err(Failed::Closed)));
        assert!(matches!(receiver.clone().receive().await, Err(Failed::Closed)), "a clone is closed, too");
        sender.send(value.clone()).await?;
        assert_eq!(Rc::strong_count(&value), 2);
        other.close();
        assert_eq!((Rc::strong_count(&value), sender.statistics().current_buffer_used), (1, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_05_without_receivers_it_is_broken_until_somebody_subscribes() {
    for slow in POLICIES {
        run_mock(async {
            let (sender, receiver) = broadcast(1, slow);
            drop(receiver);
            let (value, failure) = sender.send_nowait(1).unwrap_err().into_parts();
            assert!(value == 1 && matches!(failure, SendFailure::Broken));
            assert!(matches!(sender.send(1).await.unwrap_err().failure(), SendFailure::Broken));
            let receiver = sender.subscribe();
            sender.send(2).await?;
            assert_eq!(receiver.receive().await?, 2);
            assert_eq!(sender.statistics().open_receive_channels, 1);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn bcast_05_a_send_that_waits_fails_when_its_end_is_closed_or_the_last_receiver_leaves() {
    run_mock(async {
        let (sender, receiver) = broadcast(1, SlowReceiver::Wait);
        let other = sender.clone();
        sender.send(0).await?;
        nursery(async |n| {
            n.start_soon(async {
                let (value, failure) = sender.send(1).await.unwrap_err().into_parts();
                assert!(value == 1 && matches!(failure, SendFailure::Closed));
                Ok(())
            });
            n.start_soon(async {
                let (value, failure) = other.send(2).await.unwrap_err().into_parts();
                assert!(value == 2 && matches!(failure, SendFailure::Broken));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            sender.close();
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(other.statistics().tasks_waiting_send, 1);
            receiver.close();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn bcast_06_a_cancelled_send_has_sent_nothing_and_gives_its_value_back() {
    run_mock(async {
        let (sender, receiver) = broadcast(1, SlowReceiver::Wait);
        assert!(cancelled_in(async { Ok(sender.send(0).await?) }).await);
        assert!(matches!(receiver.receive_nowait(), Err(Failed::WouldBlock)));
        sender.send(1).await?;
        let waited = move_on_after(1.0, async {
            let (value, failure) = sender.send(2).await.unwrap_err().into_parts();
            assert_eq!(value, 2);
            Err::<(), _>(failure.into())
        });
        assert!(waited.await?.is_none());
        assert_eq!((rest(&receiver), sender.statistics().tasks_waiting_send), (vec![1], 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_06_a_send_whose_value_has_gone_when_it_is_cancelled_has_sent_it() {
    run_mock(async {
        let (sender, receiver) = broadcast(1, SlowReceiver::Wait);
        sender.send(1).await?;
        let scope = &CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                let sent = scope.run(async { Ok(sender.send(2).await?) }).await?;
                assert!(sent.is_some());
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(receiver.receive_nowait()?, 1);
            scope.cancel();
            Ok(())
        })
        .await?;
        assert_eq!(receiver.receive_nowait()?, 2);
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_06_a_cancelled_receive_has_taken_nothing() {
    run_mock(async {
        let (sender, receiver) = broadcast(1, SlowReceiver::Wait);
        let (scope, got) = (&CancelScope::new(), &RefCell::new(None));
        nursery(async |n| {
            n.start_soon(async {
                let received = scope.run(async { Ok(receiver.receive().await?) }).await?;
                *got.borrow_mut() = received;
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            // Both in one tick. Whoever wins, the value is at one place.
            scope.cancel();
            sender.send_nowait(7)?;
            Ok(())
        })
        .await?;
        assert_eq!((got.take(), rest(&receiver)), (None, vec![7]));
        assert!(cancelled_in(async { Ok(receiver.receive().await?) }).await);
        Ok(())
    })
    .unwrap();
}

/// It is dropped while it waits; when it was woken and has not run; while it lets others run.
#[test]
fn bcast_06_a_dropped_receive_has_taken_nothing_whenever_it_is_dropped() {
    run_mock(async {
        let (sender, receiver) = broadcast(4, SlowReceiver::Wait);
        let receive = || -> Wait<'_, _> { Box::pin(receiver.receive()) };
        let (mut waits, mut woken) = (receive(), receive());
        begin(&mut waits).await;
        begin(&mut woken).await;
        drop(waits);
        sender.send_nowait(1)?;
        drop(woken);
        let mut yields = receive();
        begin(&mut yields).await;
        drop(yields);
        assert_eq!((rest(&receiver), receiver.statistics().tasks_waiting_receive), (vec![1], 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_06_of_two_receives_at_one_end_the_other_gets_what_a_dropped_one_was_woken_for() {
    run_mock(async {
        let (sender, receiver) = broadcast(4, SlowReceiver::Wait);
        let (mut first, mut second): (Wait<'_, _>, Wait<'_, _>) =
            (Box::pin(receiver.receive()), Box::pin(receiver.receive()));
        begin(&mut first).await;
        begin(&mut second).await;
        sender.send_nowait(1)?;
        drop(first);
        let got = fail_after(5.0, async { Ok(second.await?) }).await?;
        assert_eq!(got, 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_07_every_send_and_receive_that_succeeds_is_a_checkpoint() {
    for slow in POLICIES {
        run_mock(async {
            let (sender, receiver) = broadcast(1, slow);
            assert_checkpoints(sender.send(1)).await?;
            assert_checkpoints(receiver.receive()).await?;
            sender.send_nowait(2)?;
            assert_checkpoints(receiver.next()).await?;
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn bcast_08_a_value_is_cloned_for_all_but_the_last_and_may_use_the_channel_meanwhile() {
    run_mock(async {
        let (sender, receiver) = broadcast(1, SlowReceiver::Wait);
        let (sender, receiver) = (Rc::new(sender), Rc::new(receiver));
        let (own_sender, own_receiver) = (sender.clone(), receiver.clone());
        let cloned = Rc::new(RefCell::new(false));
        let own_cloned = cloned.clone();
        let call = Call::new(move || {
            assert!(matches!(own_receiver.receive_nowait(), Err(Failed::WouldBlock)), "it is received once");
            let full = own_sender.send_nowait(CallsOnClone(Rc::default()));
            assert!(matches!(full.unwrap_err().failure(), SendFailure::WouldBlock));
            own_cloned.replace(true);
        });
        let other = sender.subscribe();
        sender.send_nowait(CallsOnClone(call))?;
        drop(receiver.receive().await?);
        assert!(*cloned.borrow());
        cloned.replace(false);
        drop(other.receive().await?);
        assert!(!*cloned.borrow(), "the last one gets the value itself");
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_08_a_destructor_of_a_value_may_use_the_channel() {
    for slow in POLICIES {
        run_mock(async {
            let (sender, receiver) = broadcast::<CallsOnDrop>(1, slow);
            let sender = Rc::new(sender);
            let dropped = Rc::new(RefCell::new(Vec::new()));
            let (own, own_dropped) = (sender.clone(), dropped.clone());
            let call = Call::new(move || {
                let used = own.statistics().current_buffer_used;
                let sent = own.send_nowait(CallsOnDrop(Rc::default())).is_ok();
                own_dropped.borrow_mut().push((used, sent));
            });
            sender.send_nowait(CallsOnDrop(call))?;
            match slow {
                // Its last receiver leaves.
                SlowReceiver::Wait => drop(receiver),
                // There is no room for it any more, and then another one is sent.
                SlowReceiver::Lag => {
                    sender.send_nowait(CallsOnDrop(Rc::default()))?;
                    assert!(matches!(receiver.receive_nowait(), Err(Failed::Lagged(2))));
                }
                SlowReceiver::Disconnect => {
                    let other = sender.subscribe();
                    sender.send_nowait(CallsOnDrop(Rc::default()))?;
                    assert!(matches!(receiver.receive_nowait(), Err(Failed::Disconnected)));
                    assert!(
                        matches!(other.receive_nowait(), Err(Failed::Disconnected)),
                        "by the second send"
                    );
                }
            }
            let sent = slow == SlowReceiver::Lag;
            let used = usize::from(slow != SlowReceiver::Wait);
            assert_eq!(*dropped.borrow(), [(used, sent)], "{slow:?}");
            // Nothing holds the channel by itself.
            drop(dropped);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn bcast_02_a_send_from_inside_a_wake_overtakes_no_waiting_sender() {
    let hook = Rc::new(OnScheduled::default());
    terzetto::Builder::new()
        .instrument(hook.clone())
        .run(async {
            let (sender, receiver) = broadcast(2, SlowReceiver::Wait);
            let slow = receiver.clone();
            let intruder: BroadcastSender<u8> = sender.clone();
            sender.send_nowait(0)?;
            sender.send_nowait(1)?;
            nursery(async |n| {
                for value in [2, 3] {
                    let sender = sender.clone();
                    n.start_soon(async move { Ok(sender.send(value).await?) });
                    wait_all_tasks_blocked(0.0).await?;
                }
                assert_eq!(rest(&receiver), [0, 1]);
                // Two places become free at once.
                hook.ask(move || {
                    format!("{:?}", intruder.send_nowait(9).map_err(|error| error.into_parts()))
                });
                drop(slow);
                assert_eq!(hook.answer().as_deref(), Some("Err((9, WouldBlock))"));
                wait_all_tasks_blocked(0.0).await?;
                assert_eq!(rest(&receiver), [2, 3]);
                Ok(())
            })
            .await
        })
        .unwrap();
}
