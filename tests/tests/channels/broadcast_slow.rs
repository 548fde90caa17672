//! BCAST: broadcast channels: what happens if a receiver is slow.

use std::{cell::Cell, collections::VecDeque, rc::Rc};
use terzetto::{
    SendFailure, current_time, nursery, sleep,
    sync::{BroadcastReceiveError as Failed, BroadcastReceiver, SlowReceiver, broadcast},
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::{Trace, run_mock};

#[test]
fn bcast_02_with_wait_a_send_waits_for_the_slowest_receiver() {
    let trace = &Trace::default();
    run_mock(async {
        let (sender, slow) = broadcast(1, SlowReceiver::Wait);
        let quick = sender.subscribe();
        nursery(async |n| {
            n.start_soon(async {
                for i in 0..3 {
                    sender.send(i).await?;
                    trace.note(format!("{i}@{}", current_time()));
                }
                sender.close();
                Ok(())
            });
            n.start_soon(async {
                while quick.next().await?.is_some() {}
                Ok(())
            });
            sleep(1.0).await?;
            assert!(matches!(sender.send_nowait(9).unwrap_err().failure(), SendFailure::WouldBlock));
            for i in 0..3 {
                assert_eq!(slow.receive().await?, i);
                sleep(1.0).await?;
            }
            Ok(())
        })
        .await
    })
    .unwrap();
    assert_eq!(trace.text(), "0@0 1@1 2@2");
}

#[test]
fn bcast_02_waiting_senders_are_first_in_first_out() {
    run_mock(async {
        let (sender, receiver) = broadcast(1, SlowReceiver::Wait);
        nursery(async |n| {
            for i in 0..5 {
                let sender = sender.clone();
                n.start_soon(async move { Ok(sender.send(i).await?) });
                wait_all_tasks_blocked(0.0).await?;
            }
            drop(sender);
            for i in 0..5 {
                assert_eq!(receiver.receive().await?, i);
            }
            assert_eq!(receiver.next().await?, None);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn bcast_03_with_lag_the_oldest_value_goes_and_the_receiver_hears_how_many_it_has_missed() {
    run_mock(async {
        let (sender, slow) = broadcast(2, SlowReceiver::Lag);
        let quick = sender.subscribe();
        for i in 0..5 {
            sender.send(i).await?;
            assert_eq!(quick.receive_nowait()?, i);
        }
        assert_eq!(
            slow.receive().await.unwrap_err().to_string(),
            "the receiver was too slow: it has missed 3 values"
        );
        assert_eq!((slow.receive().await?, slow.receive().await?), (3, 4));
        assert!(matches!(slow.receive_nowait(), Err(Failed::WouldBlock)));
        sender.send(5).await?;
        assert_eq!((slow.receive_nowait()?, quick.receive_nowait()?), (5, 5));
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_03_a_clone_of_a_receiver_that_lags_lags_as_much() {
    run_mock(async {
        let (sender, receiver) = broadcast(1, SlowReceiver::Lag);
        for i in 0..4 {
            sender.send_nowait(i)?;
        }
        let clone = receiver.clone();
        for receiver in [receiver, clone] {
            assert!(matches!(receiver.receive_nowait(), Err(Failed::Lagged(3))));
            assert_eq!(receiver.receive_nowait()?, 3);
        }
        assert_eq!(sender.statistics().current_buffer_used, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_04_with_disconnect_only_the_slow_receiver_is_disconnected() {
    run_mock(async {
        let (sender, slow) = broadcast(2, SlowReceiver::Disconnect);
        let (quick, value) = (sender.subscribe(), Rc::new(()));
        for _ in 0..2 {
            sender.send(value.clone()).await?;
            quick.receive_nowait()?;
        }
        assert_eq!((Rc::strong_count(&value), sender.statistics().open_receive_channels), (3, 2));
        sender.send(value.clone()).await?;
        assert_eq!(Rc::strong_count(&value), 2, "what only the slow one had still to receive is dropped");
        let statistics = sender.statistics();
        assert_eq!((statistics.open_receive_channels, statistics.current_buffer_used), (1, 1));
        for _ in 0..2 {
            assert!(matches!(slow.receive().await, Err(Failed::Disconnected)));
        }
        assert!(matches!(slow.clone().receive_nowait(), Err(Failed::Disconnected)));
        quick.receive_nowait()?;
        drop(slow);
        sender.send(value.clone()).await?;
        quick.receive_nowait()?;
        assert_eq!(sender.statistics().open_receive_channels, 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_04_a_send_that_disconnects_the_last_receiver_gives_its_value_back() {
    run_mock(async {
        let (sender, slow) = broadcast(1, SlowReceiver::Disconnect);
        sender.send_nowait(1)?;
        let (value, failure) = sender.send_nowait(2).unwrap_err().into_parts();
        assert!(value == 2 && matches!(failure, SendFailure::Broken));
        assert!(matches!(slow.receive_nowait(), Err(Failed::Disconnected)));
        assert_eq!(sender.statistics().current_buffer_used, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn bcast_04_a_receiver_that_was_woken_and_not_run_before_the_buffer_was_full_is_disconnected() {
    run_mock(async {
        let (sender, slow) = broadcast(2, SlowReceiver::Disconnect);
        let (_quick, heard) = (sender.subscribe(), &Cell::new(false));
        nursery(async |n| {
            n.start_soon(async {
                assert!(matches!(slow.receive().await, Err(Failed::Disconnected)));
                heard.set(true);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            let newcomer = sender.subscribe();
            for i in 0..3 {
                sender.send_nowait(i)?;
                newcomer.receive_nowait()?;
            }
            Ok(())
        })
        .await?;
        assert!(heard.get());
        Ok(())
    })
    .unwrap();
}

/// What a receiver of the model has still to receive, and what has become of it.
struct Model {
    backlog: VecDeque<u32>,
    missed: u64,
    disconnected: bool,
}

/// Sends, receives, clones, subscribes and drops at random, and compares with queues, one for each receiver.
#[test]
fn bcast_03_04_random_programs_do_what_a_queue_for_each_receiver_would() {
    const CAPACITY: usize = 3;
    for seed in 0..300 {
        for slow in [SlowReceiver::Wait, SlowReceiver::Lag, SlowReceiver::Disconnect] {
            let mut random = seed * 2654435761 + 1;
            let mut below = |bound: u64| {
                random =
                    u64::wrapping_add(u64::wrapping_mul(random, 6364136223846793005), 1442695040888963407);
                (random >> 33) % bound
            };
            let (sender, receiver) = broadcast(CAPACITY, slow);
            let new = || Model { backlog: VecDeque::new(), missed: 0, disconnected: false };
            let mut receivers: Vec<(BroadcastReceiver<u32>, Model)> = vec![(receiver, new())];
            for value in 0..200 {
                let which = below(receivers.len().max(1) as u64) as usize;
                match below(10) {
                    0 if receivers.len() < 5 => receivers.push((sender.subscribe(), new())),
                    1 if !receivers.is_empty() => drop(receivers.swap_remove(which)),
                    2 if !receivers.is_empty() => {
                        let (receiver, model) = &receivers[which];
                        let (backlog, missed) = (model.backlog.clone(), model.missed);
                        let model = Model { backlog, missed, disconnected: model.disconnected };
                        receivers.push((receiver.clone(), model));
                    }
                    3..6 => send(value, slow, &sender, &mut receivers, CAPACITY),
                    _ if !receivers.is_empty() => receive(&mut receivers[which]),
                    _ => {}
                }
                let longest = receivers.iter().map(|(_, model)| model.backlog.len()).max().unwrap_or(0);
                assert_eq!(sender.statistics().current_buffer_used, longest, "seed {seed}, {slow:?}");
            }
        }
    }
}

fn send(
    value: u32,
    slow: SlowReceiver,
    sender: &terzetto::sync::BroadcastSender<u32>,
    receivers: &mut [(BroadcastReceiver<u32>, Model)],
    capacity: usize,
) {
    let is_full = |model: &Model| model.backlog.len() == capacity;
    let connected = receivers.iter().filter(|(_, model)| !model.disconnected).count();
    let full = receivers.iter().any(|(_, model)| is_full(model));
    let expected = match slow {
        _ if connected == 0 => Some("Broken"),
        SlowReceiver::Wait if full => Some("WouldBlock"),
        _ => None,
    };
    let mut left = connected;
    if expected.is_none() {
        for (_, model) in receivers.iter_mut().filter(|(_, model)| is_full(model)) {
            match slow {
                SlowReceiver::Lag => {
                    model.backlog.pop_front();
                    model.missed += 1;
                }
                _ => {
                    model.backlog.clear();
                    model.disconnected = true;
                    left -= 1;
                }
            }
        }
        receivers
            .iter_mut()
            .filter(|(_, model)| !model.disconnected)
            .for_each(|(_, m)| m.backlog.push_back(value));
    }
    let expected = expected.or((left == 0).then_some("Broken"));
    let failure = sender.send_nowait(value).err().map(|error| format!("{:?}", error.failure()));
    assert_eq!(failure.as_deref(), expected);
}

fn receive((receiver, model): &mut (BroadcastReceiver<u32>, Model)) {
    let expected = match std::mem::take(&mut model.missed) {
        _ if model.disconnected => "Err(Disconnected)".to_owned(),
        0 => model.backlog.pop_front().map_or("Err(WouldBlock)".to_owned(), |value| format!("Ok({value})")),
        missed => format!("Err(Lagged({missed}))"),
    };
    assert_eq!(format!("{:?}", receiver.receive_nowait()), expected);
}
