//! The observer that keeps the record of a run in its job's folder.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use log::{Level, LevelFilter};

use super::{
    folder::{ERRORS, JobFolder, LOCK, LOG, RESULTS},
    lock::STALE_AFTER,
    memory::resident_bytes,
};
use crate::{
    graph::{ItemError, Key},
    run::{Observer, Statistics},
};

/// Writes the results, errors and calls of a run into the folder of its job.
pub(crate) struct Record {
    folder: PathBuf,
    level: LevelFilter,
    results: Mutex<LineFile>,
    log: Mutex<LineFile>,
    /// When the lock was touched last.
    touched: Mutex<Instant>,
    /// The memory in use, MB, and when it was read.
    memory: Mutex<(u64, Option<Instant>)>,
}

/// Lines that come faster than this are written together.
const WRITE_PERIOD: Duration = Duration::from_millis(10);

/// The memory in use is read no more often than this.
const MEMORY_PERIOD: Duration = Duration::from_millis(50);

/// A file to which lines are added. A line that comes alone is written at once, in one write. Lines that come
/// fast are written together, so a killed process loses the last few of them.
struct LineFile {
    file: Option<File>,
    waiting: String,
    written: Instant,
}

impl LineFile {
    fn new(file: Option<File>) -> LineFile {
        LineFile { file, waiting: String::new(), written: Instant::now() }
    }

    fn add(&mut self, line: impl FnOnce(&mut String)) {
        if self.file.is_none() {
            return;
        }
        line(&mut self.waiting);
        self.waiting.push('\n');
        if self.written.elapsed() >= WRITE_PERIOD {
            self.write();
        }
    }

    fn write(&mut self) {
        if let Some(file) = self.file.as_mut().filter(|_| !self.waiting.is_empty()) {
            // A failure here, such as a full disk, must not end the run: results do not depend on the record.
            let _ = file.write_all(self.waiting.as_bytes());
            self.waiting.clear();
            self.written = Instant::now();
        }
    }
}

impl Drop for LineFile {
    fn drop(&mut self) {
        self.write();
    }
}

impl Record {
    pub fn new(job: &JobFolder, level: LevelFilter) -> Record {
        let open = |name: &str| {
            let file = job.append(name).map_err(|error| log::warn!("cannot write {name}: {error}"));
            Mutex::new(LineFile::new(file.ok()))
        };
        let log = if level >= LevelFilter::Error { open(LOG) } else { Mutex::new(LineFile::new(None)) };
        Record {
            folder: job.path().to_owned(),
            level,
            results: open(RESULTS),
            log,
            touched: Mutex::new(Instant::now()),
            memory: Mutex::default(),
        }
    }

    fn log(&self, level: Level, text: impl FnOnce(&mut String)) {
        if level <= self.level {
            lock(&self.log).add(|line| {
                let time = humantime::format_rfc3339_millis(SystemTime::now());
                let _ = write!(line, "{time} {level:5} ");
                text(line);
            });
        }
    }

    /// The memory in use, MB.
    fn memory(&self) -> u64 {
        let (memory, read) = &mut *lock(&self.memory);
        if read.is_none_or(|time| time.elapsed() > MEMORY_PERIOD) {
            *memory = resident_bytes().unwrap_or(0) / 1_000_000;
            *read = Some(Instant::now());
        }
        *memory
    }

    /// Touches the lock now and then: this shows other machines that the process is alive.
    fn touch(&self) {
        let mut touched = lock(&self.touched);
        if touched.elapsed() > STALE_AFTER / 10 {
            *touched = Instant::now();
            if let Ok(file) = File::options().append(true).open(self.folder.join(LOCK)) {
                let _ = file.set_modified(SystemTime::now());
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for Record {
    fn started(&self, work: &str, key: &Key) {
        self.log(Level::Debug, |line| {
            // Writing to a `String` cannot fail, here and below.
            let _ = write!(line, "`{key}`: {work} starts, {} MB in use", self.memory());
        });
    }

    fn finished(&self, work: &str, key: &Key, elapsed: Duration, error: Option<&ItemError>) {
        let how = if error.is_some() { "failed after" } else { "took" };
        self.log(Level::Info, |line| {
            let seconds = elapsed.as_secs_f64();
            let _ = write!(line, "`{key}`: {work} {how} {seconds:.3} s, {} MB in use", self.memory());
        });
    }

    fn failed(&self, error: &ItemError) {
        self.log(Level::Error, |line| line.push_str(&error.to_string()));
        if let Err(failure) = write_error(&self.folder.join(ERRORS), error) {
            log::warn!("cannot keep the error `{error}` in a file: {failure}");
        }
    }

    fn arrived(&self, key: &Key, error: Option<&ItemError>) {
        lock(&self.results).add(|line| {
            line.push_str(if error.is_some() { "failed\t" } else { "done\t" });
            // A key with a line break must not look like two keys.
            line.extend(key.as_str().chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }));
        });
        self.touch();
    }

    fn statistics(&self, _: &Statistics) {
        lock(&self.results).write();
        lock(&self.log).write();
        self.touch();
    }
}

/// Writes an error and its causes into a file.
fn write_error(folder: &Path, error: &ItemError) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let stem = format!("exception_{}_{}", safe_name(error.work()), safe_name(error.key().as_str()));
    let mut text = format!("work: {}\nitem: {}\n", error.work(), error.key());
    let kind = if error.is_panic() { "panic" } else { "error" };
    for (depth, cause) in error.causes().into_iter().enumerate() {
        let label = if depth == 0 { kind } else { "caused by" };
        text.push_str(&format!("{label}: {cause}\n"));
    }
    // Different keys may give the same file name.
    for again in 1.. {
        let name = if again == 1 { format!("{stem}.txt") } else { format!("{stem}_{again}.txt") };
        match File::create_new(folder.join(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            file => return file?.write_all(text.as_bytes()),
        }
    }
    Ok(())
}

/// A name that any file system accepts. Of a path, only the last part is kept.
fn safe_name(name: &str) -> String {
    let end = name.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(name);
    let safe = |c: char| if c.is_alphanumeric() || "-_.+".contains(c) { c } else { '_' };
    end.chars().map(safe).take(100).collect()
}
