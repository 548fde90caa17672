//! The log of the program: `env_logger`, twice. One logger writes to the terminal, by default warnings and errors; the
//! variable `RUST_LOG` filters it by module. The other one writes the log file of the run's job; `--log-level` and
//! `--log-filter` say what goes there.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    panic,
    path::Path,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::SystemTime,
};

use env_logger::{Builder, Target, WriteStyle, fmt::Formatter};
use log::{LevelFilter, Log, Metadata, Record};
use terzetto_executor::{Observer, job::LOG};

use crate::commands::run::progress::Screen;

/// The variable that filters what goes to the terminal.
const VARIABLE: &str = "RUST_LOG";

/// The logger of the program. It is installed before the first run.
struct Logger {
    terminal: env_logger::Logger,
    /// `None` until it is known what goes into the log file.
    file: Mutex<Option<env_logger::Logger>>,
    job: Mutex<JobLog>,
    screen: Mutex<Screen>,
}

/// The log file of a run's job, and the lines from before it was opened.
#[derive(Default)]
struct JobLog {
    open: Option<File>,
    before: Vec<u8>,
}

fn logger() -> &'static Logger {
    static LOGGER: OnceLock<Logger> = OnceLock::new();
    LOGGER.get_or_init(|| {
        let has_colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let style = if has_colours { WriteStyle::Always } else { WriteStyle::Never };
        let mut terminal = Builder::new();
        terminal.filter_level(LevelFilter::Warn).parse_env(VARIABLE).write_style(style);
        terminal.format(terminal_line).target(Target::Pipe(Box::new(ToScreen)));
        Logger {
            terminal: terminal.build(),
            file: Mutex::default(),
            job: Mutex::default(),
            screen: Mutex::new(Screen::plain()),
        }
    })
}

/// Installs the logger. From now on, warnings and errors go to the terminal. Panics of works go into the log.
pub fn install() {
    if log::set_logger(logger()).is_ok() {
        log::set_max_level(logger().terminal.filter());
        panic::set_hook(Box::new(|info| log::error!("{info}")));
    }
}

/// Sets what goes into the log file: a level, and filters by module in the words of `RUST_LOG`. Lines are kept for the
/// file from now on.
pub fn set_file_filter(level: LevelFilter, filters: Option<&str>) {
    let mut file = Builder::new();
    file.filter_level(level).write_style(WriteStyle::Never);
    if let Some(filters) = filters {
        file.parse_filters(filters);
    }
    let file = file.format(file_line).target(Target::Pipe(Box::new(ToFile))).build();
    log::set_max_level(file.filter().max(logger().terminal.filter()));
    *lock(&logger().file) = Some(file);
}

/// `warn: the text`
fn terminal_line(to: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let style = to.default_level_style(record.level());
    let name = record.level().as_str().to_ascii_lowercase();
    writeln!(to, "{style}{name}{style:#}: {}", record.args())
}

/// `2026-12-01T12:00:00.000Z INFO  the text`
fn file_line(to: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let time = humantime::format_rfc3339_millis(SystemTime::now());
    writeln!(to, "{time} {:5} {}", record.level(), record.args())
}

/// Writes lines above the progress bar.
struct ToScreen;

impl Write for ToScreen {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        lock(&logger().screen).line(String::from_utf8_lossy(line).trim_end());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes lines into the log file, or keeps them until it is opened.
struct ToFile;

impl Write for ToFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let job = &mut *lock(&logger().job);
        match &mut job.open {
            // A full disk must not end the run here. Results have errors of their own.
            Some(open) => drop(open.write_all(line)),
            None => job.before.extend_from_slice(line),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An observer that opens the log file when the job's folder has been made. Earlier lines are written into it, too.
pub struct JobLogObserver;

impl Observer for JobLogObserver {
    fn began(&self, job: Option<&Path>) {
        let log = &mut *lock(&logger().job);
        log.open = job.and_then(|job| OpenOptions::new().create(true).append(true).open(job.join(LOG)).ok());
        if let Some(open) = &mut log.open {
            let _ = open.write_all(&log.before);
        }
        log.before.clear();
    }
}

/// Sets the screen that prints lines for the terminal. It keeps them apart from the progress bar.
pub fn use_screen(screen: Screen) {
    *lock(&logger().screen) = screen;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let file = lock(&self.file);
        self.terminal.enabled(metadata) || file.as_ref().is_some_and(|file| file.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(file) = &*lock(&self.file) {
            file.log(record);
        }
        self.terminal.log(record);
    }

    fn flush(&self) {}
}
