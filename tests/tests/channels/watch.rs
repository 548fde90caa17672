//! WATCH: watched values.

use super::{Call, CallsOnDrop, Wait, cancelled_in};
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};
use terzetto::{
    CancelScope, fail_after, move_on_after, nursery, sleep,
    sync::Watch,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::{Trace, begin, run_mock};

#[test]
fn watch_01_a_wait_ends_with_the_first_value_that_the_predicate_holds_for_even_if_it_is_gone() {
    run_mock(async {
        let level = &Watch::new(0);
        let got = &RefCell::new(Vec::new());
        nursery(async |n| {
            for least in [2, 1, 3] {
                n.start_soon(async move {
                    let value = level.wait_value(move |&value| value >= least).await?;
                    got.borrow_mut().push((least, value));
                    Ok(())
                });
            }
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(level.tasks_waiting(), 3);
            for value in [1, 2, 5, 0] {
                level.set(value);
            }
            assert_eq!((level.get(), level.tasks_waiting()), (0, 0));
            Ok(())
        })
        .await?;
        let mut got = got.take();
        got.sort_unstable();
        assert_eq!(got, [(1, 1), (2, 2), (3, 5)]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_01_a_value_that_the_predicate_holds_for_already_is_enough() {
    run_mock(async {
        let level = Watch::new(7);
        assert_eq!(level.wait_value(|&value| value == 7).await?, 7);
        assert_eq!(level.tasks_waiting(), 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_02_an_equal_value_changes_nothing() {
    run_mock(async {
        let level = Watch::new(1);
        let calls = Rc::new(Cell::new(0));
        let own = calls.clone();
        let mut wait: Wait<'_, _> = Box::pin(level.wait_transition(move |_, _| {
            own.set(own.get() + 1);
            false
        }));
        begin(&mut wait).await;
        level.set(1);
        assert_eq!(calls.get(), 0);
        level.set(2);
        level.set(2);
        assert_eq!(calls.get(), 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_02_only_those_whose_predicate_holds_are_woken() {
    run_mock(async {
        let level = &Watch::new(0);
        let polls = &Cell::new(0);
        nursery(async |n| {
            n.start_soon(async {
                let mut wait = Box::pin(level.wait_value(|&value| value == 100));
                std::future::poll_fn(|cx| {
                    polls.set(polls.get() + 1);
                    wait.as_mut().poll(cx)
                })
                .await?;
                Ok(())
            });
            for value in 1..=100 {
                wait_all_tasks_blocked(0.0).await?;
                level.set(value);
            }
            Ok(())
        })
        .await?;
        assert_eq!(polls.get(), 2, "one to begin, and one to end");
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_03_a_transition_is_a_later_change_and_gives_both_values() {
    run_mock(async {
        let level = &Watch::new(9);
        nursery(async |n| {
            n.start_soon(async {
                // The value is 9 already, and that is no change.
                let change = fail_after(5.0, async { Ok(level.wait_transition(|&new, _| new == 9).await?) });
                assert_eq!(change.await?, (9, 4));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            for value in [4, 9, 5] {
                level.set(value);
            }
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn watch_04_eventual_values_skip_to_the_latest() {
    run_mock(async {
        let level = &Watch::new(0);
        let shown = &RefCell::new(Vec::new());
        nursery(async |n| {
            n.start_soon(async {
                let mut values = level.eventual_values();
                move_on_after(10.0, async {
                    loop {
                        let value = values.next().await?;
                        shown.borrow_mut().push(value);
                        sleep(1.5).await?;
                    }
                    #[allow(unreachable_code, reason = "gives the type")]
                    Ok(())
                })
                .await?;
                Ok(())
            });
            for value in 1..=5 {
                sleep(1.0).await?;
                level.set(value);
            }
            Ok(())
        })
        .await?;
        assert_eq!(*shown.borrow(), [0, 1, 3, 4, 5]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_04_a_next_that_is_cancelled_or_dropped_takes_nothing() {
    run_mock(async {
        let level = Watch::new(0);
        let mut values = level.eventual_values();
        assert!(cancelled_in(async { Ok(values.next().await?) }).await);
        assert_eq!(values.next().await?, 0);
        assert!(move_on_after(1.0, async { Ok(values.next().await?) }).await?.is_none());
        {
            let mut next: Wait<'_, _> = Box::pin(values.next());
            begin(&mut next).await;
            // It is woken, and has not run.
            level.set(1);
        }
        assert_eq!(values.next().await?, 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_05_a_predicate_may_set_the_value_and_everybody_sees_the_changes_in_one_order() {
    run_mock(async {
        let level = &Watch::new(0);
        let trace = Rc::new(Trace::default());
        let follow = |name: &'static str| {
            let trace = trace.clone();
            move |&new: &i32, &old: &i32| {
                trace.note(format!("{name}:{old}>{new}"));
                new == 3
            }
        };
        let (setter, is_called) = (level.clone(), Cell::new(false));
        let mut before: Wait<'_, _> = Box::pin(level.wait_transition(follow("a")));
        let mut sets: Wait<'_, _> = Box::pin(level.wait_value(move |&value| {
            assert!(!is_called.replace(true), "it is called for 2 when it has returned for 1");
            if (1..3).contains(&value) {
                setter.set(value + 1);
            }
            is_called.set(false);
            value == 3
        }));
        let mut after: Wait<'_, _> = Box::pin(level.wait_transition(follow("b")));
        begin(&mut before).await;
        begin(&mut sets).await;
        begin(&mut after).await;
        level.set(1);
        assert_eq!(trace.text(), "a:0>1 b:0>1 a:1>2 b:1>2 a:2>3 b:2>3");
        fail_after(5.0, async { Ok((before.await?, sets.await?, after.await?)) }).await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_05_a_predicate_may_make_the_value_what_it_waits_for() {
    run_mock(async {
        let level = Watch::new(0);
        let own = level.clone();
        let value = level.wait_value(move |&value| {
            own.set(5);
            value == 5
        });
        assert_eq!(fail_after(5.0, async { Ok(value.await?) }).await?, 5);
        assert_eq!(level.tasks_waiting(), 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_05_a_panic_of_a_predicate_goes_on_in_the_task_that_waits() {
    let level = Watch::new(0);
    let other_is_told = Cell::new(false);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run_mock(async {
            nursery(async |n| {
                n.start_soon(async {
                    level
                        .wait_value(|&value| if value == 1 { panic!("bad predicate") } else { false })
                        .await?;
                    Ok(())
                });
                n.start_soon(async {
                    level.wait_value(|&value| value == 1).await?;
                    other_is_told.set(true);
                    Ok(())
                });
                wait_all_tasks_blocked(0.0).await?;
                level.set(1);
                assert_eq!((level.get(), level.tasks_waiting()), (1, 0));
                Ok(())
            })
            .await
        })
    }));
    assert_eq!(outcome.unwrap_err().downcast_ref::<&str>(), Some(&"bad predicate"));
    assert!(other_is_told.get());
}

#[test]
fn watch_05_comparisons_and_destructors_may_use_the_value() {
    #[derive(Clone)]
    struct Value(
        u32,
        #[allow(dead_code, reason = "it is there to be dropped")] Option<CallsOnDrop>,
        Rc<Call>,
    );
    impl PartialEq for Value {
        fn eq(&self, other: &Self) -> bool {
            self.2.make();
            self.0 == other.0
        }
    }
    run_mock(async {
        let plain = |number| Value(number, None, Rc::default());
        let level = Watch::new(plain(0));
        let sets = |number| {
            let level = level.clone();
            Call::new(move || level.set(plain(number)))
        };
        level.set(Value(1, None, sets(2)));
        // The comparison of 1 with 3 sets 2, which 3 then replaces.
        level.set(plain(3));
        assert_eq!(level.get().0, 3);
        level.set(Value(4, Some(CallsOnDrop(sets(6))), Rc::default()));
        // What 4 owns is dropped when 5 replaces it, and sets 6.
        level.set(plain(5));
        assert_eq!(level.get().0, 6);
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_05_what_a_predicate_owns_may_use_the_value_when_it_is_dropped() {
    run_mock(async {
        let level = Watch::new(0);
        let own = level.clone();
        let owned = CallsOnDrop(Call::new(move || {
            assert_eq!(own.tasks_waiting(), 0);
            own.set(7);
        }));
        let mut wait: Wait<'_, _> = Box::pin(level.wait_value(move |_| {
            let _owned = &owned;
            false
        }));
        begin(&mut wait).await;
        drop(wait);
        assert_eq!(level.get(), 7);
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_06_waits_are_checkpoints_and_leave_nothing_behind() {
    run_mock(async {
        let level = Watch::new(0);
        assert_checkpoints(level.wait_value(|_| true)).await?;
        assert_checkpoints(level.eventual_values().next()).await?;
        assert!(cancelled_in(async { Ok(level.wait_value(|_| true).await?) }).await);
        assert!(cancelled_in(async { Ok(level.wait_transition(|_, _| true).await?) }).await);
        assert!(move_on_after(1.0, async { Ok(level.wait_value(|_| false).await?) }).await?.is_none());
        let mut dropped: Wait<'_, _> = Box::pin(level.wait_transition(|_, _| true));
        begin(&mut dropped).await;
        assert_eq!(level.tasks_waiting(), 1);
        drop(dropped);
        assert_eq!(level.tasks_waiting(), 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn watch_06_a_waiter_that_was_told_before_it_is_cancelled_has_its_value() {
    run_mock(async {
        let (level, scope) = (&Watch::new(0), &CancelScope::new());
        nursery(async |n| {
            n.start_soon(async {
                let value = scope.run(async { Ok(level.wait_value(|&value| value == 1).await?) }).await?;
                assert_eq!(value, Some(1));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            level.set(1);
            scope.cancel();
            level.set(0);
            Ok(())
        })
        .await
    })
    .unwrap();
}
