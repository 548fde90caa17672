//! Ctrl-C, SIGTERM, SIGHUP and SIGUSR2 end a run early.
//!
//! A signal handler may do next to nothing. So `signal-hook` collects the signals, and a thread waits for the next
//! one. The thread ends when the guard is dropped that [`watch`] returns.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
};

use terzetto_executor::{Control, processes::ProcessesControl};

/// A run that can be ended early.
pub trait EndEarly: Send + 'static {
    /// Finishes running items and starts nothing new.
    fn stop(&self);
    /// Ends the run as soon as possible.
    fn cancel(&self);
}

impl EndEarly for Control {
    fn stop(&self) {
        Control::stop(self);
    }

    fn cancel(&self) {
        Control::cancel(self);
    }
}

impl EndEarly for ProcessesControl {
    fn stop(&self) {
        ProcessesControl::stop(self);
    }

    fn cancel(&self) {
        ProcessesControl::cancel(self);
    }
}

/// The signal that has ended the run, if one has.
#[derive(Clone, Default)]
pub struct EndingSignal(Arc<AtomicI32>);

/// How a signal has ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyEnd {
    /// SIGUSR2.
    Stopped,
    /// Ctrl-C, SIGTERM or SIGHUP, with the exit status that a shell expects then.
    Interrupted(u8),
}

impl EndingSignal {
    /// How a signal has ended the run, if one has.
    pub fn get(&self) -> Option<EarlyEnd> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            STOPPED => Some(EarlyEnd::Stopped),
            signal => u8::try_from(128 + signal).ok().map(EarlyEnd::Interrupted),
        }
    }
}

const STOPPED: i32 = -1;

#[cfg(unix)]
mod unix {
    use std::thread::{self, JoinHandle};

    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR2},
        flag,
        iterator::{Handle, Signals},
    };

    use super::*;

    /// Ends the watch when it is dropped.
    pub struct Watch(Handle, Option<JoinHandle<()>>);

    impl Drop for Watch {
        fn drop(&mut self) {
            self.0.close();
            if let Some(thread) = self.1.take() {
                // The thread only forwards signals, and does not panic.
                let _ = thread.join();
            }
        }
    }

    /// Lets signals end a run early, until the guard is dropped.
    pub fn watch(run: impl EndEarly, ending_signal: EndingSignal) -> io::Result<Watch> {
        second_ends_at_once()?;
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR2])?;
        // Who starts a program with `nohup` wants it to go on without its terminal.
        if !is_ignored(SIGHUP) {
            signals.add_signal(SIGHUP)?;
        }
        let handle = signals.handle();
        let forward = move || {
            unblock();
            for signal in signals.forever() {
                if signal == SIGUSR2 {
                    log::warn!("stopping: what runs is finished, nothing new is started");
                    ending_signal.0.store(STOPPED, Ordering::Relaxed);
                    run.stop();
                } else {
                    log::warn!("interrupted: ending the run (once more ends it at once)");
                    ending_signal.0.store(signal, Ordering::Relaxed);
                    run.cancel();
                }
            }
        };
        let thread = thread::Builder::new().name("signals".into()).spawn(forward)?;
        Ok(Watch(handle, Some(thread)))
    }

    /// Lets this thread receive the signals that end a run. Whoever has started the program may have blocked them,
    /// and a program that cannot be ended helps nobody. One thread that receives them is enough.
    pub fn unblock() {
        use nix::sys::signal::{SigSet, Signal};
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR2] {
            signals.add(signal);
        }
        if let Err(error) = signals.thread_unblock() {
            log::warn!("signals that are blocked stay so: {error}");
        }
    }

    /// Does this process ignore a signal, as whoever has started it wanted? Where the system does not tell it: no.
    fn is_ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }

    /// Lets a second Ctrl-C end the program at once, while the run still ends because of the first one.
    fn second_ends_at_once() -> io::Result<()> {
        let first_has_come = Arc::default();
        // The order matters: a signal first reads the flag, and then sets it.
        flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&first_has_come))?;
        flag::register(SIGINT, first_has_come)?;
        Ok(())
    }
}

#[cfg(unix)]
pub use unix::{unblock, watch};

/// Without the signals of Unix, Ctrl-C ends the program at once. Finished files are whole nevertheless.
#[cfg(not(unix))]
pub fn watch(_: impl EndEarly, _: EndingSignal) -> io::Result<()> {
    Ok(())
}
