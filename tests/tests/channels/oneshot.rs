//! ONE: one-shot channels.

use super::{Wait, cancelled_in};
use std::rc::Rc;
use terzetto::{
    ReceiveError, SendFailure, move_on_after, nursery, sleep,
    sync::oneshot,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::{begin, run_mock};

#[test]
fn one_01_the_value_is_received_once() {
    run_mock(async {
        let (sender, receiver) = oneshot();
        assert!(matches!(receiver.receive_nowait(), Err(ReceiveError::WouldBlock)));
        sender.send(7)?;
        assert_eq!(assert_checkpoints(receiver.receive()).await?, 7);
        assert!(matches!(receiver.receive().await, Err(ReceiveError::EndOfChannel)));
        assert!(matches!(receiver.receive_nowait(), Err(ReceiveError::EndOfChannel)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn one_02_a_receive_fails_if_the_sender_is_dropped() {
    run_mock(async {
        let (sender, receiver) = oneshot::<u8>();
        nursery(async |n| {
            n.start_soon(async {
                assert!(matches!(receiver.receive().await, Err(ReceiveError::EndOfChannel)));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            drop(sender);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn one_03_without_a_receiver_the_value_comes_back_or_is_dropped() {
    run_mock(async {
        let value = Rc::new(());
        let (sender, receiver) = oneshot();
        drop(receiver);
        let (back, failure) = sender.send(value.clone()).unwrap_err().into_parts();
        assert!(Rc::ptr_eq(&back, &value) && matches!(failure, SendFailure::Broken));
        drop(back);
        let (sender, receiver) = oneshot();
        sender.send(value.clone())?;
        drop(receiver);
        assert_eq!(Rc::strong_count(&value), 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn one_04_a_receive_that_is_cancelled_or_dropped_has_taken_nothing() {
    run_mock(async {
        let (sender, receiver) = oneshot();
        assert!(move_on_after(1.0, async { Ok(receiver.receive().await?) }).await?.is_none());
        let mut woken: Wait<'_, _> = Box::pin(receiver.receive());
        begin(&mut woken).await;
        sender.send(7)?;
        sleep(1.0).await?;
        drop(woken);
        let mut yields: Wait<'_, _> = Box::pin(receiver.receive());
        begin(&mut yields).await;
        drop(yields);
        assert!(cancelled_in(async { Ok(receiver.receive().await?) }).await);
        assert_eq!(receiver.receive().await?, 7);
        Ok(())
    })
    .unwrap();
}
