//! Signals of the operating system: receiving them as values, and Ctrl-C.
//!
//! [`open_signal_receiver`] turns signals into a stream. Ctrl-C needs no receiver. Unless somebody else handles it,
//! it is raised in the main task as an error. That happens once, where the main task is blocked or at its next
//! checkpoint. The error belongs to no cancel scope, and passes through all of them, shielded or not. It ends
//! nurseries as any error of their bodies does, and the run returns it
//! ([`Error::is_interrupted`](crate::Error::is_interrupted)). The next Ctrl-C is raised again. Python can raise it
//! between any two instructions. Here a main task that computes without checkpoints is not interrupted until it comes
//! to one.
//!
//! A task that awaits a future of another library cannot be interrupted either. If the run goes to sleep and a Ctrl-C
//! could not be raised, the log names that task, and a second Ctrl-C ends the process as if nobody handled it. The
//! same happens if a nursery holds the Ctrl-C and waits for such a task. A task may also compute or block without
//! end. Then a Ctrl-C that comes a second or more after another one ends the process, if the loop has not looked
//! meanwhile. Use [`cancellable`](crate::cancellable) around a future of another library to avoid that.
//!
//! If a process has several runs, each of them gets every signal that it asked for. Ctrl-C without a receiver goes to
//! the run that was the first to start when nobody handled it. The [crate's documentation](crate#forks) says what a
//! forked child may do.

pub(crate) mod ctrl_c;
mod handler;
mod kind;
mod receiver;
mod unheard;

pub use kind::Signal;
pub use receiver::{OpenSignalError, SignalReceiver, open_signal_receiver};

use crate::core::run::{Run, extensions::Extension, inbox::Inbox};
use receiver::Receivers;
use std::{cell::Cell, rc::Rc, sync::Arc};

/// The function that writes the tree of tasks to the log. It is stored as a value, so that a program that does not ask
/// for it is not linked with the code that draws the tree.
pub(crate) type Dump = fn();

/// The part of a run that handles signals.
pub(crate) struct Signals {
    inbox: Arc<Inbox>,
    receivers: Receivers,
    /// Whether Ctrl-C is an error of the run's main task.
    claims_interrupt: Cell<bool>,
    /// The function that writes the tree of tasks to the log, if SIGUSR1 does that.
    dump: Cell<Option<Dump>>,
}

impl Extension for Signals {
    /// Restores the actions that were in force before the run's own signals.
    fn run_ends(&self) {
        self.release_interrupt();
        if self.dump.take().is_some() {
            handler::release(Signal::USR1, &self.inbox);
        }
    }

    fn may_wake(&self) -> Option<&'static str> {
        self.receivers.anybody_waits().then_some("a task waits for a signal")
    }
}

impl Signals {
    /// Those of a run.
    pub(crate) fn of(run: &Run) -> Rc<Signals> {
        run.extensions.get(|| {
            run.on_signals.set(Some(signals_arrived));
            Signals {
                inbox: run.inbox.clone(),
                receivers: Receivers::default(),
                claims_interrupt: Cell::new(false),
                dump: Cell::new(None),
            }
        })
    }

    /// Makes SIGUSR1 write the tree of tasks.
    pub(crate) fn claim_dump(&self, dump: Dump) {
        match handler::claim(Signal::USR1, &self.inbox) {
            Ok(()) => self.dump.set(Some(dump)),
            Err(error) => log::warn!("SIGUSR1 will not write the tree of tasks: {error}"),
        }
    }
}

/// Handles signals that have come to a run. Each goes to the receivers that are open for it. If there is none, it does
/// what it does without a receiver.
fn signals_arrived(run: &Run, set: u64) {
    let signals = Signals::of(run);
    for signal in (1..handler::SIGNALS as i32).map(Signal::from_raw) {
        if set & signal.bit() != 0 && !signals.receivers.deliver(signal) {
            signals.without_receiver(run, signal);
        }
    }
}
