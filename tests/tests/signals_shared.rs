//! SIG: several tasks that wait at one receiver of signals. Signals are the process's, so these tests run one at a
//! time.

use signal_hook::{consts::*, low_level};
use std::{
    cell::RefCell,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};
use terzetto::{
    CancelScope, Cancelled, Error, fail_after,
    lowlevel::cancel_shielded_checkpoint,
    nursery,
    signal::{Signal, SignalReceiver, open_signal_receiver},
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::begin;

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

type Wait<'a> = Pin<Box<dyn Future<Output = Result<Signal, Cancelled>> + 'a>>;

/// Receives that have begun, in the order of asking.
async fn waits<const N: usize>(signals: &SignalReceiver) -> [Wait<'_>; N] {
    let mut waits: [Wait<'_>; N] = std::array::from_fn(|_| Box::pin(signals.receive()) as Wait<'_>);
    for wait in &mut waits {
        begin(wait).await;
    }
    waits
}

/// Sends a signal to this process and lets the loop hear of it: who waits is woken, and not polled.
async fn raise(signal: i32) -> Result<(), Error> {
    low_level::raise(signal)?;
    cancel_shielded_checkpoint().await;
    Ok(())
}

async fn soon(wait: Wait<'_>) -> Result<Signal, Error> {
    fail_after(5.0, async { Ok(wait.await?) }).await
}

#[test]
fn sig_01_a_dropped_winner_passes_the_signal_on() {
    let _alone = alone();
    terzetto::run(async {
        let signals = open_signal_receiver(&[Signal::USR1])?;
        let [first, second, third] = waits(&signals).await;
        raise(SIGUSR1).await?;
        assert_eq!(signals.pending(), 1);
        drop(first);
        drop(second);
        assert_eq!((soon(third).await?, signals.pending()), (Signal::USR1, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sig_01_a_dropped_winner_passes_nothing_on_if_the_signal_was_taken_meanwhile() {
    let _alone = alone();
    terzetto::run(async {
        let signals = open_signal_receiver(&[Signal::USR1, Signal::USR2])?;
        let [first, second] = waits(&signals).await;
        raise(SIGUSR1).await?;
        assert_eq!(signals.receive().await?, Signal::USR1, "a third one has taken it");
        drop(first);
        raise(SIGUSR2).await?;
        assert_eq!(signals.pending(), 1);
        assert_eq!((soon(second).await?, signals.pending()), (Signal::USR2, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sig_01_each_of_two_waiters_gets_a_signal() {
    let _alone = alone();
    terzetto::run(async {
        let signals = &open_signal_receiver(&[Signal::USR1, Signal::USR2])?;
        let got = &RefCell::new(Vec::new());
        nursery(async |n| {
            for _ in 0..2 {
                n.start_soon(async move {
                    let signal = signals.receive().await?;
                    got.borrow_mut().push(signal);
                    Ok(())
                });
            }
            wait_all_tasks_blocked(0.0).await?;
            low_level::raise(SIGUSR1)?;
            low_level::raise(SIGUSR2)?;
            Ok(())
        })
        .await?;
        got.borrow_mut().sort();
        assert_eq!(*got.borrow(), [Signal::USR1, Signal::USR2]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sig_01_a_cancelled_waiter_leaves_the_signal_to_the_other() {
    let _alone = alone();
    terzetto::run(async {
        let signals = &open_signal_receiver(&[Signal::USR1])?;
        let (scope, got) = (&CancelScope::new(), &RefCell::new(Vec::new()));
        nursery(async |n| {
            n.start_soon(async move {
                scope
                    .run(async {
                        signals.receive().await?;
                        Ok(())
                    })
                    .await?;
                assert!(scope.cancelled_caught());
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            n.start_soon(async move {
                let signal = signals.receive().await?;
                got.borrow_mut().push(signal);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            scope.cancel();
            low_level::raise(SIGUSR1)?;
            Ok(())
        })
        .await?;
        assert_eq!(*got.borrow(), [Signal::USR1]);
        Ok(())
    })
    .unwrap();
}

/// The handler runs on another thread than the loop, which may look in the middle of it.
#[test]
fn sig_01_a_signal_comes_once_to_a_run_that_has_asked_for_it_many_times() {
    let _alone = alone();
    terzetto::run(async {
        let receivers =
            (0..200).map(|_| open_signal_receiver(&[Signal::USR1])).collect::<Result<Vec<_>, _>>()?;
        let mut again = 0;
        for _ in 0..300 {
            let raised = thread::spawn(|| low_level::raise(SIGUSR1));
            receivers[0].receive().await?;
            // Now the handler has come to its end. The loop hears of all that it has noted.
            raised.join().unwrap()?;
            cancel_shielded_checkpoint().await;
            again += receivers[0].pending();
            // What is not taken would be sent again to the former action, which ends the process.
            for receiver in &receivers {
                while receiver.pending() > 0 {
                    receiver.receive().await?;
                }
            }
        }
        assert_eq!(again, 0, "so many came twice");
        Ok(())
    })
    .unwrap();
}
