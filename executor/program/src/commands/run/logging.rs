//! The log of the program. All lines go into the log file of the run's job. Warnings and errors also go to the
//! terminal.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    panic,
    path::Path,
    sync::{Mutex, OnceLock, PoisonError},
    time::SystemTime,
};

use log::{Level, LevelFilter, Log, Metadata, Record};
use terzetto_executor::{Observer, job::LOG};

use crate::commands::run::progress::Screen;

/// The logger of the program. It is installed before the first run.
pub struct Logger {
    file: Mutex<LogFile>,
    screen: Mutex<Screen>,
}

/// The log file of a run's job, and the lines from before it was opened.
struct LogFile {
    open: Option<File>,
    before: String,
    level: LevelFilter,
}

fn logger() -> &'static Logger {
    static LOGGER: OnceLock<Logger> = OnceLock::new();
    LOGGER.get_or_init(|| Logger {
        file: Mutex::new(LogFile { open: None, before: String::new(), level: LevelFilter::Off }),
        screen: Mutex::new(Screen::plain()),
    })
}

/// Installs the logger. From now on, warnings and errors go to the terminal. Panics of works go into the log.
pub fn install() {
    if log::set_logger(logger()).is_ok() {
        log::set_max_level(LevelFilter::Warn);
        panic::set_hook(Box::new(|info| log::error!("{info}")));
    }
}

/// Sets the level of the log file. Lines up to this level are kept for it from now on.
pub fn set_file_level(level: LevelFilter) {
    lock(&logger().file).level = level;
    log::set_max_level(level.max(LevelFilter::Warn));
}

/// An observer that opens the log file when the job's folder has been made. Earlier lines are written into it, too.
pub struct JobLogObserver;

impl Observer for JobLogObserver {
    fn began(&self, job: Option<&Path>) {
        let file = &mut *lock(&logger().file);
        file.open = job.and_then(|job| OpenOptions::new().create(true).append(true).open(job.join(LOG)).ok());
        if let Some(open) = &mut file.open {
            // A full disk must not end the run here. Results have errors of their own.
            let _ = open.write_all(file.before.as_bytes());
        }
        file.before.clear();
    }
}

/// Sets the screen that prints lines for the terminal. It keeps them apart from the progress bar.
pub fn use_screen(screen: Screen) {
    *lock(&logger().screen) = screen;
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut file = lock(&self.file);
        if record.level() <= file.level {
            let time = humantime::format_rfc3339_millis(SystemTime::now());
            let line = format!("{time} {:5} {}\n", record.level(), record.args());
            match &mut file.open {
                Some(open) => drop(open.write_all(line.as_bytes())),
                None => file.before.push_str(&line),
            }
        }
        drop(file);
        if record.level() <= Level::Warn {
            let name = record.level().as_str().to_ascii_lowercase();
            lock(&self.screen).line(&format!("{name}: {}", record.args()));
        }
    }

    fn flush(&self) {}
}
