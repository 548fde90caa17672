//! What the process does about a signal. Only this module touches the system's table of handlers.
//!
//! The table belongs to the process, and runs belong to threads. So this module keeps a list, for each signal, of the
//! runs that want it. The first run that wants a signal installs our handler. When the last run gives it up, what was
//! there before is restored. **A signal goes to every run that asked for it.** No run takes it from another.
//!
//! # What the handler may do
//!
//! A handler may interrupt any code, on any thread. So it can neither lock nor allocate, nor wait for another thread.
//! It asks for the number of the process (`getpid`). It reads a list that was published through an atomic pointer. It
//! sets a bit in the inbox of each run, and wakes the run's waker (`write`). A handler may make both of these system
//! calls. The rest is atomics, and `errno` is restored. A list that is replaced is freed once no handler is under way
//! that could still read it. Handlers wait for nothing, so that is soon.
//!
//! # Forks
//!
//! A process may be forked while another thread of it is in the handler, or replaces a list. The child does not have
//! that thread, so it must not wait for it. Therefore all data of this module is [of one process](PerProcess), and a
//! child begins with nothing. By the system's rules it inherits the handler from its parent process. But that handler
//! finds no list, so it does nothing and wakes no waker of the parent, until the child claims a signal itself. The
//! child cannot know what the parent found before its own claim, since it would need the parent's lock for that. So
//! when the child gives up a signal, the system's usual action is in force.

use crate::{
    core::run::{
        inbox::Inbox,
        per_process::{GENERATIONS, PerProcess, Slot},
    },
    signal::Signal,
};
use std::{
    io, mem, ptr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicPtr, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

type Inboxes = Vec<Arc<Inbox>>;

/// Signals have numbers from 1 to 64.
pub(super) const SIGNALS: usize = 65;

/// What a process does about signals.
struct Dispositions {
    /// The lists for the handler, by signal. A list is null if no run asks for the signal.
    published: [AtomicPtr<Inboxes>; SIGNALS],
    /// How many handlers are under way.
    under_way: AtomicUsize,
    /// The former actions, for each signal for which our handler is installed.
    former: Mutex<Vec<(Signal, libc::sigaction)>>,
}

static DISPOSITIONS: PerProcess<Dispositions> =
    PerProcess::new([const { Slot::new(Dispositions::none()) }; GENERATIONS]);

extern "C" fn handler(signal: libc::c_int) {
    // The interrupted code may be about to read the last error, so it must find it unchanged.
    let interrupted = io::Error::last_os_error().raw_os_error();
    if let Some(own) = DISPOSITIONS.known() {
        own.deliver(signal);
    }
    if let Some(code) = interrupted {
        set_last_os_error(code);
    }
}

/// Signals that the processor raises when an instruction fails, and that a program may also be sent like any other.
const FAULTS: [i32; 2] = [libc::SIGILL, libc::SIGFPE];

/// The handler of [`FAULTS`]. When a handler returns, a failed instruction is executed again, and it would fail again
/// for ever. So this handler first restores the usual action. Then the process ends, as it does without a receiver.
extern "C" fn fault_handler(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    _interrupted: *mut libc::c_void,
) {
    // SAFETY: the system passes the address of a valid `siginfo_t` to a handler that was installed with SA_SIGINFO.
    let code = unsafe { (*info).si_code };
    // For a signal that a process has sent, the code is zero or less, or has more than 16 bits.
    if !(1..0x1_0000).contains(&code) {
        return handler(signal);
    }
    let mut usual = plain();
    usual.sa_sigaction = libc::SIG_DFL;
    // SAFETY: `sigaction` is on the list of calls that a handler may make; the action is valid, and no former one is
    // asked for.
    unsafe { libc::sigaction(signal, &usual, ptr::null_mut()) };
}

fn set_last_os_error(code: i32) {
    #[cfg(any(target_os = "linux", target_os = "emscripten"))]
    // SAFETY: the function returns the address of this thread's `errno`, which is always valid.
    let place = unsafe { libc::__errno_location() };
    #[cfg(any(target_os = "macos", target_os = "ios", target_os = "freebsd"))]
    // SAFETY: as above.
    let place = unsafe { libc::__error() };
    #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
    // SAFETY: as above.
    let place = unsafe { libc::__errno() };
    // SAFETY: the address is valid, and no other thread uses it.
    unsafe { *place = code };
}

impl Dispositions {
    const fn none() -> Dispositions {
        Dispositions {
            published: [const { AtomicPtr::new(ptr::null_mut()) }; SIGNALS],
            under_way: AtomicUsize::new(0),
            former: Mutex::new(Vec::new()),
        }
    }

    fn former(&self) -> MutexGuard<'_, Vec<(Signal, libc::sigaction)>> {
        // Nothing under the lock can panic half-way.
        self.former.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called by the handler. Notifies every run that wants the signal.
    fn deliver(&self, signal: libc::c_int) {
        self.under_way.fetch_add(1, SeqCst);
        if let Some(published) = self.published.get(signal as usize) {
            // SAFETY: the pointer is null or came from `Box::into_raw` in `publish`, which frees a list
            // only after it has replaced it and has then seen no handler under way. This one was counted
            // before it read the pointer, and is counted until after its last use.
            if let Some(runs) = unsafe { published.load(SeqCst).as_ref() } {
                for (i, inbox) in runs.iter().enumerate() {
                    // A run that has claimed the signal several times is in the list as often. It hears of it once:
                    // its loop, on another thread, may already have taken what it was told the first time.
                    if runs[..i].iter().any(|earlier| Arc::ptr_eq(earlier, inbox)) {
                        continue;
                    }
                    let again = inbox.signal(Signal::from_raw(signal).bit());
                    if signal == libc::SIGINT && super::unheard::is_too_long(&inbox.interrupted, again) {
                        end_process(Signal::INT);
                    }
                }
            }
        }
        self.under_way.fetch_sub(1, SeqCst);
    }

    /// Replaces the list of runs for a signal. The caller holds the lock of the former actions.
    fn publish(&self, signal: Signal, change: impl FnOnce(&mut Inboxes)) -> usize {
        let place = &self.published[signal.number() as usize];
        // SAFETY: the pointer is null or a live box, and only this function frees it, under the lock.
        let mut runs = unsafe { place.load(SeqCst).as_ref() }.cloned().unwrap_or_default();
        change(&mut runs);
        let count = runs.len();
        let new = if runs.is_empty() { ptr::null_mut() } else { Box::into_raw(Box::new(runs)) };
        let old = place.swap(new, SeqCst);
        // A handler that read the old list was counted before. One that comes later reads the new one. All
        // that are counted are on threads of this process.
        while self.under_way.load(SeqCst) > 0 {
            thread::yield_now();
        }
        if !old.is_null() {
            // SAFETY: it came from `Box::into_raw` above, is published no more, and nobody reads it.
            drop(unsafe { Box::from_raw(old) });
        }
        count
    }

    /// Whether a run of this process wants a signal.
    fn is_wanted(&self, signal: Signal) -> bool {
        self.published.get(signal.number() as usize).is_some_and(|list| !list.load(SeqCst).is_null())
    }
}

fn our_handler(signal: Signal) -> libc::sighandler_t {
    match FAULTS.contains(&signal.number()) {
        true => {
            let with_info: extern "C" fn(_, _, _) = fault_handler;
            with_info as libc::sighandler_t
        }
        false => handler as extern "C" fn(libc::c_int) as libc::sighandler_t,
    }
}

/// The action in force for a signal.
fn in_force(signal: Signal) -> io::Result<libc::sigaction> {
    let mut action = plain();
    // SAFETY: with no new action the call only writes the present one to the place given.
    match unsafe { libc::sigaction(signal.number(), ptr::null(), &mut action) } {
        0 => Ok(action),
        _ => Err(io::Error::last_os_error()),
    }
}

fn put(signal: Signal, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: `action` is one the system gave us, or ours, whose handler keeps to what a handler may
    // do: atomics, and a write to a descriptor that is open as long as a list leads to it.
    match unsafe { libc::sigaction(signal.number(), action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// An action of zeroes: no flags, no signals that are held back, the system's usual action.
fn plain() -> libc::sigaction {
    // SAFETY: all zeroes are a valid `sigaction`: integers, a set of signals, an optional function.
    unsafe { mem::zeroed() }
}

/// Whether the system's usual action is in force, as in a process that has set no other. If our handler is installed
/// and no run wants the signal, the handler comes from the parent of a forked process. This counts as the usual
/// action, too.
pub(super) fn is_default(signal: Signal) -> bool {
    in_force(signal).is_ok_and(|action| {
        action.sa_sigaction == libc::SIG_DFL
            || action.sa_sigaction == our_handler(signal) && !DISPOSITIONS.get().is_wanted(signal)
    })
}

/// Sends a signal to this thread. If the signal is not blocked, its action has run when this function returns.
pub(super) fn raise(signal: Signal) -> io::Result<()> {
    // SAFETY: the call takes a number, checks it, and touches no memory of ours.
    match unsafe { libc::raise(signal.number()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Ends the process as the signal does by default. If this is called inside the signal's own handler, the process ends
/// when the handler returns. A handler may call it.
pub(super) fn end_process(signal: Signal) {
    let mut default = plain();
    default.sa_sigaction = libc::SIG_DFL;
    // If the system refuses, the process goes on, and the next one tries again.
    let _ended = put(signal, &default).and_then(|()| raise(signal));
}

/// Adds a run to those that get a signal.
pub(super) fn claim(signal: Signal, inbox: &Arc<Inbox>) -> io::Result<()> {
    let own = DISPOSITIONS.get();
    let mut former = own.former();
    own.publish(signal, |runs| runs.push(inbox.clone()));
    if former.iter().all(|(other, _)| *other != signal) {
        match install(signal) {
            Ok(before) => former.push((signal, before)),
            Err(error) => {
                own.publish(signal, |runs| drop(runs.pop()));
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Installs our handler. Returns the action that is to be in force after it.
fn install(signal: Signal) -> io::Result<libc::sigaction> {
    let before = in_force(signal)?;
    let mut ours = plain();
    ours.sa_sigaction = our_handler(signal);
    // Interrupted system calls are restarted.
    ours.sa_flags = libc::SA_RESTART;
    if FAULTS.contains(&signal.number()) {
        ours.sa_flags |= libc::SA_SIGINFO;
    }
    put(signal, &ours)?;
    // If our handler was there already, it comes from the parent of a forked process.
    Ok(if before.sa_sigaction == our_handler(signal) { plain() } else { before })
}

/// Stops bringing a signal to a run. Returns whether no other run wants it. In that case the former action is in force
/// again.
pub(super) fn release(signal: Signal, inbox: &Arc<Inbox>) -> bool {
    let own = DISPOSITIONS.get();
    let mut former = own.former();
    let left = own.publish(signal, |runs| {
        if let Some(place) = runs.iter().position(|run| Arc::ptr_eq(run, inbox)) {
            runs.swap_remove(place);
        }
    });
    if left > 0 {
        return false;
    }
    if let Some(place) = former.iter().position(|(other, _)| *other == signal) {
        let (_, before) = former.swap_remove(place);
        // Other code may have replaced our handler by its own. Then that one stays.
        let ours = in_force(signal).is_ok_and(|action| action.sa_sigaction == our_handler(signal));
        let restored = if ours { put(signal, &before) } else { Ok(()) };
        if let Err(error) = restored {
            log::error!("the former disposition of signal {signal} could not be restored: {error}");
        }
    }
    true
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{DISPOSITIONS, SeqCst, Signal, claim, raise, release};
    use crate::{
        core::{
            run,
            run::{inbox, inbox::Inbox, per_process::forked::returns_in_a_child},
        },
        signal::open_signal_receiver,
        to_thread,
    };
    use std::{
        sync::{Arc, mpsc},
        thread,
    };

    fn new_inbox() -> Arc<Inbox> {
        let poll = mio::Poll::new().unwrap();
        Arc::new(Inbox::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap()))
    }

    /// What a run of the child does about a signal at its beginning and at its end.
    fn claims_and_releases(signal: Signal) {
        let own = new_inbox();
        let id = inbox::register(own.clone());
        claim(signal, &own).unwrap();
        raise(signal).unwrap();
        assert_eq!(own.take_signals(), signal.bit());
        assert!(release(signal, &own));
        inbox::unregister(id);
    }

    /// Has another thread hold, from now until the call returns, all that a child might wait for: it is in the
    /// handler, and in the middle of a change of the list.
    fn while_another_thread_is_at_it(f: impl FnOnce()) {
        let (there, is_there) = mpsc::channel();
        let (leave, may_leave) = mpsc::channel::<()>();
        let other = thread::spawn(move || {
            let own = DISPOSITIONS.get();
            let former = own.former();
            own.under_way.fetch_add(1, SeqCst);
            there.send(()).unwrap();
            let _left = may_leave.recv();
            own.under_way.fetch_sub(1, SeqCst);
            drop(former);
        });
        is_there.recv().unwrap();
        f();
        drop(leave);
        other.join().unwrap();
    }

    #[test]
    fn a_child_that_was_forked_while_a_handler_ran_claims_and_releases_signals_of_its_own() {
        while_another_thread_is_at_it(|| {
            assert!(returns_in_a_child(|| claims_and_releases(Signal::WINCH)));
            // And a child of a child.
            assert!(returns_in_a_child(|| {
                claims_and_releases(Signal::WINCH);
                while_another_thread_is_at_it(|| {
                    assert!(returns_in_a_child(|| claims_and_releases(Signal::WINCH)));
                });
            }));
        });
    }

    #[test]
    fn a_signal_of_the_parents_does_nothing_in_a_child_and_is_the_childs_to_claim() {
        let parents = new_inbox();
        claim(Signal::CONT, &parents).unwrap();
        assert!(returns_in_a_child(|| {
            // The handler is there, but brings the signal to no run, since both processes share the waker.
            raise(Signal::CONT).unwrap();
            assert_eq!(parents.take_signals(), 0);
            assert!(super::is_default(Signal::CONT));
            claims_and_releases(Signal::CONT);
            assert!(super::in_force(Signal::CONT).unwrap().sa_sigaction == libc::SIG_DFL);
            // A receiver of the parent's that goes in the child.
            assert!(release(Signal::CONT, &parents));
        }));
        raise(Signal::CONT).unwrap();
        assert_eq!(parents.take_signals(), Signal::CONT.bit());
        assert!(release(Signal::CONT, &parents));
    }

    #[test]
    fn a_fault_is_received_if_it_was_sent_and_ends_the_process_if_it_happened() {
        for number in super::FAULTS {
            let signal = Signal::from_raw(number);
            assert!(returns_in_a_child(|| claims_and_releases(signal)));
        }
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        assert!(crate::core::run::per_process::forked::fails_in_a_child(|| {
            claim(Signal::from_raw(libc::SIGILL), &new_inbox()).unwrap();
            // SAFETY: an instruction that there is not: it ends the process, which is a child of the test's own.
            unsafe { std::arch::asm!("ud2") };
        }));
    }

    #[test]
    fn a_child_has_whole_runs_of_its_own() {
        while_another_thread_is_at_it(|| {
            assert!(returns_in_a_child(|| {
                let run = crate::run(async {
                    let signals = open_signal_receiver(&[Signal::WINCH])?;
                    to_thread::run_sync(|| raise(Signal::WINCH)).await??;
                    Ok(signals.receive().await?)
                });
                assert_eq!(run.unwrap(), Signal::WINCH);
            }));
        });
    }

    #[test]
    fn a_child_that_was_forked_inside_a_run_waits_for_none_of_its_threads() {
        let outcome = crate::run(async {
            // The worker stays, and waits for more.
            to_thread::run_sync(|| ()).await?;
            Ok(returns_in_a_child(|| {
                run::current().extensions.take().iter().for_each(|extension| extension.run_ends());
                assert!(crate::run(async { Ok(()) }).is_err(), "the thread is inside a run");
                let other = thread::spawn(|| crate::run(async { Ok(crate::sleep(0.001).await?) }));
                other.join().unwrap().unwrap();
            }))
        });
        assert!(outcome.unwrap());
    }
}
