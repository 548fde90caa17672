//! PAT-03 and PAT-04: a function for each item.

use futures_util::stream;
use std::cell::Cell;
use terzetto::{
    Error, channel, checkpoint,
    children::{from_stream, from_try_stream, map},
    current_time, move_on_after, nursery, sleep, sleep_forever,
    sync::with_producer,
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::{OnDrop, run_mock};

/// Counts how many are at work, and the most at once.
#[derive(Default)]
struct AtWork {
    now: Cell<usize>,
    most: Cell<usize>,
    begun: Cell<usize>,
}

impl AtWork {
    fn begin(&self) -> OnDrop<impl FnMut() + '_> {
        self.now.set(self.now.get() + 1);
        self.begun.set(self.begun.get() + 1);
        self.most.set(self.most.get().max(self.now.get()));
        OnDrop(|| self.now.set(self.now.get() - 1))
    }
}

#[test]
fn pat_03_results_come_in_the_order_of_the_items_and_at_most_so_many_calls_are_made_at_once() {
    run_mock(async {
        let (work, words) = (AtWork::default(), ["ccc", "a", "bb", "dddd", "e"]);
        let lengths = map(words.iter(), async |word| {
            let _working = work.begin();
            sleep(word.len() as f64).await?;
            Ok(word.len())
        })
        .at_most(2)
        .collect()
        .await?;
        assert_eq!((lengths, work.most.get()), (vec![3, 1, 2, 4, 1], 2));
        // Two at once: 3 beside 1 and 2, then 4 beside 1.
        assert_eq!(current_time(), 7.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_03_results_come_as_completed_if_asked_for() {
    run_mock(async {
        let by_time = async |seconds: i32| {
            sleep(seconds).await?;
            Ok(seconds)
        };
        assert_eq!(map([3, 1, 2].into_iter(), by_time).as_completed().collect().await?, [1, 2, 3]);
        assert_eq!(map([3, 1, 2].into_iter(), by_time).collect().await?, [3, 1, 2]);
        assert_eq!(current_time(), 6.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_03_an_item_is_taken_when_there_is_room_for_its_call() {
    run_mock(async {
        let taken = Cell::new(0);
        let endless = std::iter::repeat_with(|| taken.set(taken.get() + 1));
        let calls = map(endless, async |()| Ok(sleep_forever().await?)).at_most(3);
        assert!(move_on_after(1.0, calls.collect()).await?.is_none());
        assert_eq!(taken.get(), 3);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_03_a_channel_keeps_what_is_not_worked_on() {
    run_mock(async {
        let (sender, receiver) = channel(10);
        for number in 0..5 {
            sender.send(number).await?;
        }
        let calls = map(&receiver, async |_| Ok(sleep_forever().await?)).at_most(2);
        assert!(move_on_after(1.0, calls.collect()).await?.is_none());
        assert_eq!(receiver.receive().await?, 2);
        drop(sender);
        assert_eq!(map(receiver, async |number| Ok(number)).collect().await?, [3, 4]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_03_items_come_from_iterators_channels_producers_and_streams() {
    run_mock(async {
        let double = async |number: i32| {
            checkpoint().await?;
            Ok(2 * number)
        };
        assert_eq!(map(from_stream(stream::iter([1, 2])), double).collect().await?, [2, 4]);
        let good = stream::iter([Ok::<_, std::num::ParseIntError>(1), Ok(2)]);
        assert_eq!(map(from_try_stream(good), double).at_most(1).collect().await?, [2, 4]);
        let bad = stream::iter([Ok(1), "x".parse::<i32>()]);
        let error = map(from_try_stream(bad), double).collect().await.unwrap_err();
        assert!(error.find::<std::num::ParseIntError>().is_some());
        let made = with_producer(
            async |sender| {
                for number in 1..3 {
                    sender.send(number).await?;
                }
                Ok(())
            },
            async |receiver| map(receiver, double).at_most(1).collect().await,
        );
        assert_eq!(made.await?, [2, 4]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_03_a_stream_that_waits_for_something_foreign_is_cancelled() {
    run_mock(async {
        let calls = map(from_stream(stream::pending::<i32>()), async |number| Ok(number));
        assert!(move_on_after(1.0, calls.collect()).await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_03_an_error_cancels_the_rest() {
    run_mock(async {
        let work = AtWork::default();
        let calls = map(0.., async |number| {
            let _working = work.begin();
            sleep(1.0).await?;
            if number == 4 { Err(Error::msg("four")) } else { Ok(number) }
        });
        let error = calls.at_most(3).collect().await.unwrap_err();
        assert_eq!((work.now.get(), error.group().unwrap().errors().len(), current_time()), (0, 1, 2.0));
        // Three times two until it failed, and nothing after that.
        assert_eq!(work.begun.get(), 6);
        Ok(())
    })
    .unwrap();
}

#[test]
#[should_panic(expected = "at least one call")]
fn pat_03_a_map_must_be_allowed_to_make_a_call() {
    let _never = map(0..3, async |number| Ok(number)).at_most(0);
}

#[test]
fn pat_04_results_are_handed_out_while_the_calls_go_on() {
    run_mock(async {
        let by_time = async |seconds: i32| {
            sleep(seconds).await?;
            Ok(seconds)
        };
        for (completed, expected) in
            [(true, [(1, 1.0), (2, 2.0), (3, 3.0)]), (false, [(2, 2.0), (1, 2.0), (3, 3.0)])]
        {
            let begun = current_time();
            let calls = map([2, 1, 3].into_iter(), by_time);
            let calls = if completed { calls.as_completed() } else { calls };
            let seen = calls
                .with_results(async |results| {
                    let mut seen = Vec::new();
                    while let Some(result) = results.next().await? {
                        seen.push((result, current_time() - begun));
                    }
                    assert_eq!(results.next().await?, None);
                    Ok(seen)
                })
                .await?;
            assert_eq!(seen, expected);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_04_a_result_that_was_not_taken_keeps_its_place() {
    run_mock(async {
        let work = AtWork::default();
        let calls = map(0.., async |number| {
            let _working = work.begin();
            checkpoint().await?;
            Ok(number)
        });
        let seen = calls
            .at_most(3)
            .with_results(async |results| {
                sleep(1.0).await?;
                assert_eq!(work.begun.get(), 3);
                let first = results.next().await?;
                wait_all_tasks_blocked(0.0).await?;
                assert_eq!(work.begun.get(), 4);
                Ok(first)
            })
            .await?;
        assert_eq!((seen, work.now.get()), (Some(0), 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_04_a_wait_for_a_result_that_is_cancelled_or_dropped_loses_none() {
    run_mock(async {
        let calls = map([2, 4].into_iter(), async |seconds| {
            sleep(seconds).await?;
            Ok(seconds)
        });
        let seen = calls
            .with_results(async |results| {
                assert!(move_on_after(1.0, async { Ok(results.next().await?) }).await?.is_none());
                let mut dropped = Box::pin(results.next());
                terzetto_tests::begin(&mut dropped).await;
                sleep(1.5).await?;
                drop(dropped);
                let mut seen = vec![results.next().await?];
                seen.push(results.next().await?);
                Ok(seen)
            })
            .await?;
        assert_eq!(seen, [Some(2), Some(4)]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_04_a_call_that_fails_cancels_the_consumer() {
    run_mock(async {
        let calls = map(0..2, async |_| Err::<u8, _>(Error::msg("no result")));
        let error = calls.with_results(async |results| Ok(results.next().await?)).await.unwrap_err();
        assert_eq!(error.group().unwrap().leaves().filter(|error| !error.is_cancelled()).count(), 2);
        let calls = map(0..2, async |_| Ok(sleep_forever().await?));
        let error = calls
            .with_results(async |_| {
                nursery(async |_| Ok(sleep(1.0).await?)).await?;
                Err::<(), _>(Error::msg("enough"))
            })
            .await
            .unwrap_err();
        assert!(error.to_string().contains("enough"), "{error}");
        Ok(())
    })
    .unwrap();
}
