//! CORES: several runs, each in a thread of its own, that end together.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};
use terzetto::{Builder, Error, cancellable, cores::Cores, sleep_forever};

#[test]
fn cores_01_the_values_come_in_the_order_of_the_runs_and_each_run_has_a_thread() {
    let together = Barrier::new(3);
    let values = Cores::new().runs(3).run(async |number| {
        // All three are there at the same time.
        together.wait();
        Ok((number, thread::current().id()))
    });
    let values = values.unwrap();
    assert_eq!(values.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(values[0].1, thread::current().id(), "run zero has the thread of the caller");
    assert!(values[1].1 != values[2].1);
}

#[test]
fn cores_02_an_error_cancels_the_others_and_they_are_joined() {
    for failing in 0..3 {
        let ended = AtomicUsize::new(0);
        let outcome = Cores::new().runs(3).run(async |number| {
            if number == failing {
                return Err(Error::msg("no such luck"));
            }
            let cancelled = sleep_forever().await.unwrap_err();
            assert!(cancelled.to_string().contains("another of the runs has failed"), "{cancelled}");
            ended.fetch_add(1, SeqCst);
            Err::<(), _>(cancelled.into())
        });
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("no such luck") && !error.contains("another of the runs"), "{error}");
        assert_eq!(ended.into_inner(), 2);
    }
}

#[test]
fn cores_02_a_run_that_begins_when_another_has_failed_is_cancelled_from_the_start() {
    // Nobody waits for anybody here, so all orders occur.
    for _ in 0..200 {
        let outcome = Cores::new().runs(4).run(async |number| match number {
            3 => Err(Error::msg("at once")),
            _ => Ok(sleep_forever().await?),
        });
        assert!(outcome.unwrap_err().to_string().contains("at once"));
    }
}

#[test]
fn cores_03_errors_of_several_runs_come_out_together() {
    let together = Barrier::new(2);
    let outcome = Cores::new().runs(2).run(async |number| {
        together.wait();
        Err::<(), _>(Error::msg(format!("run {number}")))
    });
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("run 0") && error.contains("run 1"), "{error}");
}

#[test]
fn cores_04_a_panic_goes_on_when_all_have_ended() {
    let ended = AtomicUsize::new(0);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        Cores::new().runs(3).run(async |number| {
            if number == 1 {
                panic!("in run one");
            }
            let cancelled = sleep_forever().await;
            ended.fetch_add(1, SeqCst);
            Ok(cancelled?)
        })
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"in run one"));
    assert_eq!(ended.into_inner(), 2);
}

#[test]
fn cores_05_each_run_is_set_up_by_the_builder() {
    let asked = AtomicUsize::new(0);
    let builder = |number| {
        asked.fetch_add(number, SeqCst);
        Builder::new().seed(number as u64)
    };
    Cores::new().runs(3).builder(builder).run(async |_| Ok(())).unwrap();
    assert_eq!(asked.into_inner(), 3);
    let zero = Cores::new().runs(0).run(async |number| Ok(number)).unwrap();
    assert_eq!(zero, [0], "there is one at least");
}

#[test]
fn cores_06_runs_talk_through_a_channel_for_threads() {
    let (sender, receiver) = async_channel::bounded(1);
    let sums = Cores::new().runs(2).run(async |number| {
        if number == 0 {
            for message in 1..=100_u64 {
                cancellable(sender.send(message)).await??;
            }
            sender.close();
            return Ok(0);
        }
        let mut sum = 0;
        while let Ok(message) = cancellable(receiver.recv()).await? {
            sum += message;
        }
        Ok(sum)
    });
    assert_eq!(sums.unwrap(), [0, 5050]);
}
