//! What trio's own tests of signals assert, where `signals.rs` does not. Signals are the process's, so these tests run
//! one at a time.

use signal_hook::{consts::*, low_level};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering::SeqCst},
};
use terzetto::{
    Error, fail_after,
    lowlevel::cancel_shielded_checkpoint,
    signal::{OpenSignalError, Signal, open_signal_receiver},
    testing::wait_all_tasks_blocked,
};

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn real<T>(main: impl Future<Output = Result<T, Error>>) -> T {
    terzetto::run(fail_after(60.0, main)).unwrap()
}

#[test]
fn trio_signals_open_signal_receiver() {
    let _alone = alone();
    real(async {
        let receiver = open_signal_receiver(&[Signal::ILL])?;
        low_level::raise(SIGILL)?;
        low_level::raise(SIGILL)?;
        wait_all_tasks_blocked(0.0).await?;
        low_level::raise(SIGILL)?;
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!((receiver.receive().await?, receiver.pending()), (Signal::ILL, 0));
        low_level::raise(SIGILL)?;
        assert_eq!((receiver.receive().await?, receiver.pending()), (Signal::ILL, 0));
        Ok(())
    });
}

#[test]
fn trio_signals_restore_handler_after_one_bad_signal() {
    let _alone = alone();
    let heard = Arc::new(AtomicBool::new(false));
    let former = signal_hook::flag::register(SIGUSR1, heard.clone()).unwrap();
    real(async {
        let opened = open_signal_receiver(&[Signal::USR1, Signal::from_raw(1_234_567)]);
        assert!(matches!(opened, Err(OpenSignalError::Io(..))));
        Ok(())
    });
    low_level::raise(SIGUSR1).unwrap();
    assert!(heard.load(SeqCst));
    low_level::unregister(former);
}

#[test]
fn trio_signals_no_starvation() {
    let _alone = alone();
    real(async {
        let receiver = open_signal_receiver(&[Signal::ILL, Signal::FPE])?;
        let mut previous = None;
        for _ in 0..10 {
            low_level::raise(SIGILL)?;
            low_level::raise(SIGFPE)?;
            cancel_shielded_checkpoint().await;
            let got = receiver.receive().await?;
            assert_ne!(Some(got), previous);
            previous = Some(got);
        }
        while receiver.pending() > 0 {
            receiver.receive().await?;
        }
        Ok(())
    });
}

#[test]
fn trio_signals_race_condition_on_exit() {
    let _alone = alone();
    for hears_before in [false, true] {
        let direct = [SIGUSR1, SIGUSR2].map(|signal| {
            let flag = Arc::new(AtomicBool::new(false));
            (signal_hook::flag::register(signal, flag.clone()).unwrap(), flag)
        });
        real(async {
            let receiver = open_signal_receiver(&[Signal::USR1, Signal::USR2])?;
            low_level::raise(SIGUSR1)?;
            low_level::raise(SIGUSR2)?;
            if hears_before {
                cancel_shielded_checkpoint().await;
                assert_eq!(receiver.pending(), 2);
            }
            drop(receiver);
            Ok(())
        });
        for (id, flag) in direct {
            assert!(flag.load(SeqCst), "what was not taken goes to what is in force again");
            low_level::unregister(id);
        }
        // What the system ignores it ignores.
        real(async {
            let receiver = open_signal_receiver(&[Signal::WINCH])?;
            low_level::raise(SIGWINCH)?;
            if hears_before {
                cancel_shielded_checkpoint().await;
                assert_eq!(receiver.pending(), 1);
            }
            Ok(())
        });
    }
}
