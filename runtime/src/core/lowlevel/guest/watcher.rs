//! The thread that waits for the system's events while a host's loop turns.

use crate::core::run::inbox::Inbox;
use rustix::event::{PollFd, PollFlags};
use std::{
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

/// What the watcher's thread is doing, as far as matters to who ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WatcherState {
    /// It waits, for events or for the next sleep.
    Waits,
    /// It asks the host for a tick, which may last as long as the host likes.
    Asks,
    /// It is not to ask any more.
    Ends,
}

/// The thread that waits for the system's events while the host's loop turns.
pub(crate) struct Watcher {
    sleeps: Option<mpsc::Sender<f64>>,
    thread: Option<thread::JoinHandle<()>>,
    watching: Arc<Mutex<WatcherState>>,
}

/// Goes from one state of the watcher to another, unless it is to end. Returns the state before.
fn watch(watching: &Mutex<WatcherState>, next: WatcherState) -> WatcherState {
    let mut now = watching.lock().unwrap_or_else(PoisonError::into_inner);
    let before = *now;
    if before != WatcherState::Ends {
        *now = next;
    }
    before
}

/// Blocks until there is an event, or for so many seconds. A signal that is handled meanwhile changes nothing: if the
/// run has to hear of it, there is an event.
fn wait_for(events: &OwnedFd, timeout: f64) {
    // Too long for the system is as good as for ever: the next tick asks again.
    let timeout = Duration::try_from_secs_f64(timeout).ok();
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| left.try_into().ok());
        let mut fds = [PollFd::new(events, PollFlags::IN)];
        match rustix::event::poll(&mut fds, left.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            // The tick looks again, and sees the failure.
            Ok(_) | Err(_) => return,
        }
    }
}

impl Watcher {
    pub(crate) fn start(ask: impl Fn() + Send + 'static, events: OwnedFd) -> std::io::Result<Watcher> {
        let (sleeps, sleep) = mpsc::channel::<f64>();
        let watching = Arc::new(Mutex::new(WatcherState::Waits));
        let own = watching.clone();
        let work = move || {
            while let Ok(timeout) = sleep.recv() {
                wait_for(&events, timeout);
                if watch(&own, WatcherState::Asks) == WatcherState::Ends {
                    return;
                }
                ask();
                if watch(&own, WatcherState::Waits) == WatcherState::Ends {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("terzetto guest".into()).spawn(work)?;
        Ok(Watcher { sleeps: Some(sleeps), thread: Some(thread), watching })
    }

    /// Has it ask for a tick after so many seconds, or when there is an event.
    pub(crate) fn sleep(&self, timeout: f64) {
        if let Some(sleeps) = &self.sleeps {
            // The thread ends only after the sender is dropped.
            let _sent = sleeps.send(timeout);
        }
    }

    /// Ends the thread, which the waker has to wake if it sleeps. One that is asking the host, which may be waiting for
    /// this very call to return, is left to end by itself.
    pub(crate) fn end(mut self, inbox: &Inbox) {
        self.sleeps = None;
        if watch(&self.watching, WatcherState::Ends) == WatcherState::Asks {
            return;
        }
        inbox.wake_loop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the function that asks a guest run's host for a tick panicked");
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::wait_for;
    use std::{
        os::{fd::OwnedFd, unix::thread::JoinHandleExt},
        thread,
        time::{Duration, Instant},
    };

    #[test]
    fn a_signal_that_is_handled_does_not_end_the_wait_for_events() {
        extern "C" fn nothing(_signal: libc::c_int) {}
        // SAFETY: the structure is plain data, which zeros are a value of; the handler does nothing.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = nothing as *const () as usize;
            assert_eq!(libc::sigaction(libc::SIGWINCH, &action, std::ptr::null_mut()), 0);
        }
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let begun = Instant::now();
        let waits = thread::spawn(move || wait_for(&OwnedFd::from(ours), 0.2));
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(5));
            // SAFETY: the thread is not joined yet, so its number is valid.
            unsafe { libc::pthread_kill(waits.as_pthread_t(), libc::SIGWINCH) };
        }
        waits.join().unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(190), "{:?}", begun.elapsed());
    }
}
