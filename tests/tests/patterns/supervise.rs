//! PAT-10 and PAT-11: tasks that are begun again.

use std::cell::{Cell, RefCell};
use terzetto::{
    CancelScope, Error, current_time, move_on_after, sleep, sleep_forever,
    supervise::{Supervisor, TooManyRestarts},
    time::Backoff,
};
use terzetto_tests::{Trace, run_mock};

#[test]
fn pat_10_a_task_that_fails_is_begun_again_after_a_pause_that_doubles() {
    run_mock(async {
        let begun = RefCell::new(Vec::new());
        Supervisor::one_for_one()
            .restarts(10, 1000.0)
            .backoff(Backoff::exponential(1).at_most(5))
            .task("feed", async || {
                begun.borrow_mut().push(current_time());
                if begun.borrow().len() < 6 { Err(Error::msg("the line is down")) } else { Ok(()) }
            })
            .run()
            .await?;
        assert_eq!(begun.into_inner(), [0.0, 1.0, 3.0, 7.0, 12.0, 17.0]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_10_a_task_that_has_run_well_for_long_pauses_little_again() {
    run_mock(async {
        let begun = RefCell::new(Vec::new());
        Supervisor::one_for_one()
            .restarts(2, 10.0)
            .backoff(Backoff::exponential(1))
            .task("feed", async || {
                begun.borrow_mut().push(current_time());
                let number = begun.borrow().len();
                if number == 3 {
                    sleep(50.0).await?;
                }
                if number < 5 { Err(Error::msg("again")) } else { Ok(()) }
            })
            .run()
            .await?;
        assert_eq!(begun.into_inner(), [0.0, 1.0, 3.0, 54.0, 56.0]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_10_a_task_that_fails_after_long_pauses_does_not_pause_less() {
    run_mock(async {
        let begun = RefCell::new(Vec::new());
        // The pauses are longer than the time of the budget. That the task has run well, they do not say.
        let supervisor =
            Supervisor::one_for_one().restarts(1, 1.0).backoff(Backoff::exponential(4).at_most(16));
        let supervisor = supervisor.task("feed", async || {
            begun.borrow_mut().push(current_time());
            if begun.borrow().len() < 5 { Err(Error::msg("again")) } else { Ok(()) }
        });
        supervisor.run().await?;
        assert_eq!(begun.into_inner(), [0.0, 4.0, 12.0, 28.0, 44.0]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_10_the_pauses_are_those_of_the_backoff_with_its_jitter_and_seed() {
    run_mock(async {
        let backoff = Backoff::exponential(1).jitter(0.5).seed(3);
        let begun = RefCell::new(Vec::new());
        let supervisor = Supervisor::one_for_one().restarts(10, 1000).backoff(backoff.clone());
        let supervisor = supervisor.task("feed", async || {
            begun.borrow_mut().push(current_time());
            if begun.borrow().len() < 4 { Err(Error::msg("again")) } else { Ok(()) }
        });
        supervisor.run().await?;
        let mut expected = vec![0.0];
        for delay in backoff.delays().take(3) {
            expected.push(expected[expected.len() - 1] + delay);
        }
        assert_eq!(begun.into_inner(), expected);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_10_the_others_are_left_alone_and_what_ends_well_is_not_begun_again() {
    run_mock(async {
        let (calm, nervous) = (Cell::new(0), Cell::new(0));
        Supervisor::one_for_one()
            .backoff(Backoff::constant(0.5))
            .task("calm", async || {
                calm.set(calm.get() + 1);
                Ok(sleep(20.0).await?)
            })
            .task("nervous", async || {
                nervous.set(nervous.get() + 1);
                sleep(4.0).await?;
                if nervous.get() < 4 { Err(Error::msg("nervous")) } else { Ok(()) }
            })
            .run()
            .await?;
        assert_eq!((calm.get(), nervous.get(), current_time()), (1, 4, 20.0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_10_a_budget_that_is_used_up_ends_the_supervisor_and_all_tasks() {
    run_mock(async {
        let (begun, other_ended) = (Cell::new(0), Cell::new(false));
        let error = Supervisor::one_for_one()
            .restarts(3, 60.0)
            .backoff(Backoff::constant(1))
            .task("other", async || {
                let outcome = sleep_forever().await;
                other_ended.set(true);
                Ok(outcome?)
            })
            .task("feed", async || {
                begun.set(begun.get() + 1);
                Err("x".parse::<u8>().unwrap_err().into())
            })
            .run()
            .await
            .unwrap_err();
        assert_eq!((begun.get(), other_ended.get(), current_time()), (4, true, 3.0));
        let gave_up = error.find::<TooManyRestarts>().unwrap();
        assert_eq!(gave_up.task(), "feed");
        assert!(gave_up.last_error().find::<std::num::ParseIntError>().is_some());
        assert!(error.find::<std::num::ParseIntError>().is_some(), "the cause can be found");
        assert!(error.to_string().contains("feed failed after 3 restarts within 60 s"), "{error}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_10_the_budget_is_of_all_tasks_together_and_restarts_leave_it_with_time() {
    run_mock(async {
        // Each alone is within the budget, both together are not.
        let failing = |seconds: f64| {
            async move || -> Result<(), Error> {
                sleep(seconds).await?;
                Err(Error::msg("again"))
            }
        };
        let both = Supervisor::one_for_one().restarts(2, 10.0).backoff(Backoff::constant(0));
        let both = both.task("a", failing(6.0)).task("b", failing(7.0));
        assert!(both.run().await.unwrap_err().find::<TooManyRestarts>().is_some());
        // At 6, 7 and 12: the third within ten seconds.
        assert_eq!(current_time(), 12.0);
        let alone =
            Supervisor::one_for_one().restarts(2, 10.0).backoff(Backoff::constant(0)).task("a", failing(6.0));
        assert!(move_on_after(1000.0, alone.run()).await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_10_a_cancelled_task_is_not_begun_again_also_in_a_pause() {
    run_mock(async {
        let begun = Cell::new(0);
        let waiting = Supervisor::one_for_one().task("waits", async || {
            begun.set(begun.get() + 1);
            Ok(sleep_forever().await?)
        });
        assert!(move_on_after(1.0, waiting.run()).await?.is_none());
        let pausing = Supervisor::one_for_one().backoff(Backoff::constant(100)).task("fails", async || {
            begun.set(begun.get() + 1);
            Err(Error::msg("again"))
        });
        assert!(move_on_after(1.0, pausing.run()).await?.is_none());
        assert_eq!((begun.get(), current_time()), (2, 2.0));
        Ok(())
    })
    .unwrap();
}

#[test]
#[should_panic(expected = "a defect")]
fn pat_10_a_panic_is_not_begun_again() {
    let begun = Cell::new(0);
    let _ = run_mock(
        Supervisor::one_for_one()
            .task("defect", async || {
                begun.set(begun.get() + 1);
                assert_eq!(begun.get(), 1, "it was begun again");
                panic!("a defect")
            })
            .run(),
    );
}

#[test]
fn pat_11_when_one_fails_all_are_joined_and_then_begun_again() {
    run_mock(async {
        let (trace, failures) = (Trace::default(), Cell::new(0));
        Supervisor::all_for_one()
            .backoff(Backoff::constant(1))
            .task("reader", async || {
                trace.note(format!("reader@{}", current_time()));
                if failures.get() > 0 {
                    return Ok(());
                }
                let outcome = sleep_forever().await;
                CancelScope::new().shielded(true).run(async { Ok(sleep(2.0).await?) }).await?;
                trace.note(format!("cleaned@{}", current_time()));
                Ok(outcome?)
            })
            .task("quick", async || {
                trace.note("quick");
                Ok(())
            })
            .task("writer", async || {
                sleep(1.0).await?;
                failures.set(failures.get() + 1);
                if failures.get() > 1 { Ok(()) } else { Err(Error::msg("broken pipe")) }
            })
            .run()
            .await?;
        // The tasks of a batch run in any order.
        let text = trace
            .text()
            .replace("quick reader@0", "reader@0 quick")
            .replace("quick reader@4", "reader@4 quick");
        assert_eq!(text, "reader@0 quick cleaned@3 reader@4 quick");
        assert_eq!(current_time(), 5.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_11_a_budget_that_is_used_up_returns_the_errors_of_all() {
    run_mock(async {
        let begun = Cell::new(0);
        let error = Supervisor::all_for_one()
            .restarts(1, 5.0)
            .task("a", async || {
                begun.set(begun.get() + 1);
                Err(Error::msg("of a"))
            })
            .task("b", async || Err(Error::msg("of b")))
            .run()
            .await
            .unwrap_err();
        let gave_up = error.find::<TooManyRestarts>().unwrap();
        assert_eq!((begun.get(), gave_up.task()), (2, "a, b"));
        assert_eq!(gave_up.last_error().group().unwrap().leaves().count(), 2);
        Ok(())
    })
    .unwrap();
}

#[test]
#[should_panic(expected = "seconds must be a number of seconds that is not negative, and is NaN")]
fn pat_10_a_budget_that_makes_no_sense_is_refused() {
    drop(Supervisor::one_for_one().restarts(3, f64::NAN));
}
