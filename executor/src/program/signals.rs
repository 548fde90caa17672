//! Ctrl-C and SIGUSR2, brought to the executor.
//!
//! A signal's handler may do next to nothing; so signals are collected by `signal-hook`, a worker
//! thread waits for the next one, and a task beside the run waits for that thread. The wait ends
//! with the run: closing the handle wakes the thread.

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
};

use terzetto::Error;
use terzetto_executor::Control;

/// Which signal has ended the run, if one has.
#[derive(Clone, Default)]
pub struct EndedBy(Arc<AtomicI32>);

impl EndedBy {
    /// The exit status that a shell expects of a program ended by this signal.
    pub fn exit_status(&self) -> Option<u8> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            signal => u8::try_from(128 + signal).ok(),
        }
    }
}

#[cfg(unix)]
mod unix {
    use signal_hook::{
        consts::{SIGINT, SIGTERM, SIGUSR2},
        flag,
        iterator::{Handle, Signals},
    };

    use super::*;

    /// Closes the signals' iterator when the run is over, however that comes.
    struct Closer(Handle);

    impl Drop for Closer {
        fn drop(&mut self) {
            self.0.close();
        }
    }

    pub async fn with_signals<T: 'static>(
        control: &Control,
        ended_by: &EndedBy,
        run: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        second_ends_at_once()?;
        let signals = Signals::new([SIGINT, SIGTERM, SIGUSR2])?;
        let closer = Closer(signals.handle());
        terzetto::nursery(async |nursery| {
            let closer = closer;
            nursery.start_soon(watch(signals, control, ended_by));
            let value = run.await;
            drop(closer);
            // Not an error of this nursery: it would come out wrapped in a group.
            Ok(value)
        })
        .await?
    }

    /// Hands each signal to the executor, until the signals are closed.
    async fn watch(mut signals: Signals, control: &Control, ended_by: &EndedBy) -> Result<(), Error> {
        loop {
            let next = terzetto::to_thread::run_sync(move || {
                let signal = signals.forever().next();
                (signals, signal)
            });
            let (rest, signal) = next.await?;
            signals = rest;
            match signal {
                None => return Ok(()),
                Some(SIGUSR2) => {
                    log::warn!("stopping: what runs is finished, nothing new is started");
                    control.stop();
                }
                Some(signal) => {
                    log::warn!("interrupted: ending the run (once more ends it at once)");
                    ended_by.0.store(signal, Ordering::Relaxed);
                    control.cancel();
                }
            }
        }
    }

    /// A second Ctrl-C, while the first is still being obeyed, ends the program on the spot.
    fn second_ends_at_once() -> io::Result<()> {
        let first_has_come = Arc::new(AtomicBool::new(false));
        // The order matters: the flag is looked at before it is set.
        flag::register_conditional_shutdown(SIGINT, 130, first_has_come.clone())?;
        flag::register(SIGINT, first_has_come)?;
        Ok(())
    }
}

#[cfg(unix)]
pub use unix::with_signals;

/// Without Unix's signals, Ctrl-C ends the program at once; finished files are whole all the same.
#[cfg(not(unix))]
pub async fn with_signals<T>(
    _: &Control,
    _: &EndedBy,
    run: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    run.await
}
