//! Ctrl-C and SIGUSR2, brought to whoever runs.
//!
//! A signal's handler may do next to nothing; so signals are collected by `signal-hook`, and a
//! thread of its own waits for the next one. It ends with the guard that [`watch`] returns.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
};

use terzetto_executor::{Control, processes::ProcessesControl};

/// What can be ended early.
pub trait EndEarly: Send + 'static {
    /// What runs is finished, nothing new is started.
    fn stop(&self);
    /// The same, and nothing that waits is waited for.
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

/// Which signal has ended the run, if one has.
#[derive(Clone, Default)]
pub struct EndedBy(Arc<AtomicI32>);

/// How a signal has ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    /// SIGUSR2.
    Stopped,
    /// Ctrl-C or SIGTERM, with the exit status that a shell expects of a program ended so.
    Interrupted(u8),
}

impl EndedBy {
    /// How a signal has ended the run, if one has.
    pub fn get(&self) -> Option<Early> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            STOPPED => Some(Early::Stopped),
            signal => u8::try_from(128 + signal).ok().map(Early::Interrupted),
        }
    }
}

const STOPPED: i32 = -1;

#[cfg(unix)]
mod unix {
    use std::thread::{self, JoinHandle};

    use signal_hook::{
        consts::{SIGINT, SIGTERM, SIGUSR2},
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
                // It only passes signals on, and has nothing to panic about.
                let _ = thread.join();
            }
        }
    }

    /// Has signals end a run early, until the guard is dropped.
    pub fn watch(run: impl EndEarly, ended_by: EndedBy) -> io::Result<Watch> {
        second_ends_at_once()?;
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR2])?;
        let handle = signals.handle();
        let pass_on = move || {
            for signal in signals.forever() {
                if signal == SIGUSR2 {
                    log::warn!("stopping: what runs is finished, nothing new is started");
                    ended_by.0.store(STOPPED, Ordering::Relaxed);
                    run.stop();
                } else {
                    log::warn!("interrupted: ending the run (once more ends it at once)");
                    ended_by.0.store(signal, Ordering::Relaxed);
                    run.cancel();
                }
            }
        };
        let thread = thread::Builder::new().name("signals".into()).spawn(pass_on)?;
        Ok(Watch(handle, Some(thread)))
    }

    /// A second Ctrl-C, while the first is still being obeyed, ends the program on the spot.
    fn second_ends_at_once() -> io::Result<()> {
        let first_has_come = Arc::default();
        // The order matters: the flag is looked at before it is set.
        flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&first_has_come))?;
        flag::register(SIGINT, first_has_come)?;
        Ok(())
    }
}

#[cfg(unix)]
pub use unix::watch;

/// Without Unix's signals, Ctrl-C ends the program at once; finished files are whole all the same.
#[cfg(not(unix))]
pub fn watch(_: impl EndEarly, _: EndedBy) -> io::Result<()> {
    Ok(())
}
