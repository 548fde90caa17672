//! What the tests of the runtime share.

pub mod differential;
pub mod easyracer;
pub mod load;

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::poll_fn,
    panic::resume_unwind,
    pin::Pin,
    sync::mpsc::{self, RecvTimeoutError},
    task::Poll,
    thread,
    time::Duration,
};
use terzetto::{Builder, Error, Task, lowlevel::Instrument, testing::MockClock};

/// Runs `main` on a mock clock that jumps to the next deadline when all tasks are blocked.
///
/// # Errors
/// As `main`.
pub fn run_mock<T>(main: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    Builder::new().clock(MockClock::autojump()).run(main)
}

/// Calls a function when it is dropped.
#[derive(Debug)]
pub struct OnDrop<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Polls a future once, which must not be at its end.
///
/// # Panics
/// If it is.
pub async fn begin(future: &mut (impl Future + Unpin)) {
    poll_fn(|cx| {
        assert!(Pin::new(&mut *future).poll(cx).is_pending(), "it was to block");
        Poll::Ready(())
    })
    .await;
}

/// Whether the tests run under a sanitizer.
pub fn sanitized() -> bool {
    std::env::var_os("TERZETTO_SANITIZED").is_some()
}

/// Whether the tests run under ThreadSanitizer. It keeps a signal back until its thread makes a system call, and it has
/// a child process of its own that makes names of addresses.
pub fn under_thread_sanitizer() -> bool {
    std::env::var("TERZETTO_SANITIZED").is_ok_and(|sanitizer| sanitizer == "thread")
}

/// So many levels of nesting; under a sanitizer a hundredth of them: the stack that ThreadSanitizer keeps for
/// itself has room for some 65,000 calls and does not grow.
pub fn levels(many: u32) -> u32 {
    if sanitized() { many / 100 } else { many }
}

/// Calls `f` in a thread of its own, and returns what it returns.
///
/// # Panics
/// If it takes longer than that, or panics.
pub fn within<T: Send + 'static>(limit: Duration, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || drop(done.send(f())));
    match is_done.recv_timeout(limit) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("it hangs: nothing came of it in {limit:?}"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(payload) => resume_unwind(payload),
            Ok(()) => unreachable!("it sends what it returns"),
        },
    }
}

/// Runs one of a file's tests again, in a process of its own; returns true there. For what needs the default
/// disposition of SIGINT: from its first registration on, `signal-hook` keeps it.
///
/// # Panics
/// If the test fails there.
pub fn in_a_child(test: &str) -> bool {
    const CHILD: &str = "TERZETTO_TEST_CTRL_C";
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let program = std::env::current_exe().unwrap();
    let output = std::process::Command::new(program)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{test} in a process of its own: {}\n{text}", output.status);
    assert!(text.contains("1 passed"), "{text}");
    false
}

/// A record of what happened, in order.
#[derive(Debug, Default)]
pub struct Trace(RefCell<Vec<String>>);

impl Trace {
    /// Adds a line.
    pub fn note(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    /// The lines so far, joined by spaces.
    pub fn text(&self) -> String {
        self.0.borrow().join(" ")
    }
}

/// An instrument that calls a function from inside the next wake of a task, once.
#[derive(Default)]
pub struct OnScheduled {
    call: Cell<Option<Box<dyn FnOnce() -> String>>>,
    answer: Cell<Option<String>>,
}

impl OnScheduled {
    /// Has `call` called by the next wake. It should not panic: an instrument that does is only removed.
    pub fn ask(&self, call: impl FnOnce() -> String + 'static) {
        self.call.set(Some(Box::new(call)));
    }

    /// What it said, if it was called.
    pub fn answer(&self) -> Option<String> {
        self.answer.take()
    }
}

impl Instrument for OnScheduled {
    fn task_scheduled(&self, _task: &Task) {
        if let Some(call) = self.call.take() {
            self.answer.set(Some(call()));
        }
    }
}

impl fmt::Debug for OnScheduled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnScheduled").finish_non_exhaustive()
    }
}
