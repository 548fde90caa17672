//! Ten sick programs, and what the tools say of each. Who reads only that should be able to name the cause.

mod cancelled_in_a_shield;
mod channel_nobody_sends_to;
mod crossed_locks;
mod forgotten_sender;
mod full_pipe;
mod futurelock;
mod hog;
mod leak_of_tasks;
mod lost_task;
mod thread_that_never_returns;

use std::sync::{Mutex, PoisonError};
use terzetto::{Builder, Deadlock, Error, testing::MockClock};

/// The report of a program that deadlocks under a mock clock.
fn deadlock_of<T>(main: impl Future<Output = Result<T, Error>>) -> String {
    let error = Builder::new().clock(MockClock::autojump()).run(main).err().expect("it deadlocks");
    error.find::<Deadlock>().unwrap_or_else(|| panic!("no deadlock: {error:?}")).report().to_owned()
}

/// Runs a program that ends, since it looks at itself.
fn run_to_end(main: impl Future<Output = Result<(), Error>>) {
    Builder::new().clock(MockClock::autojump()).run(main).unwrap();
}

/// Asserts that a report says something. Of each file only its name is compared.
#[track_caller]
fn assert_says(report: &str, words: &[&str]) {
    for word in words {
        assert!(report.contains(word), "`{word}` is not in:\n{report}");
    }
}

/// What was logged.
static LOG: Log = Log(Mutex::new(Vec::new()));

struct Log(Mutex<Vec<String>>);

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record.args().to_string());
    }

    fn flush(&self) {}
}

fn listen() {
    let _other = log::set_logger(&LOG);
    log::set_max_level(log::LevelFilter::Warn);
}

/// The lines of the log that have this in them.
fn logged(word: &str) -> Vec<String> {
    let lines = LOG.0.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().filter(|line| line.contains(word)).cloned().collect()
}
