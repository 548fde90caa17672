//! CHAN: batches on memory channels.

use super::{Wait, cancelled_in};
use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};
use terzetto::{
    CancelScope, ReceiveError, SendFailure, channel, checkpoint, move_on_after, nursery, sleep,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::{begin, run_mock};

#[test]
fn chan_14_a_batch_is_what_is_there_up_to_its_limit() {
    run_mock(async {
        let (sender, receiver) = channel(10);
        sender.send_many((0..5).collect()).await?;
        assert_eq!(receiver.receive_many(3).await?, [0, 1, 2]);
        assert_eq!(receiver.receive_many(3).await?, [3, 4]);
        sender.send_nowait(5)?;
        sender.close();
        assert_eq!(receiver.receive_many(3).await?, [5]);
        for _ in 0..2 {
            assert!(matches!(receiver.receive_many(3).await, Err(ReceiveError::EndOfChannel)));
        }
        receiver.close();
        assert!(matches!(receiver.receive_many(3).await, Err(ReceiveError::Closed)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_14_a_batch_takes_the_values_of_waiting_senders_too() {
    for capacity in [0, 1, 3] {
        run_mock(async {
            let (sender, receiver) = channel(capacity);
            nursery(async |n| {
                for i in 0..6 {
                    let sender = sender.clone();
                    n.start_soon(async move { Ok(sender.send(i).await?) });
                    wait_all_tasks_blocked(0.0).await?;
                }
                assert_eq!(receiver.receive_many(4).await?, [0, 1, 2, 3], "capacity {capacity}");
                assert_eq!(receiver.receive_many(4).await?, [4, 5], "capacity {capacity}");
                Ok(())
            })
            .await
        })
        .unwrap();
    }
}

#[test]
fn chan_14_a_batch_waits_for_its_first_value_only() {
    run_mock(async {
        let (sender, receiver) = channel(10);
        nursery(async |n| {
            n.start_soon(async {
                assert_eq!(receiver.receive_many(10).await?, [1, 2]);
                assert_eq!(receiver.receive_many(10).await?, [3]);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            sender.send_nowait(1)?;
            sender.send_nowait(2)?;
            sleep(1.0).await?;
            sender.send_nowait(3)?;
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn chan_14_a_batch_that_is_cancelled_or_dropped_has_taken_nothing() {
    run_mock(async {
        let (sender, receiver) = channel(10);
        assert!(move_on_after(1.0, async { Ok(receiver.receive_many(5).await?) }).await?.is_none());
        let mut woken: Wait<'_, _> = Box::pin(receiver.receive_many(5));
        begin(&mut woken).await;
        sender.send_many(vec![1, 2, 3]).await?;
        drop(woken);
        let mut yields: Wait<'_, _> = Box::pin(receiver.receive_many(5));
        begin(&mut yields).await;
        drop(yields);
        assert!(cancelled_in(async { Ok(receiver.receive_many(5).await?) }).await);
        assert_eq!(receiver.receive_many(5).await?, [1, 2, 3]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_14_a_limit_of_zero_is_refused() {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run_mock(async {
            let (_sender, receiver) = channel::<u8>(1);
            receiver.receive_many(0).await?;
            Ok(())
        })
    }));
    let panic = outcome.unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the limit of a batch must be at least 1"));
}

#[test]
fn chan_15_a_batch_is_sent_in_order_and_waits_for_room() {
    for capacity in [0, 1, 4, 100] {
        run_mock(async {
            let (sender, receiver) = channel(capacity);
            nursery(async |n| {
                n.start_soon(async move { Ok(sender.send_many((0..20).collect()).await?) });
                let mut got = Vec::new();
                while let Some(value) = receiver.next().await? {
                    got.push(value);
                }
                assert!(got.into_iter().eq(0..20), "capacity {capacity}");
                Ok(())
            })
            .await
        })
        .unwrap();
    }
}

#[test]
fn chan_15_what_a_cancelled_batch_has_sent_stays_sent_and_the_rest_comes_back() {
    run_mock(async {
        let (sender, receiver) = channel(2);
        let rest = &RefCell::new(Vec::new());
        let sent = move_on_after(1.0, async {
            let (values, failure) = sender.send_many((0..5).collect()).await.unwrap_err().into_parts();
            *rest.borrow_mut() = values;
            Err::<(), _>(failure.into())
        });
        assert!(sent.await?.is_none());
        assert_eq!(*rest.borrow(), [2, 3, 4]);
        assert_eq!(
            (receiver.receive_many(9).await?, sender.statistics().tasks_waiting_send),
            (vec![0, 1], 0)
        );
        let scope = CancelScope::new();
        scope.cancel();
        let sent = scope.run(async {
            let (values, failure) = sender.send_many(vec![7, 8]).await.unwrap_err().into_parts();
            assert_eq!(values, [7, 8]);
            Err::<(), _>(failure.into())
        });
        assert!(sent.await?.is_none());
        assert!(matches!(receiver.receive_nowait(), Err(ReceiveError::WouldBlock)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_15_a_dropped_batch_drops_what_it_has_not_sent() {
    run_mock(async {
        let (sender, receiver) = channel(2);
        let value = Rc::new(());
        let mut send: Wait<'_, _> = Box::pin(sender.send_many(vec![value.clone(); 5]));
        begin(&mut send).await;
        drop(send);
        assert_eq!((Rc::strong_count(&value), receiver.statistics().current_buffer_used), (3, 2));
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_15_a_batch_fails_with_the_rest_if_the_channel_breaks_or_its_end_is_closed() {
    run_mock(async {
        for breaks in [true, false] {
            let (sender, receiver) = channel(1);
            nursery(async |n| {
                n.start_soon(async {
                    let (values, failure) = sender.send_many(vec![1, 2, 3]).await.unwrap_err().into_parts();
                    assert_eq!(values, [2, 3]);
                    assert_eq!(matches!(failure, SendFailure::Broken), breaks);
                    assert_eq!(matches!(failure, SendFailure::Closed), !breaks);
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                if breaks {
                    receiver.close()
                } else {
                    sender.close()
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_14_15_a_batch_is_one_checkpoint() {
    run_mock(async {
        let (sender, receiver) = channel(100);
        assert_checkpoints(sender.send_many((0..50).collect())).await?;
        assert_checkpoints(receiver.receive_many(25)).await?;
        // As many turns as a send and a receive of one value.
        let turns = &RefCell::new(0);
        nursery(async |n| {
            n.start_soon(async {
                loop {
                    checkpoint().await?;
                    *turns.borrow_mut() += 1;
                }
            });
            checkpoint().await?;
            checkpoint().await?;
            let before = *turns.borrow();
            for _ in 0..10 {
                sender.send_many((0..50).collect()).await?;
                receiver.receive_many(50).await?;
            }
            // Twenty, and one more or less by the order in which the two tasks run.
            let taken = *turns.borrow() - before;
            assert!((19..=21).contains(&taken), "{taken}");
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert_checkpoints(sender.send_many(Vec::new())).await?;
        Ok(())
    })
    .unwrap();
}
