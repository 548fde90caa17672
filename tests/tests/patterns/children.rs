//! PAT-01 and PAT-02: values of children.

use std::cell::Cell;
use terzetto::{
    CancelScope, Error,
    children::{ResultError, gather, map},
    current_time,
    lowlevel::cancel_shielded_checkpoint,
    move_on_after, nursery,
    race::first_to_end,
    sleep, sleep_forever,
    supervise::Supervisor,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};
use terzetto_tests::{OnDrop, run_mock};

#[test]
fn pat_01_a_childs_value_is_awaited_inside_the_nursery() {
    run_mock(async {
        let text = String::from("borrowed");
        let length = nursery(async |n| {
            let child = n.start_for_result(async {
                sleep(1.0).await?;
                Ok(&text[..6])
            });
            assert!(!child.has_ended() && child.result_nowait().unwrap().is_none());
            let value = assert_checkpoints(child.result()).await?;
            assert_eq!((value, current_time()), ("borrow", 1.0));
            assert!(matches!(child.result().await, Err(ResultError::Taken)));
            Ok(value.len())
        })
        .await?;
        assert_eq!(length, 6);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_01_a_value_can_be_taken_after_the_nursery() {
    run_mock(async {
        let child = nursery(async |n| {
            Ok(n.start_for_result_named("late", async {
                sleep(1.0).await?;
                Ok(7)
            }))
        })
        .await?;
        assert_eq!(child.task().name(), "late");
        assert_eq!(child.result().await?, 7);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_01_a_wait_for_a_value_that_is_cancelled_or_dropped_loses_nothing() {
    run_mock(async {
        nursery(async |n| {
            let child = &n.start_for_result(async {
                sleep(2.0).await?;
                Ok("value")
            });
            assert!(move_on_after(1.0, async { Ok(child.result().await?) }).await?.is_none());
            let mut dropped = Box::pin(child.result());
            terzetto_tests::begin(&mut dropped).await;
            child.wait_ended().await?;
            drop(dropped);
            assert_eq!(child.result().await?, "value");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn pat_01_an_error_is_the_nurserys_and_whoever_awaits_the_value_is_cancelled() {
    let told = Cell::new(None);
    let error = run_mock(async {
        nursery(async |n| {
            let child = n.start_for_result::<(), _>(async { Err(Error::msg("no value")) });
            let outcome = child.result().await;
            told.set(Some(matches!(outcome, Err(ResultError::Cancelled(_)))));
            Ok(outcome?)
        })
        .await
    })
    .unwrap_err();
    assert_eq!((told.get(), error.group().unwrap().leaves().count()), (Some(true), 1));
    assert!(error.to_string().contains("no value"), "{error}");
}

#[test]
fn pat_01_whoever_is_outside_learns_that_there_is_no_value() {
    run_mock(async {
        let kept = Cell::new(None);
        let failed = nursery(async |n| {
            kept.set(Some(n.start_for_result::<u8, _>(async { Err(Error::msg("no value")) })));
            Ok(())
        });
        assert!(failed.await.is_err());
        assert!(matches!(kept.take().unwrap().result().await, Err(ResultError::NoValue)));
        // One whose nursery is dropped has ended, too.
        let mut dropped = Box::pin(nursery(async |n| {
            kept.set(Some(n.start_for_result::<u8, _>(async { Ok(sleep_forever().await.map(|_| 1)?) })));
            Ok(sleep_forever().await?)
        }));
        terzetto_tests::begin(&mut dropped).await;
        drop(dropped);
        let child = kept.take().unwrap();
        assert!(child.has_ended() && matches!(child.result_nowait(), Err(ResultError::NoValue)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_02_gather_returns_the_values_in_the_order_of_the_tasks() {
    run_mock(async {
        let words = [String::from("one"), String::from("two")];
        let slow = async {
            sleep(2.0).await?;
            Ok(&words[0])
        };
        let fast = async {
            sleep(1.0).await?;
            Ok(words[1].len())
        };
        let (first, second) = gather((slow, fast)).await?;
        assert_eq!((first.as_str(), second, current_time()), ("one", 3, 2.0));
        let after = |seconds: f64| async move {
            sleep(seconds).await?;
            Ok(seconds)
        };
        assert_eq!(gather([after(3.0), after(1.0), after(2.0)]).await?, [3.0, 1.0, 2.0]);
        assert_eq!(gather(vec![after(1.0), after(0.0)]).await?, vec![1.0, 0.0]);
        assert_eq!(current_time(), 6.0);
        let none: Vec<std::future::Ready<Result<u8, Error>>> = Vec::new();
        assert!(gather(none).await?.is_empty());
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_02_an_error_cancels_the_others_which_have_ended_when_gather_returns() {
    run_mock(async {
        let cleaned = &Cell::new(false);
        let outcome = gather((
            async {
                let caught = sleep_forever().await;
                CancelScope::new().shielded(true).run(async { Ok(sleep(5.0).await?) }).await?;
                cleaned.set(true);
                Ok(caught?)
            },
            async {
                sleep(1.0).await?;
                Err::<u8, _>(Error::msg("the disk is full"))
            },
        ))
        .await;
        let error = outcome.unwrap_err();
        assert!(cleaned.get() && current_time() == 6.0);
        let group = error.group().unwrap();
        assert_eq!(group.errors().len(), 1);
        assert!(error.to_string().contains("the disk is full"), "{error}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_02_two_errors_in_the_same_instant_are_both_returned() {
    let failing = |text: &'static str| async move {
        cancel_shielded_checkpoint().await;
        Err::<(), _>(Error::msg(text))
    };
    let error = run_mock(gather([failing("first"), failing("second")])).unwrap_err();
    assert_eq!(error.group().unwrap().leaves().count(), 2);
}

#[test]
fn pat_02_a_gather_that_is_cancelled_joins_and_one_that_is_dropped_drops() {
    run_mock(async {
        let ended = &Cell::new(0);
        let task = || async {
            let _at_the_end = OnDrop(|| ended.set(ended.get() + 1));
            Ok(sleep_forever().await?)
        };
        assert!(move_on_after(1.0, gather([task(), task()])).await?.is_none());
        assert_eq!(ended.get(), 2);
        let mut dropped = Box::pin(gather([task(), task()]));
        terzetto_tests::begin(&mut dropped).await;
        wait_all_tasks_blocked(0.0).await?;
        terzetto_tests::begin(&mut dropped).await;
        drop(dropped);
        assert_eq!(ended.get(), 4);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_02_messages_name_the_place_where_a_pattern_was_called() {
    run_mock(async {
        let fails = || async { Err::<(), _>(Error::msg("it fails")) };
        let errors = [
            gather([fails()]).await.unwrap_err(),
            gather((fails(),)).await.unwrap_err(),
            map(0..1, async |_| fails().await).collect().await.unwrap_err(),
            map(0..1, async |_| fails().await)
                .with_results(async |_| Ok(sleep_forever().await.map(drop)?))
                .await
                .unwrap_err(),
            first_to_end([fails()]).await.unwrap_err(),
            Supervisor::one_for_one().restarts(0, 1.0).task("fails", fails).run().await.unwrap_err(),
            nursery(async |n| Ok(n.start_for_result(fails()).result().await?)).await.unwrap_err(),
        ];
        for error in errors {
            let text = error.to_string();
            assert!(text.contains(file!()) && !text.contains("patterns/src"), "{text}");
        }
        Ok(())
    })
    .unwrap();
}
