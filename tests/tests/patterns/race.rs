//! PAT-05, PAT-06 and PAT-08: races. PAT-07, at most one event, is in `one_event.rs`.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
};
use terzetto::{
    CancelScope, Error, channel, checkpoint, current_time,
    lowlevel::cancel_shielded_checkpoint,
    move_on_after,
    race::{NoContenders, first_to_end, first_to_succeed, hedge},
    sleep, sleep_forever,
    sync::Event,
};
use terzetto_tests::{OnDrop, run_mock};

async fn after<T>(seconds: f64, value: T) -> Result<T, Error> {
    sleep(seconds).await?;
    Ok(value)
}

async fn fails_after<T>(seconds: f64, text: &str) -> Result<T, Error> {
    sleep(seconds).await?;
    Err(Error::msg(text.to_owned()))
}

/// Waits for ever, and takes so long to clean up.
async fn cleans_up<T>(seconds: f64, cleaned: &Cell<bool>) -> Result<T, Error> {
    let outcome = sleep_forever().await;
    CancelScope::new().shielded(true).run(async { Ok(sleep(seconds).await?) }).await?;
    cleaned.set(true);
    Err(outcome.unwrap_err().into())
}

#[test]
fn pat_05_the_first_to_end_wins_and_the_losers_have_ended_when_it_returns() {
    run_mock(async {
        let cleaned = Cell::new(false);
        let word = String::from("hare");
        let finish = first_to_end((
            after(9.0, "tortoise"),
            async {
                sleep(1.0).await?;
                Ok(word.as_str())
            },
            cleans_up(2.0, &cleaned),
        ))
        .await?;
        assert_eq!((finish.index, finish.value, finish.others.len()), (1, "hare", 0));
        assert!(cleaned.get() && current_time() == 3.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_05_an_error_wins_too_and_an_error_of_a_loser_is_not_hidden() {
    run_mock(async {
        let error =
            first_to_end([fails_after::<()>(1.0, "down"), fails_after(2.0, "late")]).await.unwrap_err();
        assert_eq!((error.group().unwrap().errors().len(), current_time()), (1, 1.0));
        assert!(error.to_string().contains("down"), "{error}");
        let error = first_to_end((after(1.0, ()), async {
            let _ = sleep_forever().await;
            Err(Error::msg("the cleaning failed"))
        }))
        .await
        .unwrap_err();
        assert!(error.to_string().contains("the cleaning failed"), "{error}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_05_values_of_losers_are_handed_over() {
    run_mock(async {
        // In the same tick: a cancellation takes nobody out who goes on already.
        let happens = Event::new();
        let waits = |name: &'static str| {
            let happens = happens.clone();
            async move {
                happens.wait().await?;
                Ok(name)
            }
        };
        let sets = async {
            sleep(1.0).await?;
            happens.set();
            Ok(sleep_forever().await.map(|_| "")?)
        };
        let race = vec![
            Box::pin(waits("a")) as Pin<Box<dyn Future<Output = _>>>,
            Box::pin(waits("b")),
            Box::pin(sets),
        ];
        let finish = first_to_end(race).await?;
        let (winner, loser) = (finish.index, 1 - finish.index);
        assert_eq!((finish.value, &*finish.others), (["a", "b"][winner], &[(loser, ["a", "b"][loser])][..]));
        // Later, in spite of the cancellation.
        let finish = first_to_end((after(1.0, "a"), async {
            let _ = sleep_forever().await;
            cancel_shielded_checkpoint().await;
            Ok("b")
        }))
        .await?;
        assert_eq!(finish.others, [(1, "b")]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_05_a_race_needs_contenders() {
    run_mock(async {
        let none = Vec::<std::future::Ready<Result<u8, Error>>>::new;
        assert!(first_to_end(none()).await.unwrap_err().find::<NoContenders>().is_some());
        assert!(first_to_succeed(none()).await.unwrap_err().find::<NoContenders>().is_some());
        assert!(hedge(0, 1.0, async |_| Ok(())).await.unwrap_err().find::<NoContenders>().is_some());
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_05_a_race_that_is_cancelled_joins_all_and_one_that_is_won_keeps_its_value() {
    run_mock(async {
        let cleaned = Cell::new(false);
        let race = first_to_end([cleans_up::<()>(2.0, &cleaned)]);
        assert!(move_on_after(1.0, race).await?.is_none());
        assert!(cleaned.get() && current_time() == 3.0);
        // Won, and then cancelled while the loser cleans up.
        let cleaned = Cell::new(false);
        let race = first_to_end((after(0.5, "won"), cleans_up(2.0, &cleaned)));
        assert_eq!(move_on_after(1.0, race).await?.map(|finish| finish.value), Some("won"));
        assert!(cleaned.get());
        // Dropped.
        let dropped = Cell::new(0);
        let contender = || async {
            let _at_the_end = OnDrop(|| dropped.set(dropped.get() + 1));
            Ok(sleep_forever().await?)
        };
        let mut race = Box::pin(first_to_end([contender(), contender()]));
        terzetto_tests::begin(&mut race).await;
        checkpoint().await?;
        terzetto_tests::begin(&mut race).await;
        drop(race);
        assert_eq!(dropped.get(), 2);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_06_the_first_to_succeed_wins_and_failures_before_do_not_count() {
    run_mock(async {
        let cleaned = Cell::new(false);
        let finish = first_to_succeed((
            fails_after(1.0, "down"),
            after(2.0, "page"),
            after(3.0, "late"),
            cleans_up(1.0, &cleaned),
        ))
        .await?;
        assert_eq!((finish.index, finish.value, current_time()), (1, "page", 3.0));
        assert!(cleaned.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_06_if_none_succeeds_all_failures_are_a_group_in_order() {
    run_mock(async {
        let race = [fails_after::<()>(3.0, "a"), fails_after(1.0, "b"), fails_after(2.0, "c")];
        let error = first_to_succeed(race).await.unwrap_err();
        let group = error.group().unwrap();
        let texts: Vec<_> = group.errors().iter().map(Error::to_string).collect();
        assert_eq!((texts, current_time()), (vec!["a".into(), "b".into(), "c".into()], 3.0));
        assert_eq!(group.message(), "every contender of a race has failed");
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_06_a_cancellation_is_no_failure() {
    run_mock(async {
        let race = first_to_succeed((fails_after(0.5, "down"), after(9.0, "late")));
        assert!(move_on_after(1.0, race).await?.is_none());
        assert_eq!(current_time(), 1.0);
        // If all have failed before they were cancelled, the failures are what there is to say.
        let race = first_to_succeed([async {
            let _ = sleep_forever().await;
            Err::<(), _>(Error::msg("in the cleaning"))
        }]);
        let error = move_on_after(1.0, race).await.unwrap_err();
        assert!(error.to_string().contains("in the cleaning"), "{error}");
        Ok(())
    })
    .unwrap();
}

#[test]
#[should_panic(expected = "a defect")]
fn pat_06_a_panic_is_no_failure_but_goes_on() {
    let _ = run_mock(first_to_succeed((after(1.0, ()), async {
        checkpoint().await?;
        panic!("a defect")
    })));
}

#[test]
fn pat_08_a_second_attempt_is_made_after_the_delay_and_the_first_value_wins() {
    run_mock(async {
        let begun = RefCell::new(Vec::new());
        let finish = hedge(3, 1.0, async |number| {
            begun.borrow_mut().push(current_time());
            sleep(if number == 0 { 10.0 } else { 1.5 }).await?;
            Ok(number)
        })
        .await?;
        // The third attempt begins half a second before the second one wins.
        assert_eq!((begun.take(), finish.value, current_time()), (vec![0.0, 1.0, 2.0], 1, 2.5));
        let finish = hedge(3, 1.0, async |number| {
            begun.borrow_mut().push(current_time());
            after(0.5, number).await
        })
        .await?;
        assert_eq!((begun.take(), finish.value), (vec![2.5], 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_08_an_attempt_that_fails_brings_the_next_one_forward() {
    run_mock(async {
        let begun = RefCell::new(Vec::new());
        let error = hedge(3, 10.0, async |number| {
            begun.borrow_mut().push(current_time());
            fails_after::<()>(1.0, &format!("attempt {number}")).await
        })
        .await
        .unwrap_err();
        assert_eq!((begun.take(), current_time()), (vec![0.0, 1.0, 2.0], 3.0));
        let texts: Vec<_> = error.group().unwrap().errors().iter().map(Error::to_string).collect();
        assert_eq!(texts, ["attempt 0", "attempt 1", "attempt 2"]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_08_the_attempts_that_lose_have_ended_and_a_cancelled_hedge_makes_no_more() {
    run_mock(async {
        let cleaned = Cell::new(false);
        let finish = hedge(2, 1.0, async |number| match number {
            0 => cleans_up(2.0, &cleaned).await,
            _ => after(1.0, number).await,
        })
        .await?;
        assert_eq!((finish.value, cleaned.get(), current_time()), (1, true, 4.0));
        let begun = Cell::new(0);
        let hedged = hedge(5, 1.0, async |_| {
            begun.set(begun.get() + 1);
            Ok(sleep_forever().await?)
        });
        assert!(move_on_after(1.5, hedged).await?.is_none());
        assert_eq!(begun.get(), 2);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_08_a_value_in_the_instant_of_the_delay_makes_no_further_attempt() {
    run_mock(async {
        let (begun, (_sender, receiver)) = (Cell::new(0), channel::<u8>(0));
        let finish = hedge(2, 1.0, async |number| {
            begun.set(begun.get() + 1);
            match number {
                0 => after(1.0, 0).await,
                _ => Ok(receiver.receive().await?),
            }
        })
        .await?;
        assert_eq!(finish.value, 0);
        assert!(begun.get() <= 2);
        Ok(())
    })
    .unwrap();
}

#[test]
#[should_panic(expected = "delay must be a number of seconds that is not negative, and is -1")]
fn pat_08_a_delay_that_makes_no_sense_is_refused_before_any_attempt() {
    drop(hedge(2, -1, async |_| Ok(())));
}

#[test]
#[should_panic(expected = "a defect")]
fn pat_08_a_panic_of_an_attempt_goes_on_when_all_have_ended() {
    let _ = run_mock(hedge(2, 1, async |number| match number {
        0 => after(2.0, ()).await,
        _ => panic!("a defect"),
    }));
}
