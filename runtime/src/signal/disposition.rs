//! What the process does about a signal: the one place that touches the system's table of handlers.
//!
//! The table is the process's, runs are threads'. So for each signal the list of runs that want it
//! is kept here; the first that wants it installs our handler, the last that wants it no more puts
//! back what was there before. **A signal goes to every run that asked for it**: none takes it from
//! another.
//!
//! A handler may interrupt anything, so it can neither lock nor allocate. It reads a list that was
//! published through an atomic pointer, sets a bit in the inbox of each run, and rings its bell. A
//! list that is replaced is freed once no handler is under way that could still read it.

use super::Signal;
use crate::core::inbox::Inbox;
use std::{
    io, mem, ptr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicPtr, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

type Runs = Vec<Arc<Inbox>>;

/// Signals have numbers from 1 to 64.
pub(super) const SIGNALS: usize = 65;

/// The lists for the handler, by signal; null where nobody asks.
static PUBLISHED: [AtomicPtr<Runs>; SIGNALS] = [const { AtomicPtr::new(ptr::null_mut()) }; SIGNALS];

/// How many handlers are under way.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// What was there before ours, by signal, where ours is.
static FORMER: Mutex<[Option<libc::sigaction>; SIGNALS]> = Mutex::new([None; SIGNALS]);

fn table() -> MutexGuard<'static, [Option<libc::sigaction>; SIGNALS]> {
    // Nothing under the lock can panic half-way.
    FORMER.lock().unwrap_or_else(PoisonError::into_inner)
}

extern "C" fn handler(signal: libc::c_int) {
    // Whatever was interrupted may be about to look at the last error: it must find it unchanged.
    let interrupted = io::Error::last_os_error().raw_os_error();
    UNDER_WAY.fetch_add(1, SeqCst);
    if let Some(published) = PUBLISHED.get(signal as usize) {
        // SAFETY: the pointer is null or came from `Box::into_raw` in `publish`, which frees a list
        // only after it has replaced it and has then seen no handler under way. This one was counted
        // before it read the pointer, and is counted until after its last use.
        if let Some(runs) = unsafe { published.load(SeqCst).as_ref() } {
            for inbox in runs {
                inbox.signal(signal);
            }
        }
    }
    UNDER_WAY.fetch_sub(1, SeqCst);
    if let Some(code) = interrupted {
        set_last_os_error(code);
    }
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

/// Replaces the list of runs for a signal. To be called with the table locked.
fn publish(signal: Signal, change: impl FnOnce(&mut Runs)) -> usize {
    let place = &PUBLISHED[signal.number() as usize];
    // SAFETY: the pointer is null or a live box, and only this function frees it, under the lock.
    let mut runs = unsafe { place.load(SeqCst).as_ref() }.cloned().unwrap_or_default();
    change(&mut runs);
    let count = runs.len();
    let new = if runs.is_empty() { ptr::null_mut() } else { Box::into_raw(Box::new(runs)) };
    let old = place.swap(new, SeqCst);
    // A handler that read the old list was counted before. One that comes later reads the new one.
    while UNDER_WAY.load(SeqCst) > 0 {
        thread::yield_now();
    }
    if !old.is_null() {
        // SAFETY: it came from `Box::into_raw` above, is published no more, and nobody reads it.
        drop(unsafe { Box::from_raw(old) });
    }
    count
}

fn our_handler() -> libc::sighandler_t {
    handler as extern "C" fn(libc::c_int) as libc::sighandler_t
}

/// The action in force for a signal.
fn in_force(signal: Signal) -> io::Result<libc::sigaction> {
    // SAFETY: all zeroes are a valid `sigaction`: integers, a set of signals, an optional function.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
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

/// Whether the system's usual action is in force, as in a process that nobody has told otherwise.
pub(super) fn is_default(signal: Signal) -> bool {
    in_force(signal).is_ok_and(|action| action.sa_sigaction == libc::SIG_DFL)
}

/// Sends a signal to this thread: where it is not blocked, its action has run when this returns.
pub(super) fn raise(signal: Signal) -> io::Result<()> {
    // SAFETY: the call takes a number, checks it, and touches no memory of ours.
    match unsafe { libc::raise(signal.number()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Ends the process as the signal does by default. Returns only if the system refuses.
pub(super) fn end_process(signal: Signal) {
    // SAFETY: as in `in_force`.
    let mut default: libc::sigaction = unsafe { mem::zeroed() };
    default.sa_sigaction = libc::SIG_DFL;
    if let Err(error) = put(signal, &default).and_then(|()| raise(signal)) {
        log::error!("the process could not be ended by signal {signal}: {error}");
    }
}

/// Has a signal brought to a run, besides those that get it already.
pub(super) fn claim(signal: Signal, inbox: &Arc<Inbox>) -> io::Result<()> {
    let mut former = table();
    let place = &mut former[signal.number() as usize];
    publish(signal, |runs| runs.push(inbox.clone()));
    if place.is_none() {
        let install = || {
            let before = in_force(signal)?;
            // SAFETY: as in `in_force`.
            let mut ours: libc::sigaction = unsafe { mem::zeroed() };
            ours.sa_sigaction = our_handler();
            // System calls of whoever was interrupted go on.
            ours.sa_flags = libc::SA_RESTART;
            put(signal, &ours)?;
            Ok(before)
        };
        match install() {
            Ok(before) => *place = Some(before),
            Err(error) => {
                publish(signal, |runs| drop(runs.pop()));
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Brings a signal to a run no more. Returns whether nobody else wants it: then what was in force
/// before is in force again.
pub(super) fn release(signal: Signal, inbox: &Arc<Inbox>) -> bool {
    let mut former = table();
    let left = publish(signal, |runs| {
        if let Some(place) = runs.iter().position(|run| Arc::ptr_eq(run, inbox)) {
            runs.swap_remove(place);
        }
    });
    if left > 0 {
        return false;
    }
    if let Some(before) = former[signal.number() as usize].take() {
        // Somebody may have installed a handler over ours: then that one stays.
        let ours = in_force(signal).is_ok_and(|action| action.sa_sigaction == our_handler());
        let restored = if ours { put(signal, &before) } else { Ok(()) };
        if let Err(error) = restored {
            log::error!("the former disposition of signal {signal} could not be restored: {error}");
        }
    }
    true
}
