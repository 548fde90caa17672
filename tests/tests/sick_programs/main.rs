//! Ten sick programs, and what the tools say of each. Who reads only that should be able to name the cause.
//!
//! To try that with a person, give them `target/tmp/sick_programs.txt`, which these tests write: the ten reports, without
//! the names of the programs.

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

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};
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

/// Keeps what a tool says of a program for a reader who has seen nothing else. The name of the program's file would give
/// it away, so the reader sees a number.
fn keep(program: u32, tool: &str, file: &str, text: &str) {
    static KEPT: Mutex<BTreeMap<u32, String>> = Mutex::new(BTreeMap::new());
    let file = Path::new(file).file_name().and_then(|name| name.to_str()).expect("a file's name");
    let mut text = text.replace(file, &format!("program_{program}.rs"));
    // In a native stack there is also the path of the test's function.
    let module = format!("sick_programs::{}::", file.trim_end_matches(".rs"));
    while let Some(at) = text.find(&module) {
        let rest = &text[at + module.len()..];
        let test = if rest.starts_with("see_") { rest.find("::").unwrap_or(0) } else { 0 };
        let name = if test > 0 { "main" } else { "" };
        text.replace_range(at..at + module.len() + test, &format!("program_{program}::{name}"));
    }
    text = text.replace("tests/tests/sick_programs/", "src/").replace("tests/sick_programs/", "src/");
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = format!("== Program {program}: {tool} ==\n\n{}\n\n", text.trim_end());
    kept.insert(program, entry);
    let all: String = kept.values().map(String::as_str).collect();
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("sick_programs.txt"), all).unwrap();
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
