//! EVERY: a program is struck at each of its cancel points.

use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
};
use terzetto::{
    CancelScope, Error, cancellable, channel, checkpoint,
    io::{ReceiveStream, SendStream},
    lowlevel::spawn_system_task,
    move_on_after, nursery, sleep, sleep_forever,
    sync::{CapacityLimiter, Condition, Event, Lock, ParkingLot, Semaphore},
    testing::{Everywhere, Strike, cancel_everywhere, memory_stream_pair},
};

const ALL: [Strike; 3] = [Strike::Cancel, Strike::Drop, Strike::Panic];

/// The text of the panic with which a test of cases fails.
fn failure(cases: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(cases)).unwrap_err();
    payload.downcast_ref::<String>().expect("a text").clone()
}

#[test]
fn every_01_each_cancel_point_is_struck_once_and_the_counts_are_told() {
    let starts = Cell::new(0);
    let program = async || {
        starts.set(starts.get() + 1);
        checkpoint().await?;
        checkpoint().await?;
        Ok(sleep(1.0).await?)
    };
    let coverage = Everywhere::new(program).strikes(ALL).run();
    // A sleep is one where it blocks; the two checkpoints are one each.
    assert_eq!(coverage.points, 3);
    assert_eq!((coverage.runs, starts.get()), (10, 10));
}

#[test]
fn every_02_a_permit_that_is_lost_when_cancelled_is_found_with_its_place() {
    let free = Cell::new(1);
    let program = async || {
        free.set(free.get() - 1);
        checkpoint().await?;
        checkpoint().await?; // This is the place: the permit is not given back.
        free.set(free.get() + 1);
        Ok(())
    };
    let check = || assert_eq!(free.replace(1), 1, "a permit is lost");
    let text = failure(|| _ = Everywhere::new(program).check(check).run());
    assert!(text.contains("cancelled at its cancel point 1"), "{text}");
    assert!(text.contains("a permit is lost"), "{text}");
    assert!(text.contains(".only([(Strike::Cancel, 1)])"), "{text}");
    // A profile without debug information has no lines to name; then the report says that, and names the function.
    match text.contains("there is no debug information") {
        true => assert!(text.contains("in everywhere::every_02"), "{text}"),
        false => assert!(text.contains("everywhere.rs:"), "{text}"),
    }
    // The case alone fails in the same way.
    let program = async || {
        free.set(free.get() - 1);
        checkpoint().await?;
        free.set(free.get() + 1);
        Ok(())
    };
    let text = failure(|| _ = Everywhere::new(program).check(check).only([(Strike::Cancel, 1)]).run());
    assert!(text.contains("a permit is lost"), "{text}");
}

#[test]
fn every_03_a_program_that_hangs_when_it_is_cancelled_is_found() {
    let program = async || {
        let scope = CancelScope::new();
        let cleaned = Event::new();
        let worked = scope.run(async { Ok(checkpoint().await?) });
        if worked.await.is_ok() {
            cleaned.set();
        }
        let shield = CancelScope::new().shielded(true);
        // Whoever is cancelled above never sets it.
        shield.run(async { Ok(cleaned.wait().await?) }).await.map(drop)
    };
    let text = failure(|| _ = cancel_everywhere(program));
    assert!(text.contains("never ended"), "{text}");
}

#[test]
fn every_04_a_program_that_swallows_its_cancellation_is_not_struck_for_it() {
    // It ends all the same, which is all that is asked.
    cancel_everywhere(async || {
        let _swallowed = checkpoint().await;
        let _swallowed = sleep(1.0).await;
        Ok(())
    });
}

#[test]
fn every_05_a_failure_without_a_strike_is_told_first() {
    let text = failure(|| _ = cancel_everywhere(async || Err(Error::msg("by itself"))));
    assert!(text.contains("if nothing is done to it") && text.contains("by itself"), "{text}");
    let text = failure(|| _ = cancel_everywhere(async || Ok(sleep_forever().await?)));
    assert!(text.contains("never ended"), "{text}");
}

#[test]
fn every_06_pairs_strike_the_clean_up_too() {
    let clean = Cell::new(true);
    let program = async || {
        clean.set(false);
        let worked = checkpoint().await;
        // The clean-up itself can be cut off.
        let _cleaning = CancelScope::new().shielded(true).run(async { Ok(checkpoint().await?) }).await;
        clean.set(true);
        Ok(worked?)
    };
    let everywhere = || Everywhere::new(program).strikes([Strike::Cancel]).check(|| assert!(clean.get()));
    everywhere().run();
    let with_panics = Everywhere::new(program).strikes([Strike::Cancel, Strike::Panic]).pairs(100);
    let cases = RefCell::new(0);
    let coverage = with_panics.check(|| *cases.borrow_mut() += 1).run();
    assert_eq!(*cases.borrow(), coverage.runs);
    assert!(coverage.runs > 2 * coverage.points + 1, "pairs as well: {coverage:?}");
}

/// Each primitive, used by two tasks, with what must hold after any strike.
#[test]
fn every_07_the_runtimes_own_primitives_hold_at_each_point() {
    let lock = RefCell::new(Lock::new());
    let coverage = Everywhere::new(async || {
        let lock = lock.replace(Lock::new()).clone();
        nursery(async |n| {
            for _ in 0..3 {
                n.start_soon(async {
                    let _guard = lock.acquire().await?;
                    Ok(checkpoint().await?)
                });
            }
            Ok(())
        })
        .await
    })
    .strikes(ALL)
    .check(|| assert!(!lock.borrow().is_locked()))
    .run();
    assert!(coverage.points > 6, "{coverage:?}");

    let permits = Cell::new(0);
    Everywhere::new(async || {
        permits.set(usize::MAX);
        let (semaphore, limiter) = (Semaphore::new(1), CapacityLimiter::new(1));
        struct Left<'a>(&'a Semaphore, &'a CapacityLimiter, &'a Cell<usize>);
        impl Drop for Left<'_> {
            fn drop(&mut self) {
                self.2.set(self.0.value() + self.1.available_tokens() as usize);
            }
        }
        let _left = Left(&semaphore, &limiter, &permits);
        nursery(async |n| {
            for _ in 0..2 {
                n.start_soon(async {
                    let _permit = semaphore.acquire().await?;
                    let _token = limiter.acquire().await?;
                    Ok(checkpoint().await?)
                });
            }
            Ok(())
        })
        .await
    })
    .strikes(ALL)
    .check(|| assert_eq!(permits.get(), 2))
    .run();
}

#[test]
fn every_08_no_message_is_lost_or_doubled_at_any_point() {
    let (sent, received) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let coverage = Everywhere::new(async || {
        sent.take();
        received.take();
        let (sender, receiver) = channel(1);
        let rest = receiver.clone();
        let outcome = nursery(async |n| {
            n.start_soon(async {
                for number in 0..4 {
                    if sender.send(number).await.is_ok() {
                        sent.borrow_mut().push(number);
                    }
                }
                Ok(())
            });
            for _ in 0..4 {
                let got = move_on_after(1.0, async { Ok(receiver.receive().await?) }).await?;
                received.borrow_mut().extend(got);
            }
            Ok(())
        })
        .await;
        while let Ok(left) = rest.receive_nowait() {
            received.borrow_mut().push(left);
        }
        outcome
    })
    .strikes([Strike::Cancel])
    .check(|| assert_eq!(*sent.borrow(), *received.borrow(), "sent, and received or left"))
    .run();
    assert!(coverage.points > 8, "{coverage:?}");
}

#[test]
fn every_09_conditions_lots_streams_and_foreign_futures_end_at_each_point() {
    Everywhere::new(async || {
        let (condition, lot) = (Condition::new(), ParkingLot::new());
        let (ours, theirs) = memory_stream_pair();
        nursery(async |n| {
            n.start_soon(async {
                let mut guard = condition.acquire().await?;
                Ok(condition.wait(&mut guard).await?)
            });
            n.start_soon(async {
                lot.park().await?;
                ours.send_all(b"hello").await?;
                Ok(cancellable(std::future::ready(())).await?)
            });
            sleep(0.1).await?;
            let guard = condition.acquire().await?;
            condition.notify_all()?;
            drop(guard);
            lot.unpark_all();
            let mut room = [0; 5];
            assert_eq!(theirs.receive_some(&mut room).await?, 5);
            Ok(())
        })
        .await
    })
    .strikes(ALL)
    .pairs(300)
    .run();
}

#[test]
fn every_10_system_tasks_of_a_library_are_not_struck() {
    let coverage = Everywhere::new(async || {
        spawn_system_task("of a library", async {
            loop {
                checkpoint().await?;
            }
        })?;
        checkpoint().await?;
        nursery(async |n| {
            n.start_soon(async { Ok(checkpoint().await?) });
            Ok(())
        })
        .await
    })
    .strikes([Strike::Cancel, Strike::Drop, Strike::Panic])
    .run();
    assert_eq!((coverage.points, coverage.runs), (2, 7));
}
