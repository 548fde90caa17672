//! Receivers: signals as values.

use crate::{
    Cancelled,
    core::{
        block::{
            awaited::EndedBy,
            wait_queue::{Park, WaitQueue},
        },
        run,
        run::{Run, inbox::Inbox},
    },
    lowlevel::{cancel_shielded_checkpoint, checkpoint_if_cancelled},
    signal::{Signal, Signals, handler},
};
use std::{
    cell::RefCell,
    collections::VecDeque,
    error::Error as StdError,
    fmt, io,
    pin::Pin,
    rc::{Rc, Weak},
    sync::Arc,
    task::{Context, Poll},
};

/// Why a signal receiver cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenSignalError {
    /// No signal was named.
    Empty,
    /// The signal cannot be received. Either the system does not allow it (kill, stop), or the standard library
    /// handles the signal: it notices a stack overflow by a segmentation fault or a bus error.
    Forbidden(Signal),
    /// The system does not know the signal, or refuses for another reason.
    Io(Signal, io::Error),
}

impl fmt::Display for OpenSignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenSignalError::Empty => f.write_str("a signal receiver must be opened for at least one signal"),
            OpenSignalError::Forbidden(signal) => write!(f, "{signal} cannot be received"),
            OpenSignalError::Io(signal, _) => write!(f, "{signal} cannot be received: the system refuses"),
        }
    }
}

impl StdError for OpenSignalError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            OpenSignalError::Io(_, error) => Some(error),
            _ => None,
        }
    }
}

struct ReceiverState {
    signals: Vec<Signal>,
    /// Signals that were not taken yet, each once, in the order in which the loop has noticed them.
    pending: RefCell<VecDeque<Signal>>,
    waiting: Rc<WaitQueue<()>>,
}

/// The receivers of a run.
#[derive(Default)]
pub(super) struct Receivers(RefCell<Vec<Weak<ReceiverState>>>);

impl Receivers {
    /// Gives a signal to all receivers that are open for it. Returns whether there was one.
    pub(super) fn deliver(&self, signal: Signal) -> bool {
        let open: Vec<Rc<ReceiverState>> = self.0.borrow().iter().filter_map(Weak::upgrade).collect();
        let mut delivered = false;
        for receiver in open.iter().filter(|receiver| receiver.signals.contains(&signal)) {
            delivered = true;
            let mut pending = receiver.pending.borrow_mut();
            if !pending.contains(&signal) {
                pending.push_back(signal);
            }
            drop(pending);
            receiver.waiting.unpark_one(|()| ());
        }
        delivered
    }

    /// Whether a task waits for a signal.
    pub(super) fn anybody_waits(&self) -> bool {
        let receivers = self.0.borrow();
        receivers.iter().filter_map(Weak::upgrade).any(|receiver| receiver.waiting.len() > 0)
    }

    /// Whether a receiver is open for a signal.
    pub(super) fn are_open_for(&self, signal: Signal) -> bool {
        let receivers = self.0.borrow();
        receivers.iter().filter_map(Weak::upgrade).any(|receiver| receiver.signals.contains(&signal))
    }

    fn remove(&self, receiver: &Rc<ReceiverState>) {
        self.0.borrow_mut().retain(|other| !std::ptr::eq(other.as_ptr(), Rc::as_ptr(receiver)));
    }
}

/// An open receiver of signals; made by [`open_signal_receiver`]. Dropping it closes it.
#[must_use = "a receiver that is dropped is closed"]
pub struct SignalReceiver {
    run: Rc<Run>,
    inbox: Arc<Inbox>,
    shared: Rc<ReceiverState>,
    /// How many of the signals are claimed. It is fewer than all only if opening fails before its end.
    claimed: usize,
}

/// Takes over signals, until the receiver is dropped; trio's `open_signal_receiver`.
///
/// While the receiver is open, the signals have no other effect: this receiver returns them, and so does every other
/// receiver that is open for them, in this run or another. When the last receiver is closed, the former action of the
/// process is in force again. Signals that had come but were not taken are then sent again, to that action. Naming a
/// signal twice has no further effect.
///
/// SIGILL and SIGFPE can be received if a process has sent them. If an instruction of this program has failed, they end
/// the process, as they do without a receiver, since the program cannot continue.
///
/// # Errors
/// An [`OpenSignalError`].
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::signal::{Signal, open_signal_receiver};
/// terzetto::run(async {
///     let signals = open_signal_receiver(&[Signal::HUP, Signal::USR1])?;
///     # signal_hook::low_level::raise(libc::SIGUSR1)?;
///     // kill -USR1 …
///     assert_eq!(signals.receive().await?, Signal::USR1);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn open_signal_receiver(signals: &[Signal]) -> Result<SignalReceiver, OpenSignalError> {
    const FORBIDDEN: [i32; 4] = [libc::SIGKILL, libc::SIGSTOP, libc::SIGSEGV, libc::SIGBUS];
    if signals.is_empty() {
        return Err(OpenSignalError::Empty);
    }
    let mut named = Vec::with_capacity(signals.len());
    for &signal in signals {
        if named.contains(&signal) {
            continue;
        }
        if FORBIDDEN.contains(&signal.number()) {
            return Err(OpenSignalError::Forbidden(signal));
        }
        if signal.bit() == 0 {
            return Err(OpenSignalError::Io(signal, io::ErrorKind::InvalidInput.into()));
        }
        named.push(signal);
    }
    let run = run::current();
    let shared = Rc::new(ReceiverState {
        signals: named,
        pending: RefCell::default(),
        waiting: WaitQueue::ended_by("waiting for a signal", EndedBy::Signal),
    });
    let inbox = run.inbox.clone();
    let mut receiver = SignalReceiver { run: run.clone(), inbox, shared: shared.clone(), claimed: 0 };
    for &signal in &shared.signals {
        handler::claim(signal, &receiver.inbox).map_err(|error| OpenSignalError::Io(signal, error))?;
        receiver.claimed += 1;
    }
    let of_run = Signals::of(&run);
    of_run.receivers.0.borrow_mut().push(Rc::downgrade(&shared));
    of_run.watch_unheard_interrupts();
    Ok(receiver)
}

impl SignalReceiver {
    /// Waits for the next signal. If several signals of one kind come before one is taken, they count as one.
    /// Different kinds are returned in the order in which the run's loop has noticed them. Those that it notices
    /// together are returned in the order of their numbers. Several tasks may wait. Each signal goes to one of them.
    ///
    /// # Cancellation
    /// A checkpoint. A cancellation loses no signal. A drop of the future loses none either: the next wait gets the
    /// signal.
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled scope.
    pub async fn receive(&self) -> Result<Signal, Cancelled> {
        checkpoint_if_cancelled().await?;
        if self.pending() > 0 {
            // This comes before a signal is taken. After that the signal would be lost with the future.
            cancel_shielded_checkpoint().await;
        }
        loop {
            if let Some(signal) = self.take() {
                return Ok(signal);
            }
            Arrival { shared: &self.shared, park: self.shared.waiting.park(()) }.await?;
        }
    }

    fn take(&self) -> Option<Signal> {
        self.shared.pending.borrow_mut().pop_front()
    }

    /// How many signals have come and were not taken yet.
    pub fn pending(&self) -> usize {
        self.shared.pending.borrow().len()
    }
}

/// A wait until a signal has come. If it is dropped before it has seen that, it wakes the next wait.
struct Arrival<'a> {
    shared: &'a ReceiverState,
    park: Park<'a, ()>,
}

impl Future for Arrival<'_> {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.park).poll(cx).map(|((), outcome)| outcome)
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        if self.park.unclaimed().is_some() && !self.shared.pending.borrow().is_empty() {
            self.shared.waiting.unpark_one(|()| ());
        }
    }
}

impl fmt::Debug for SignalReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalReceiver").field("signals", &self.shared.signals).finish_non_exhaustive()
    }
}

impl Drop for SignalReceiver {
    fn drop(&mut self) {
        let (signals, mut untaken) = (&self.shared.signals[..self.claimed], Vec::new());
        let last = signals.iter().map(|&signal| handler::release(signal, &self.inbox)).collect::<Vec<_>>();
        // This hands out all signals that have come until now.
        self.run.take_signals();
        let of_run = Signals::of(&self.run);
        let receivers = &of_run.receivers;
        receivers.remove(&self.shared);
        of_run.watch_unheard_interrupts();
        for (&signal, was_last) in signals.iter().zip(last) {
            if self.shared.pending.borrow().contains(&signal) {
                untaken.push((signal, was_last));
            }
        }
        for (signal, was_last) in untaken {
            // It is sent again to the action that is now in force, of the process or of this run.
            if !was_last {
                if !receivers.are_open_for(signal) {
                    of_run.without_receiver(&self.run, signal);
                }
            } else if let Err(error) = handler::raise(signal) {
                log::error!("{signal}, which had come but was not taken, could not be sent again: {error}");
            }
        }
    }
}
