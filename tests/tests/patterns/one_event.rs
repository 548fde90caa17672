//! PAT-07: two contenders are given something in the same tick, and one wins. What the loser was given is handed over
//! with the winner's value; inside `revocable` it was never taken.
//!
//! Here are the operations between tasks. Those of the system are in `one_event_system.rs`.

use std::cell::Cell;
use terzetto::{
    Error, channel, checkpoint, current_time, fail_after, nursery,
    race::{Finish, first_to_end, revocable},
    sleep,
    sync::{CapacityLimiter, Condition, Event, Lock, ParkingLot, Semaphore},
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::run_mock;

/// Waits for an operation, either in such a way that it can be revoked or not.
pub async fn contend<T, E>(
    can_be_revoked: bool,
    operation: impl Future<Output = Result<T, E>>,
) -> Result<T, Error>
where
    Error: From<E>,
{
    Ok(match can_be_revoked {
        true => revocable(operation).await??,
        false => operation.await?,
    })
}

/// Lets two operations race, and calls `give` when both wait. It gives both what they wait for.
pub async fn race<T, E>(
    can_be_revoked: bool,
    first: impl Future<Output = Result<T, E>>,
    second: impl Future<Output = Result<T, E>>,
    give: impl FnOnce(),
) -> Result<Finish<T>, Error>
where
    Error: From<E>,
{
    nursery(async move |n| {
        let race = first_to_end((contend(can_be_revoked, first), contend(can_be_revoked, second)));
        let finish = n.start_for_result(async { fail_after(10.0, race).await });
        wait_all_tasks_blocked(0.0).await?;
        give();
        Ok(finish.result().await?)
    })
    .await
}

#[test]
fn pat_07_receiving_from_a_channel() {
    for can_be_revoked in [true, false] {
        run_mock(async {
            let ((to_a, a), (to_b, b)) = (channel(0), channel(0));
            let give = || {
                to_a.send_nowait("a").unwrap();
                to_b.send_nowait("b").unwrap();
            };
            let finish = race(can_be_revoked, a.receive(), b.receive(), give).await?;
            let values = ["a", "b"];
            let (winner, loser) = (finish.index, 1 - finish.index);
            assert_eq!(finish.value, values[winner]);
            let left = [&a, &b].map(|end| end.receive_nowait().ok());
            match can_be_revoked {
                true => assert_eq!((finish.others.len(), left[loser]), (0, Some(values[loser]))),
                false => assert_eq!((finish.others, left[loser]), (vec![(loser, values[loser])], None)),
            }
            assert_eq!(left[winner], None);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_receiving_from_one_channel_by_both() {
    for can_be_revoked in [true, false] {
        run_mock(async {
            let (sender, receiver) = channel(0);
            let give = || (1..=2).for_each(|number| sender.send_nowait(number).unwrap());
            let finish = race(can_be_revoked, receiver.receive(), receiver.receive(), give).await?;
            let mut values = vec![finish.value];
            values.extend(finish.others.iter().map(|(_, value)| value));
            values.extend(receiver.receive_nowait());
            values.sort();
            assert_eq!((values, finish.others.is_empty()), (vec![1, 2], can_be_revoked));
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_sending_to_a_channel_cannot_be_revoked_when_the_value_was_taken() {
    run_mock(async {
        let ((to_a, a), (to_b, b)) = (channel(0), channel(0));
        let taken = Cell::new(0);
        let give = || taken.set(a.receive_nowait().unwrap() + b.receive_nowait().unwrap());
        let finish = race(false, to_a.send(1), to_b.send(2), give).await?;
        assert_eq!((taken.get(), finish.others), (3, vec![(1 - finish.index, ())]));
        // One that waits loses nothing and sends nothing.
        let give = || taken.set(a.receive_nowait().unwrap());
        let finish = race(false, to_a.send(1), to_b.send(2), give).await?;
        assert!(finish.others.is_empty() && b.receive_nowait().is_err());
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_07_acquiring_a_lock() {
    for can_be_revoked in [true, false] {
        run_mock(async {
            let (a, b) = (Lock::new(), Lock::new());
            let held = (a.acquire_nowait()?, b.acquire_nowait()?);
            let finish = race(can_be_revoked, a.acquire(), b.acquire(), || drop(held)).await?;
            assert_eq!(finish.others.is_empty(), can_be_revoked);
            let (won, lost) = if finish.index == 0 { (&a, &b) } else { (&b, &a) };
            assert_eq!((won.is_locked(), lost.is_locked()), (true, !can_be_revoked));
            drop(finish);
            assert!(!a.is_locked() && !b.is_locked());
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_acquiring_a_semaphore() {
    for can_be_revoked in [true, false] {
        run_mock(async {
            let semaphore = Semaphore::new(0);
            let give = || (0..2).for_each(|_| semaphore.release().unwrap());
            let finish = race(can_be_revoked, semaphore.acquire(), semaphore.acquire(), give).await?;
            assert_eq!(
                (finish.others.is_empty(), semaphore.value()),
                (can_be_revoked, usize::from(can_be_revoked))
            );
            drop(finish);
            assert_eq!(semaphore.value(), 2);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_borrowing_from_a_limiter() {
    for can_be_revoked in [true, false] {
        run_mock(async {
            let limiter = CapacityLimiter::new(0);
            let finish =
                race(can_be_revoked, limiter.acquire(), limiter.acquire(), || limiter.set_total_tokens(2))
                    .await?;
            let borrowed = if can_be_revoked { 1 } else { 2 };
            assert_eq!((finish.others.len() + 1, limiter.borrowed_tokens()), (borrowed, borrowed));
            drop(finish);
            assert_eq!(limiter.borrowed_tokens(), 0);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_being_notified_of_a_condition() {
    for can_be_revoked in [true, false] {
        run_mock(async {
            // Both wait for the same one; whichever loses passes its notification on to a third.
            let (condition, third_heard) = (&Condition::new(), &Cell::new(false));
            nursery(async |n| {
                let wait = || async {
                    let mut held = condition.acquire().await?;
                    condition.wait(&mut held).await?;
                    Ok::<_, Error>(())
                };
                n.start_soon(async move {
                    let race =
                        first_to_end((contend(can_be_revoked, wait()), contend(can_be_revoked, wait())));
                    let finish = race.await?;
                    assert_eq!(finish.others.is_empty(), can_be_revoked);
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                n.start_soon(async move {
                    let heard = terzetto::move_on_after(5.0, async {
                        wait().await?;
                        Ok(())
                    });
                    third_heard.set(heard.await?.is_some());
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                let held = condition.acquire().await?;
                condition.notify(2)?;
                drop(held);
                Ok(())
            })
            .await?;
            assert_eq!(third_heard.get(), can_be_revoked);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_an_event_is_there_for_all() {
    for can_be_revoked in [true, false] {
        run_mock(async {
            let (a, b) = (Event::new(), Event::new());
            let give = || {
                a.set();
                b.set();
            };
            let finish = race(can_be_revoked, a.wait(), b.wait(), give).await?;
            assert_eq!(finish.others.is_empty(), can_be_revoked);
            b.wait().await?;
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_parking() {
    for can_be_revoked in [true, false] {
        run_mock(async {
            let (lot, third_heard) = (&ParkingLot::new(), &Cell::new(false));
            nursery(async |n| {
                n.start_soon(async move {
                    let race = first_to_end((
                        contend(can_be_revoked, lot.park()),
                        contend(can_be_revoked, lot.park()),
                    ));
                    assert_eq!(race.await?.others.is_empty(), can_be_revoked);
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                n.start_soon(async move {
                    let heard = terzetto::move_on_after(5.0, async { Ok(lot.park().await?) });
                    third_heard.set(heard.await?.is_some());
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                lot.unpark(2);
                Ok(())
            })
            .await?;
            assert_eq!(third_heard.get(), can_be_revoked);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_sleeping_and_checkpoints_take_nothing() {
    for can_be_revoked in [true, false] {
        run_mock(async {
            let finish = race(can_be_revoked, sleep(1.0), sleep(1.0), || ()).await?;
            assert_eq!((current_time(), finish.others.is_empty() || !can_be_revoked), (1.0, true));
            let finish = race(can_be_revoked, checkpoint(), checkpoint(), || ()).await?;
            assert!(finish.others.is_empty() || !can_be_revoked);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn pat_07_a_childs_value() {
    for can_be_revoked in [true, false] {
        let go = &Event::new();
        run_mock(nursery(async |n| {
            let child = |value| {
                n.start_for_result(async move { go.wait().await.map(|()| value).map_err(Error::from) })
            };
            let (a, b) = (child("a"), child("b"));
            let finish = race(can_be_revoked, a.result(), b.result(), || go.set()).await?;
            let (values, loser) = (["a", "b"], 1 - finish.index);
            assert_eq!(finish.value, values[finish.index]);
            match can_be_revoked {
                true => {
                    assert_eq!((finish.others.len(), [&a, &b][loser].result().await?), (0, values[loser]))
                }
                false => assert_eq!(finish.others, [(loser, values[loser])]),
            }
            Ok(())
        }))
        .unwrap();
    }
}
