//! What tasks do with each other.

use super::{Wait, soon, two};
use std::cell::Cell;
use terzetto::{
    CancelScope, Error, channel, checkpoint, fail_after, move_on_after, nursery,
    sync::{Borrower, CapacityLimiter, Condition, Event, Lock, ParkingLot, Semaphore},
    testing::{Sequencer, SequencerError, wait_all_tasks_blocked},
};
use terzetto_tests::{begin, run_mock};

#[test]
fn sync_01_a_dropped_winner_of_an_event_passes_nothing_since_all_have_won() {
    run_mock(async {
        let event = Event::new();
        let [first, second] = two(|| event.wait()).await;
        event.set();
        drop(first);
        assert_eq!(event.tasks_waiting(), 0);
        Ok(soon(second).await??)
    })
    .unwrap();
}

#[test]
fn sync_06_a_dropped_winner_passes_its_permit_on() {
    run_mock(async {
        let semaphore = Semaphore::new(0);
        let [first, second] = two(|| semaphore.acquire()).await;
        semaphore.release()?;
        assert_eq!(semaphore.tasks_waiting(), 1);
        drop(first);
        assert_eq!((semaphore.tasks_waiting(), semaphore.value()), (0, 0));
        drop(soon(second).await??);
        assert_eq!(semaphore.value(), 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_05_a_dropped_winner_passes_its_token_on() {
    run_mock(async {
        let limiter = CapacityLimiter::new(0);
        let number = Cell::new(0);
        let [first, second] =
            two(|| limiter.acquire_on_behalf_of(Borrower::new(number.replace(number.get() + 1)))).await;
        limiter.set_total_tokens(1);
        assert_eq!((limiter.borrowed_tokens(), limiter.tasks_waiting()), (1, 1));
        drop(first);
        assert_eq!((limiter.borrowed_tokens(), limiter.tasks_waiting()), (1, 0));
        drop(soon(second).await??);
        assert_eq!((limiter.borrowed_tokens(), limiter.available_tokens()), (0, 1));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_03_a_dropped_winner_passes_on_the_token_of_the_borrower_that_both_ask_for() {
    run_mock(async {
        let limiter = CapacityLimiter::new(0);
        let [first, second] = two(|| limiter.acquire_on_behalf_of(Borrower::new("one"))).await;
        limiter.set_total_tokens(1);
        drop(first);
        let loan = soon(second).await??;
        assert_eq!((limiter.borrowed_tokens(), limiter.tasks_waiting()), (1, 0));
        drop(loan);
        // Both are woken, with one token: whichever is dropped, it is the other's.
        for dropped in 0..2 {
            limiter.set_total_tokens(0);
            let [first, second] = two(|| limiter.acquire_on_behalf_of(Borrower::new("one"))).await;
            let mut third: Wait<'_, _> = Box::pin(limiter.acquire_on_behalf_of(Borrower::new("two")));
            begin(&mut third).await;
            limiter.set_total_tokens(2);
            assert_eq!((limiter.borrowed_tokens(), limiter.tasks_waiting()), (1, 1));
            let (gone, stays) = if dropped == 0 { (first, second) } else { (second, first) };
            drop(gone);
            let loans = (soon(stays).await??, soon(third).await??);
            assert_eq!((limiter.borrowed_tokens(), limiter.tasks_waiting()), (2, 0));
            drop(loans);
            assert_eq!(limiter.borrowed_tokens(), 0);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_07_a_dropped_winner_passes_the_lock_on() {
    run_mock(async {
        let (lock, released) = (&Lock::new(), &Event::new());
        let held = lock.acquire().await?;
        nursery(async |n| {
            n.start_soon(async move {
                let mut wait = Box::pin(lock.acquire());
                begin(&mut wait).await;
                released.wait().await?;
                drop(wait);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            n.start_soon(async move {
                drop(fail_after(5.0, async { Ok(lock.acquire().await?) }).await?);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            drop(held);
            released.set();
            assert_eq!((lock.is_locked(), lock.tasks_waiting()), (true, 1));
            Ok(())
        })
        .await?;
        assert_eq!((lock.is_locked(), lock.tasks_waiting()), (false, 0));
        Ok(())
    })
    .unwrap();
}

/// When the wait of the task that was notified ends, compared with when the lock is released.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    BeforeRelease,
    AfterRelease,
}

/// Waits for a condition, for so many seconds. Notes whether a notification came.
async fn waits(condition: &Condition, seconds: f64, heard: &Cell<bool>) -> Result<(), Error> {
    let mut held = condition.acquire().await?;
    let wait = async { Ok(condition.wait(&mut held).await?) };
    heard.set(move_on_after(seconds, wait).await?.is_some());
    Ok(())
}

/// Two tasks wait for a condition, one is notified, and its wait is dropped. Returns whether the other one hears of it.
fn drop_a_notified_waiter(when: When) -> bool {
    let heard = &Cell::new(false);
    run_mock(async {
        let (condition, go) = (&Condition::new(), &Event::new());
        nursery(async |n| {
            n.start_soon(async move {
                let mut held = condition.acquire().await?;
                let mut wait = Box::pin(condition.wait(&mut held));
                begin(&mut wait).await;
                go.wait().await?;
                drop(wait);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            n.start_soon(waits(condition, 5.0, heard));
            wait_all_tasks_blocked(0.0).await?;
            let held = condition.acquire().await?;
            assert_eq!(condition.tasks_waiting(), 2);
            condition.notify(1)?;
            assert_eq!(condition.tasks_waiting(), 1);
            go.set();
            if when == When::BeforeRelease {
                wait_all_tasks_blocked(0.0).await?;
                assert_eq!(condition.tasks_waiting(), 0);
            }
            drop(held);
            Ok(())
        })
        .await?;
        assert!(!condition.lock().is_locked());
        assert_eq!((condition.lock().tasks_waiting(), condition.tasks_waiting()), (0, 0));
        Ok(())
    })
    .unwrap();
    heard.get()
}

#[test]
fn sync_10_a_dropped_winner_passes_its_notification_on() {
    for when in [When::BeforeRelease, When::AfterRelease] {
        assert!(drop_a_notified_waiter(when), "{when:?}");
    }
}

#[test]
fn sync_10_a_waiter_that_was_not_notified_passes_nothing_on_when_it_is_dropped() {
    run_mock(async {
        let (condition, heard) = (&Condition::new(), &Cell::new(false));
        nursery(async |n| {
            n.start_soon(async move {
                let mut held = condition.acquire().await?;
                let mut wait = Box::pin(condition.wait(&mut held));
                begin(&mut wait).await;
                checkpoint().await?;
                checkpoint().await?;
                Ok(())
            });
            n.start_soon(waits(condition, 1.0, heard));
            Ok(())
        })
        .await?;
        assert!(!heard.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn sync_10_a_notified_waiter_that_is_cancelled_keeps_its_notification_as_in_trio() {
    run_mock(async {
        let (condition, scope, heard) = (&Condition::new(), &CancelScope::new(), &Cell::new(false));
        nursery(async |n| {
            n.start_soon(async move {
                let mut held = condition.acquire().await?;
                scope.run(async { Ok(condition.wait(&mut held).await?) }).await?;
                assert!(scope.cancelled_caught() && condition.lock().is_locked());
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            n.start_soon(waits(condition, 1.0, heard));
            wait_all_tasks_blocked(0.0).await?;
            let held = condition.acquire().await?;
            condition.notify(1)?;
            scope.cancel();
            drop(held);
            Ok(())
        })
        .await?;
        assert!(!heard.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_08_a_dropped_winner_passes_its_value_on() {
    run_mock(async {
        let (sender, receiver) = channel::<u8>(0);
        let [first, second] = two(|| receiver.receive()).await;
        sender.send_nowait(7)?;
        drop(first);
        assert_eq!(receiver.statistics().tasks_waiting_receive, 0);
        assert_eq!(soon(second).await??, 7);
        assert_eq!(receiver.statistics().current_buffer_used, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn chan_02_a_dropped_winner_passes_the_next_receive_to_the_next_sender() {
    run_mock(async {
        let (sender, receiver) = channel::<u8>(0);
        let number = Cell::new(0);
        let [first, second] = two(|| sender.send(number.replace(number.get() + 1))).await;
        assert_eq!(receiver.receive_nowait()?, 0);
        drop(first);
        assert_eq!(sender.statistics().tasks_waiting_send, 1);
        assert_eq!(
            receiver.receive_nowait()?,
            1,
            "what was received stays so, and the next is the next sender's"
        );
        Ok(soon(second).await??)
    })
    .unwrap();
}

#[test]
fn park_01_a_dropped_winner_passes_its_unparking_on() {
    run_mock(async {
        let lot = ParkingLot::new();
        let [first, second] = two(|| lot.park()).await;
        let [third, fourth] = two(|| lot.park()).await;
        drop(third);
        assert_eq!(lot.len(), 3, "who was not unparked passes nothing on");
        assert_eq!(lot.unpark(1).len(), 1);
        drop(first);
        assert_eq!(lot.len(), 1);
        soon(second).await??;
        assert_eq!(lot.unpark(1).len(), 1);
        Ok(soon(fourth).await??)
    })
    .unwrap();
}

#[test]
fn park_01_a_chain_of_dropped_winners_passes_its_unparking_on_to_the_last() {
    run_mock(async {
        let lot = ParkingLot::new();
        let [first, second] = two(|| lot.park()).await;
        let [third, fourth] = two(|| lot.park()).await;
        assert_eq!(lot.unpark(1).len(), 1);
        drop(first);
        drop(second);
        drop(third);
        assert!(lot.is_empty());
        Ok(soon(fourth).await??)
    })
    .unwrap();
}

#[test]
fn park_01_a_dropped_winner_passes_nothing_on_if_all_were_unparked() {
    run_mock(async {
        let lot = ParkingLot::new();
        let [first, second] = two(|| lot.park()).await;
        assert_eq!(lot.unpark_all().len(), 2);
        let [late, _later] = two(|| lot.park()).await;
        drop(first);
        assert_eq!(lot.len(), 2, "who came later was not meant");
        drop(late);
        Ok(soon(second).await??)
    })
    .unwrap();
}

#[test]
fn park_03_a_dropped_winner_passes_its_unparking_on_in_the_lot_that_it_was_moved_to() {
    run_mock(async {
        let (from, to) = (ParkingLot::new(), ParkingLot::new());
        let [first, second] = two(|| from.park()).await;
        let [behind, _last] = two(|| to.park()).await;
        from.repark(&to, 1);
        assert_eq!((from.len(), to.len()), (1, 3));
        assert_eq!(to.unpark(3).len(), 3);
        drop(first);
        assert_eq!(
            (from.len(), to.len()),
            (1, 0),
            "nobody is left there, and the other lot has no part in it"
        );
        soon(behind).await??;
        from.repark_all(&to);
        let [other, _] = two(|| to.park()).await;
        assert_eq!(to.unpark(1).len(), 1);
        drop(second);
        Ok(soon(other).await??)
    })
    .unwrap();
}

#[test]
fn start_01_a_dropped_winner_leaves_the_child_that_is_ready_to_its_nursery() {
    run_mock(async {
        let (said, may_end, ended) = (&Cell::new(false), &Event::new(), &Cell::new(false));
        nursery(async |n| {
            let mut start = Box::pin(n.start(async |status| {
                checkpoint().await?;
                status.started(())?;
                said.set(true);
                may_end.wait().await?;
                ended.set(true);
                Ok(())
            }));
            begin(&mut start).await;
            while !said.get() {
                checkpoint().await?;
            }
            // It has been told, and not polled since.
            drop(start);
            assert_eq!(n.child_count(), 1);
            may_end.set();
            Ok(())
        })
        .await?;
        assert!(ended.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn test_03_a_step_that_is_dropped_before_its_turn_breaks_the_sequence() {
    run_mock(async {
        // While it waits; and when its turn has come, and it has not seen that.
        for turn_has_come in [false, true] {
            let steps = Sequencer::new();
            let mut dropped = Box::pin(steps.step(1, async {}));
            let mut next: Wait<'_, _> = Box::pin(steps.step(2, async {}));
            begin(&mut dropped).await;
            begin(&mut next).await;
            if turn_has_come {
                steps.step(0, async {}).await?;
            }
            drop(dropped);
            assert!(matches!(soon(next).await?, Err(SequencerError::Broken)));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn test_01_a_dropped_winner_of_an_idle_wait_passes_nothing_since_all_of_its_cushion_have_won() {
    run_mock(async {
        let (waits, go) = (&Cell::new(0), &Event::new());
        nursery(async |n| {
            n.start_soon(async move {
                let mut wait = Box::pin(wait_all_tasks_blocked(0.0));
                begin(&mut wait).await;
                go.wait().await?;
                drop(wait);
                Ok(())
            });
            n.start_soon(async move {
                wait_all_tasks_blocked(0.0).await?;
                waits.set(waits.get() + 1);
                go.set();
                Ok(())
            });
            Ok(())
        })
        .await?;
        assert_eq!(waits.get(), 1);
        Ok(())
    })
    .unwrap();
}
