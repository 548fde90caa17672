//! RATE: rate limits.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    time::Duration,
};
use terzetto::{
    Builder, CancelScope, Error, current_time, fail_after, move_on_after, nursery, sleep,
    sync::AcquireError,
    testing::{MockClock, assert_checkpoints, wait_all_tasks_blocked},
    time::RateLimiter,
};
use terzetto_tests::{begin, run_mock};

type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

#[test]
fn rate_01_a_burst_is_free_and_the_rest_comes_at_the_rate() {
    run_mock(async {
        let limiter = RateLimiter::new(4, Duration::from_secs(1)).burst(3);
        let mut times = Vec::new();
        for _ in 0..6 {
            limiter.acquire().await?;
            times.push(current_time());
        }
        assert_eq!(times, [0.0, 0.0, 0.0, 0.25, 0.5, 0.75]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn rate_01_tokens_come_while_nobody_looks_and_never_more_than_the_burst() {
    run_mock(async {
        let limiter = RateLimiter::new(4, 1);
        let free = || std::iter::from_fn(|| limiter.acquire_nowait().ok()).count();
        assert_eq!(free(), 4);
        sleep(0.5).await?;
        assert_eq!(free(), 2);
        sleep(1000.0).await?;
        assert_eq!(free(), 4);
        Ok(())
    })
    .unwrap();
}

#[test]
fn rate_01_in_no_period_is_more_done_than_a_burst_and_what_the_rate_allows() {
    run_mock(async {
        // Numbers that have no exact form.
        let (rate, burst) = (0.7, 3);
        let limiter = &RateLimiter::new(7, 10).burst(burst);
        let times = &RefCell::new(Vec::new());
        nursery(async |n| {
            for i in 0..40 {
                n.start_soon(async move {
                    sleep(f64::from(i % 7) * 3.3).await?;
                    limiter.acquire().await?;
                    times.borrow_mut().push(current_time());
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        let times = times.borrow();
        for (i, &from) in times.iter().enumerate() {
            for (count, &to) in times[i..].iter().enumerate() {
                assert!(count as f64 <= burst as f64 + rate * (to - from) - 1.0 + 1e-6, "{from} to {to}");
            }
        }
        let whole = times.last().unwrap() - times[0];
        assert!(whole < 40.0 / rate, "and it is not slower than it must be: {whole}");
        Ok(())
    })
    .unwrap();
}

/// The order in which tasks that ask for so many tokens each go on, and when.
async fn order(limiter: &RateLimiter, counts: &[usize]) -> Result<Vec<(usize, f64)>, Error> {
    let went_on = &RefCell::new(Vec::new());
    nursery(async |n| {
        for (i, &count) in counts.iter().enumerate() {
            n.start_soon(async move {
                limiter.acquire_many(count).await?;
                went_on.borrow_mut().push((i, current_time()));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
        }
        Ok(())
    })
    .await?;
    Ok(went_on.take())
}

#[test]
fn rate_02_who_asks_first_is_served_first_however_much_it_asks_for() {
    run_mock(async {
        let limiter = RateLimiter::new(4, 4);
        let went_on = order(&limiter, &[4, 3, 1, 1]).await?;
        assert_eq!(went_on, [(0, 0.0), (1, 3.0), (2, 4.0), (3, 5.0)]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn rate_02_who_does_not_wait_overtakes_nobody() {
    run_mock(async {
        let limiter = &RateLimiter::new(4, 4);
        limiter.acquire_many(4).await?;
        nursery(async |n| {
            n.start_soon(async { Ok(limiter.acquire_many(3).await?) });
            sleep(2.5).await?;
            // There are two tokens, and somebody waits for three.
            assert_eq!(limiter.tasks_waiting(), 1);
            assert!(matches!(limiter.acquire_nowait(), Err(AcquireError::WouldBlock)));
            Ok(())
        })
        .await?;
        assert_eq!((current_time(), limiter.tasks_waiting()), (3.0, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn rate_03_who_is_cancelled_gives_its_place_back() {
    for cancelled in [0, 1] {
        run_mock(async {
            let limiter = &RateLimiter::new(1, 1).burst(2);
            limiter.acquire_many(2).await?;
            let went_on = &RefCell::new(Vec::new());
            let scopes = &[0; 3].map(|_| CancelScope::new());
            nursery(async |n| {
                for (i, scope) in scopes.iter().enumerate() {
                    n.start_soon(async move {
                        let done = scope.run(async { Ok(limiter.acquire_many(2).await?) }).await?;
                        if done.is_some() {
                            went_on.borrow_mut().push((i, current_time()));
                        }
                        Ok(())
                    });
                    wait_all_tasks_blocked(0.0).await?;
                }
                sleep(1.5).await?;
                scopes[cancelled].cancel();
                Ok(())
            })
            .await?;
            // As if it had never asked.
            assert_eq!(*went_on.borrow(), [(1 - cancelled, 2.0), (2, 4.0)]);
            Ok(())
        })
        .unwrap();
    }
}

/// It is dropped while it waits; when its time has come and it has not run; while it lets others run.
#[test]
fn rate_03_who_is_dropped_has_taken_nothing_whenever_that_is() {
    run_mock(async {
        let limiter = &RateLimiter::new(1, 1);
        let mut yields: Wait<'_, _> = Box::pin(limiter.acquire());
        begin(&mut yields).await;
        drop(yields);
        limiter.acquire_nowait()?;
        let acquire = || -> Wait<'_, _> { Box::pin(limiter.acquire()) };
        let (mut waits, mut second) = (acquire(), acquire());
        begin(&mut waits).await;
        // It has a turn before it comes to the bucket.
        terzetto::checkpoint().await?;
        begin(&mut waits).await;
        begin(&mut second).await;
        assert_eq!(limiter.tasks_waiting(), 2);
        sleep(1.0).await?;
        drop(waits);
        let start = current_time();
        fail_after(0.5, async { Ok(second.await?) }).await?;
        assert_eq!((current_time(), limiter.tasks_waiting()), (start, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn rate_04_it_is_a_checkpoint_and_a_cancelled_one_takes_nothing() {
    run_mock(async {
        let limiter = RateLimiter::new(2, 1);
        assert_checkpoints(limiter.acquire()).await?;
        let scope = CancelScope::new();
        scope.cancel();
        assert!(scope.run(async { Ok(limiter.acquire().await?) }).await?.is_none());
        limiter.acquire_nowait()?;
        assert!(matches!(limiter.acquire_nowait(), Err(AcquireError::WouldBlock)));
        assert!(move_on_after(0.1, async { Ok(limiter.acquire().await?) }).await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn rate_05_one_task_may_wait_twice() {
    run_mock(async {
        let limiter = RateLimiter::new(1, 1);
        let (first, second) = futures_util::future::join(limiter.acquire(), limiter.acquire()).await;
        first?;
        second?;
        assert_eq!(current_time(), 1.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn rate_05_a_wait_that_is_not_polled_any_more_keeps_its_place_until_it_is_dropped() {
    run_mock(async {
        let limiter = &RateLimiter::new(1, 1);
        let mut idle: Wait<'_, _> = Box::pin(limiter.acquire());
        begin(&mut idle).await;
        assert!(move_on_after(10.0, async { Ok(limiter.acquire().await?) }).await?.is_none());
        drop(idle);
        limiter.acquire().await?;
        assert_eq!(current_time(), 10.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn rate_05_a_limiter_that_outlives_its_run_does_not_wait_for_the_time_of_its_clock() {
    let limiter = RateLimiter::new(1, 1);
    let clock = MockClock::autojump();
    clock.jump(1e6);
    Builder::new()
        .clock(clock)
        .run(async {
            limiter.acquire().await?;
            Ok(limiter.acquire().await?)
        })
        .unwrap();
    run_mock(async {
        limiter.acquire().await?;
        assert!(current_time() <= 1.0, "{}", current_time());
        Ok(())
    })
    .unwrap();
}

#[test]
fn rate_06_arguments_that_make_no_sense_are_refused() {
    let message = |f: fn()| {
        let payload = catch_unwind(f).unwrap_err();
        payload.downcast::<String>().map_or_else(|text| *text.downcast::<&str>().unwrap(), |text| text.leak())
    };
    assert_eq!(message(|| _ = RateLimiter::new(0, 1)), "the count of a rate limiter must be at least 1");
    assert_eq!(
        message(|| _ = RateLimiter::new(1, 0)),
        "the period of a rate limiter must be longer than zero and finite, and is 0"
    );
    assert_eq!(
        message(|| _ = RateLimiter::new(1, f64::INFINITY)),
        "the period of a rate limiter must be longer than zero and finite, and is inf"
    );
    assert_eq!(
        message(|| _ = RateLimiter::new(1, 1).burst(0)),
        "the burst of a rate limiter must be at least 1"
    );
    let too_many = catch_unwind(AssertUnwindSafe(|| {
        run_mock(async { Ok(RateLimiter::new(3, 1).acquire_many(4).await?) })
    }));
    assert_eq!(
        too_many.unwrap_err().downcast_ref::<String>().map(String::as_str),
        Some("4 tokens were asked for at once, and the rate limiter never has more than 3")
    );
}
