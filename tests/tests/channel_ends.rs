//! CHAN: ends that close, channels as streams, producers.

use futures_util::{
    StreamExt,
    future::{Either, select},
};
use std::{pin::pin, task::Poll};
use terzetto::{
    CancelScope, Error, ReceiveError, SendFailure, channel, move_on_after, nursery, sleep,
    sync::with_producer,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::{Trace, run_mock};

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
