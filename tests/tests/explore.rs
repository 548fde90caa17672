//! EXPLORE: a program under many schedules.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
};
use terzetto::{
    Error, channel, checkpoint, nursery, sleep,
    sync::{Event, Lock},
    testing::{Explore, explore},
};

/// The text of the panic with which a test of schedules fails.
fn failure(schedules: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(schedules)).unwrap_err();
    payload.downcast_ref::<String>().expect("a text").clone()
}

/// Tasks that begin later and later add one each.
async fn adds(tasks: usize) -> Result<(), Error> {
    let sum = Cell::new(0);
    nursery(async |n| {
        for late in 0..tasks {
            let sum = &sum;
            n.start_soon(async move {
                for _ in 0..late {
                    checkpoint().await?;
                }
                let read = sum.get();
                sum.set(read + 1);
                Ok(())
            });
        }
        Ok(())
    })
    .await?;
    assert_eq!(sum.get(), tasks);
    Ok(())
}

#[test]
fn explore_01_all_orders_of_a_batch_are_tried_once() {
    let seen = RefCell::new(HashSet::new());
    let explored = explore(async || {
        let order = RefCell::new(String::new());
        nursery(async |n| {
            for name in ["a", "b", "c", "d"] {
                let order = &order;
                n.start_soon(async move {
                    order.borrow_mut().push_str(name);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert!(seen.borrow_mut().insert(order.take()), "each order once");
        Ok(())
    });
    assert!(explored.all);
    assert_eq!((explored.schedules, seen.borrow().len()), (24, 24));
}

#[test]
fn explore_02_a_failure_in_one_of_many_orders_is_found_made_simple_and_repeated() {
    // It fails only if the last of five tasks is the first to run, twice in a row.
    let program = async || {
        let firsts = RefCell::new(Vec::new());
        for _ in 0..2 {
            let first = Cell::new(None);
            nursery(async |n| {
                for number in 0..5 {
                    let first = &first;
                    n.start_soon(async move {
                        first.set(first.get().or(Some(number)));
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;
            firsts.borrow_mut().push(first.get());
        }
        assert_ne!(firsts.take(), [Some(4), Some(4)], "the order of doom");
        Ok(())
    };
    let text = failure(|| _ = Explore::new(program).schedules(30_000).run());
    assert!(text.contains("the order of doom"), "{text}");
    // Each nursery has four choices: the fifth task of five, then the first of those that are left.
    assert!(text.contains(".only([4, 0, 0, 0, 4])"), "{text}");
    let text = failure(|| _ = Explore::new(program).only([4, 0, 0, 0, 4]).run());
    assert!(text.contains("the order of doom"), "{text}");
    Explore::new(program).only([4, 0, 0, 0, 3]).run();
}

#[test]
fn explore_03_a_program_with_too_many_schedules_is_tried_at_random_too_and_says_so() {
    let starts = Cell::new(0);
    let explored = Explore::new(async || {
        starts.set(starts.get() + 1);
        adds(8).await
    })
    .schedules(50)
    .run();
    assert_eq!((explored.schedules, explored.all, starts.get()), (50, false, 50));
}

#[test]
fn explore_04_a_deadlock_of_two_locks_is_found() {
    let text = failure(|| {
        _ = explore(async || {
            let (one, other) = (Lock::new(), Lock::new());
            nursery(async |n| {
                for (first, second) in [(&one, &other), (&other, &one)] {
                    n.start_soon(async move {
                        // Whoever is quick enough to take both at once is safe.
                        let _first = first.acquire_nowait()?;
                        checkpoint().await?;
                        let _second = second.acquire().await?;
                        Ok(())
                    });
                }
                Ok(())
            })
            .await
        });
    });
    assert!(text.contains("never ended"), "{text}");
}

#[test]
fn explore_05_a_lost_wake_up_is_found() {
    // The signal is lost if it is given before anybody waits.
    let program = async || {
        let (waiting, event) = (Cell::new(false), RefCell::new(Event::new()));
        nursery(async |n| {
            n.start_soon(async {
                waiting.set(true);
                let event = event.borrow().clone();
                Ok(event.wait().await?)
            });
            n.start_soon(async {
                if waiting.get() {
                    event.borrow().set();
                }
                Ok(())
            });
            Ok(())
        })
        .await
    };
    let text = failure(|| _ = explore(program));
    assert!(text.contains("never ended") && text.contains(".only([1])"), "{text}");
}

#[test]
fn explore_06_a_right_program_passes_and_the_check_is_made_after_each_schedule() {
    let (received, checks) = (RefCell::new(Vec::new()), Cell::new(0));
    let explored = Explore::new(async || {
        received.take();
        let (sender, receiver) = channel(1);
        nursery(async |n| {
            let sender = &sender;
            for number in 0..3 {
                n.start_soon(async move { Ok(sender.send(number).await?) });
            }
            for _ in 0..3 {
                received.borrow_mut().push(receiver.receive().await?);
                sleep(0.5).await?;
            }
            Ok(())
        })
        .await
    })
    .schedules(5000)
    .check(|| {
        let mut all = received.borrow().clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
        checks.set(checks.get() + 1);
    })
    .run();
    assert!(explored.all && explored.schedules > 6, "{explored:?}");
    assert_eq!(checks.get(), explored.schedules);
}

#[test]
fn explore_07_the_same_seed_tries_the_same_schedules() {
    let orders = |seed| {
        let seen = RefCell::new(Vec::new());
        Explore::new(async || {
            let order = RefCell::new(Vec::new());
            nursery(async |n| {
                for number in 0..9 {
                    let order = &order;
                    n.start_soon(async move { Ok(order.borrow_mut().push(number)) });
                }
                Ok(())
            })
            .await?;
            seen.borrow_mut().push(order.take());
            Ok(())
        })
        .schedules(20)
        .seed(seed)
        .run();
        seen.take()
    };
    assert_eq!(orders(1), orders(1));
    assert!(orders(1) != orders(2));
}
