//! PAT-14: Ctrl-C and SIGTERM begin a shutdown; PAT-07 of signals. Signals are the process's, so these tests run one
//! at a time.

use signal_hook::{consts::*, low_level};
use std::sync::{Mutex, MutexGuard, PoisonError};
use terzetto::{
    Error,
    graceful::{finish, until_shut_down, until_signalled},
    lowlevel::cancel_shielded_checkpoint,
    nursery,
    race::{first_to_end, revocable},
    signal::{Signal, SignalReceiver, open_signal_receiver},
    sleep, sleep_forever,
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::{Trace, run_mock};

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a signal to this process, and lets the loop hear of it.
async fn raise(signal: i32) -> Result<(), Error> {
    low_level::raise(signal)?;
    for _ in 0..3 {
        cancel_shielded_checkpoint().await;
    }
    Ok(())
}

#[test]
fn pat_14_a_first_signal_begins_the_shutdown_and_what_is_under_way_finishes() {
    let _alone = alone();
    for signal in [SIGINT, SIGTERM] {
        let outcome = run_mock(until_signalled(
            10.0,
            finish(async {
                sleep(1.0).await?;
                raise(signal).await?;
                assert!(until_shut_down(async { Ok(sleep_forever().await?) }).await?.is_none());
                sleep(5.0).await?;
                Ok("finished")
            }),
        ));
        assert_eq!(outcome.unwrap(), Some("finished"));
    }
}

#[test]
fn pat_14_a_second_signal_ends_the_grace() {
    let _alone = alone();
    let trace = &Trace::default();
    let outcome = run_mock(until_signalled(1000.0, async {
        nursery(async |n| {
            n.start_soon(async {
                let outcome = sleep_forever().await;
                trace.note("plain");
                Ok(outcome?)
            });
            n.start_soon(finish(async {
                let outcome = sleep_forever().await;
                trace.note("finishes");
                Ok(outcome?)
            }));
            n.start_soon(finish(async {
                wait_all_tasks_blocked(0.0).await?;
                raise(SIGINT).await?;
                trace.note("second");
                raise(SIGTERM).await?;
                Ok(sleep_forever().await?)
            }));
            Ok(())
        })
        .await
    }));
    assert!(outcome.unwrap().is_none());
    assert_eq!(trace.text(), "plain second finishes");
}

#[test]
fn pat_14_without_a_signal_nothing_happens_and_errors_come_out_as_they_are() {
    let _alone = alone();
    assert_eq!(run_mock(until_signalled(1.0, async { Ok(sleep(5.0).await.map(|()| 7)?) })).unwrap(), Some(7));
    let error = run_mock(until_signalled(1.0, async { Err::<(), _>(Error::msg("broken")) })).unwrap_err();
    assert!(error.group().is_none() && error.to_string() == "broken");
}

#[test]
fn pat_07_receiving_a_signal() {
    let _alone = alone();
    for can_be_revoked in [true, false] {
        let left = run_mock(async {
            let (a, b) = (open_signal_receiver(&[Signal::USR1])?, open_signal_receiver(&[Signal::USR1])?);
            let receive = async |signals: &SignalReceiver| -> Result<Signal, Error> {
                Ok(match can_be_revoked {
                    true => revocable(signals.receive()).await??,
                    false => signals.receive().await?,
                })
            };
            nursery(async |n| {
                let race = first_to_end((receive(&a), receive(&b)));
                let finish = n.start_for_result(race);
                wait_all_tasks_blocked(0.0).await?;
                low_level::raise(SIGUSR1)?;
                let finish = finish.result().await?;
                assert_eq!(finish.others.is_empty(), can_be_revoked);
                let loser = if finish.index == 0 { &b } else { &a };
                let left = loser.pending();
                if left > 0 {
                    assert_eq!(loser.receive().await?, Signal::USR1);
                }
                Ok(left)
            })
            .await
        });
        assert_eq!(left.unwrap(), usize::from(can_be_revoked));
    }
}
