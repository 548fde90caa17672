//! Where log lines go: all of them into a file, warnings and errors to the terminal, too.

use std::{
    fs::File,
    io::{self, Write},
    panic,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, OnceLock, PoisonError},
    time::SystemTime,
};

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::progress::Screen;

/// The program's logger. It is installed before the first run and lives as long as the program.
pub struct Logger {
    file: Mutex<Option<(File, LevelFilter)>>,
    screen: Mutex<Screen>,
}

fn logger() -> &'static Logger {
    static LOGGER: OnceLock<Logger> = OnceLock::new();
    LOGGER.get_or_init(|| Logger { file: Mutex::new(None), screen: Mutex::new(Screen::plain()) })
}

/// Installs the logger; warnings and errors go to the terminal from now on, panics of works into
/// the log.
pub fn install() {
    if log::set_logger(logger()).is_ok() {
        log::set_max_level(LevelFilter::Warn);
        panic::set_hook(Box::new(|info| log::error!("{info}")));
    }
}

/// Opens a log file for a run in `folder` and returns its path.
pub fn open_file(folder: &Path, level: LevelFilter) -> io::Result<PathBuf> {
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let time = time.trim_end_matches('Z').replace(':', "-");
    let path = folder.join(format!("log_{time}_{}.txt", process::id()));
    let file = File::create(&path)?;
    *lock(&logger().file) = Some((file, level));
    log::set_max_level(level.max(LevelFilter::Warn));
    Ok(path)
}

/// Has lines for the terminal printed by this screen, so that they do not tear a progress bar.
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
        if let Some((file, level)) = &mut *lock(&self.file)
            && record.level() <= *level
        {
            let time = humantime::format_rfc3339_millis(SystemTime::now());
            // A full disk must not end the run; the results' own errors will tell.
            let _ = writeln!(file, "{time} {:5} {}", record.level(), record.args());
        }
        if record.level() <= Level::Warn {
            let name = record.level().as_str().to_ascii_lowercase();
            lock(&self.screen).line(&format!("{name}: {}", record.args()));
        }
    }

    fn flush(&self) {}
}
