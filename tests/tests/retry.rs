//! RETRY: back-off and retries.

use std::{
    cell::{Cell, RefCell},
    io,
    panic::catch_unwind,
};
use terzetto::{
    CancelScope, Error, ErrorGroup, TooSlow, current_time, move_on_after, nursery, sleep, sleep_forever,
    testing::assert_checkpoints,
    time::{Backoff, GaveUp, Retry},
};
use terzetto_tests::run_mock;

/// Fails so often, then succeeds; notes when it was called.
struct Flaky {
    failures: usize,
    calls: RefCell<Vec<f64>>,
}

impl Flaky {
    fn new(failures: usize) -> Flaky {
        Flaky { failures, calls: RefCell::default() }
    }

    fn call(&self) -> Result<&'static str, Error> {
        self.calls.borrow_mut().push(current_time());
        match self.calls.borrow().len() <= self.failures {
            true => Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
            false => Ok("done"),
        }
    }

    fn calls(&self) -> Vec<f64> {
        self.calls.borrow().clone()
    }
}

fn gave_up(error: &Error) -> &GaveUp {
    error.downcast_ref().unwrap_or_else(|| panic!("it has not given up: {error:?}"))
}

#[test]
fn retry_01_it_tries_again_after_growing_delays_until_it_succeeds() {
    run_mock(async {
        let flaky = Flaky::new(4);
        let retry = Retry::new(Backoff::exponential(1).at_most(3));
        assert_eq!(retry.run(async || flaky.call()).await?, "done");
        assert_eq!(flaky.calls(), [0.0, 1.0, 3.0, 6.0, 9.0]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_01_the_same_retry_begins_anew_each_time() {
    run_mock(async {
        let retry = Retry::new(Backoff::exponential(1)).attempts(2);
        for start in [0.0, 1.0] {
            let flaky = Flaky::new(1);
            retry.run(async || flaky.call()).await?;
            assert_eq!(flaky.calls(), [start, start + 1.0]);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_02_it_gives_up_after_so_many_attempts_with_the_last_failure_as_the_cause() {
    run_mock(async {
        let flaky = Flaky::new(9);
        let error =
            Retry::new(Backoff::constant(1)).attempts(3).run(async || flaky.call()).await.unwrap_err();
        assert_eq!(flaky.calls(), [0.0, 1.0, 2.0]);
        assert_eq!(current_time(), 2.0, "it does not wait for an attempt that will not be");
        assert_eq!((gave_up(&error).attempts(), gave_up(&error).timed_out()), (3, false));
        assert_eq!(error.find::<io::Error>().map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused));
        assert_eq!(error.to_string(), "gave up after 3 attempts: connection refused");
        let once = Retry::new(Backoff::constant(1)).attempts(1).run(async || flaky.call()).await.unwrap_err();
        assert_eq!(once.to_string(), "gave up after 1 attempt: connection refused");
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_03_an_attempt_that_is_not_done_in_time_is_cancelled() {
    run_mock(async {
        let retry = Retry::new(Backoff::constant(1)).timeout(5);
        let error = retry.run(async || Ok(sleep_forever().await?)).await.unwrap_err();
        assert_eq!((current_time(), gave_up(&error).attempts()), (5.0, 1));
        assert!(gave_up(&error).timed_out() && error.find::<TooSlow>().is_some());
        let flaky = Flaky::new(9);
        let failing = async || {
            let outcome = flaky.call();
            if flaky.calls().len() > 1 {
                sleep_forever().await?;
            }
            outcome
        };
        let error = retry.run(failing).await.unwrap_err();
        assert_eq!((current_time(), gave_up(&error).attempts()), (10.0, 2));
        assert!(error.find::<io::Error>().is_some(), "the failure says more than that time ran out");
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_03_it_does_not_wait_for_an_attempt_that_would_begin_too_late() {
    run_mock(async {
        let flaky = Flaky::new(9);
        let retry = Retry::new(Backoff::exponential(1)).timeout(5);
        let error = retry.run(async || flaky.call()).await.unwrap_err();
        assert_eq!((flaky.calls(), current_time()), (vec![0.0, 1.0, 3.0], 3.0));
        assert_eq!(error.to_string(), "gave up since time ran out, after 3 attempts: connection refused");
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_03_a_failure_beside_the_cancellation_of_its_time_limit_is_kept() {
    run_mock(async {
        let retry = Retry::new(Backoff::constant(1)).timeout(5);
        let outcome: Result<(), Error> = retry
            .run(async || {
                nursery(async |n| {
                    n.start_soon(async {
                        let outcome = sleep(60.0).await;
                        // It fails while it is cancelled.
                        outcome.map_err(|_| Error::msg("left in disorder"))
                    });
                    n.start_soon(async { Ok(sleep_forever().await?) });
                    Ok(())
                })
                .await
            })
            .await;
        assert_eq!(
            (outcome.unwrap_err().to_string().contains("left in disorder"), current_time()),
            (true, 5.0)
        );
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_04_a_cancellation_is_not_retried() {
    run_mock(async {
        let calls = Cell::new(0);
        let retry = Retry::new(Backoff::constant(1));
        let outcome = move_on_after(2.5, async {
            retry
                .run(async || {
                    calls.set(calls.get() + 1);
                    Ok(sleep_forever().await?)
                })
                .await
        });
        assert!(outcome.await?.is_none());
        assert_eq!((calls.get(), current_time()), (1, 2.5));
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_04_a_cancellation_ends_a_delay() {
    run_mock(async {
        let flaky = Flaky::new(9);
        let retry = Retry::new(Backoff::constant(2));
        assert!(move_on_after(3.0, retry.run(async || flaky.call())).await?.is_none());
        assert_eq!((flaky.calls(), current_time()), (vec![0.0, 2.0], 3.0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_04_a_cancellation_in_a_group_beside_a_failure_is_not_retried() {
    run_mock(async {
        let (scope, calls) = (CancelScope::new(), Cell::new(0));
        let outcome = scope.run(async {
            Retry::new(Backoff::constant(1))
                .run(async || {
                    calls.set(calls.get() + 1);
                    scope.cancel();
                    let cancelled = sleep(1.0).await.unwrap_err();
                    let both = vec![Error::msg("disk full"), cancelled.into()];
                    Err::<(), _>(ErrorGroup::new("both", both).into())
                })
                .await
        });
        let error = outcome.await.unwrap_err();
        assert!(error.to_string().contains("disk full") && error.cancelled().is_none());
        assert_eq!(calls.get(), 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_05_a_failure_that_is_not_to_be_retried_comes_as_it_is() {
    run_mock(async {
        let (calls, asked) = (Cell::new(0), Cell::new(0));
        let retry = Retry::new(Backoff::constant(1)).retry_if(|error| {
            asked.set(asked.get() + 1);
            error.find::<io::Error>().is_some()
        });
        let outcome: Result<(), Error> = retry
            .run(async || {
                calls.set(calls.get() + 1);
                match calls.get() {
                    1 => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
                    _ => Err(Error::msg("no such user")),
                }
            })
            .await;
        assert_eq!(outcome.unwrap_err().to_string(), "no such user");
        assert_eq!((calls.get(), asked.get()), (2, 2));
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_06_jitter_shortens_each_delay_by_chance_and_a_seed_repeats_it() {
    let plain: Vec<f64> = Backoff::exponential(1).at_most(60).delays().take(50).collect();
    let jittered = |seed| {
        Backoff::exponential(1).at_most(60).jitter(0.25).seed(seed).delays().take(50).collect::<Vec<_>>()
    };
    assert_eq!(jittered(7), jittered(7));
    assert_ne!(jittered(7), jittered(8));
    assert!(plain.iter().zip(jittered(7)).all(|(&whole, part)| (0.75 * whole..=whole).contains(&part)));
    let full: Vec<f64> = Backoff::constant(1).jitter(1.0).seed(1).delays().take(1000).collect();
    let mean = full.iter().sum::<f64>() / 1000.0;
    assert!((0.45..0.55).contains(&mean), "{mean}");
    assert!(full.iter().any(|&delay| delay < 0.05) && full.iter().any(|&delay| delay > 0.95));
}

#[test]
fn retry_06_delays_never_overflow() {
    let delays = || Backoff::exponential(1).delays();
    assert_eq!(delays().nth(5000), Some(f64::INFINITY));
    assert_eq!(Backoff::exponential(1).at_most(9).delays().nth(5000), Some(9.0));
    assert_eq!(Backoff::exponential(0).delays().nth(5000), Some(0.0));
    assert_eq!(Backoff::constant(f64::INFINITY).jitter(1.0).delays().next(), Some(f64::INFINITY));
}

#[test]
fn retry_07_a_retry_without_delays_lets_others_run() {
    run_mock(async {
        let flaky = Flaky::new(1);
        assert_checkpoints(Retry::new(Backoff::constant(0)).run(async || flaky.call())).await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn retry_08_arguments_that_make_no_sense_are_refused_with_their_name() {
    let message = |f: fn()| {
        let payload = catch_unwind(f).unwrap_err();
        payload.downcast::<String>().map_or_else(|text| *text.downcast::<&str>().unwrap(), |text| text.leak())
    };
    assert_eq!(
        message(|| _ = Backoff::constant(-1.0)),
        "the delay must be a number of seconds that is not negative, and is -1"
    );
    assert_eq!(
        message(|| _ = Backoff::constant(1).factor(0.5)),
        "the factor of a back-off must be a finite number of at least 1, and is 0.5"
    );
    assert_eq!(
        message(|| _ = Backoff::constant(1).jitter(1.5)),
        "the jitter of a back-off must be between 0 and 1, and is 1.5"
    );
    assert_eq!(
        message(|| _ = Retry::new(Backoff::constant(1)).attempts(0)),
        "the number of attempts must be at least 1"
    );
    assert_eq!(
        message(|| _ = Retry::new(Backoff::constant(1)).timeout(f64::NAN)),
        "timeout must be a number of seconds that is not negative, and is NaN"
    );
}
