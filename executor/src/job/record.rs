//! The observer that keeps the record of a run in its job's folder.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use log::{Level, LevelFilter};

use super::{
    folder::{ERRORS, JobFolder, LOG, RESULTS},
    memory::resident_bytes,
    numbers,
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
    /// How many errors may still have files of their own.
    error_files: AtomicUsize,
    quick_calls: Mutex<QuickCalls>,
    start: Instant,
    numbers_written: Mutex<Instant>,
    /// The memory in use, MB, and when it was read.
    memory: Mutex<(u64, Option<Instant>)>,
}

/// Lines that come faster than this are written together.
const WRITE_PERIOD: Duration = Duration::from_millis(10);

/// The memory in use is read no more often than this.
const MEMORY_PERIOD: Duration = Duration::from_millis(50);

/// How often the numbers of the works are written.
const NUMBERS_PERIOD: Duration = Duration::from_secs(1);

/// A call that takes less is quick. A line for each quick call would cost more than the call.
const QUICK: Duration = Duration::from_millis(1);

/// So many quick calls of each work have lines of their own, so that a short log is whole.
const FIRST_CALLS: usize = 100;

/// How often quick calls are summed up in the log.
const QUICK_PERIOD: Duration = Duration::from_secs(1);

/// Quick calls that are summed up in the log.
#[derive(Default)]
struct QuickCalls {
    works: Vec<QuickWork>,
    written: Option<Instant>,
}

struct QuickWork {
    name: String,
    ever: usize,
    count: usize,
    time: Duration,
}

impl QuickCalls {
    /// Counts a quick call. Returns false if it is one of the first, which have lines of their own.
    fn count(&mut self, work: &str, elapsed: Duration) -> bool {
        let at = self.works.iter().position(|known| known.name == work).unwrap_or_else(|| {
            self.works.push(QuickWork { name: work.to_owned(), ever: 0, count: 0, time: Duration::ZERO });
            self.works.len() - 1
        });
        let work = &mut self.works[at];
        work.ever += 1;
        if work.ever <= FIRST_CALLS {
            return false;
        }
        work.count += 1;
        work.time += elapsed;
        true
    }

    /// Takes the sums, if it is time: work, number, time.
    fn take(&mut self, last: bool) -> Vec<(String, usize, Duration)> {
        let now = Instant::now();
        let written = *self.written.get_or_insert(now);
        if !last && now - written < QUICK_PERIOD {
            return Vec::new();
        }
        self.written = Some(now);
        let counted = self.works.iter_mut().filter(|work| work.count > 0);
        counted
            .map(|work| (work.name.clone(), std::mem::take(&mut work.count), std::mem::take(&mut work.time)))
            .collect()
    }
}

/// A file to which lines are added. A line that comes alone is written at once, in one write. Lines that come
/// fast are written together, so a killed process loses the last few of them.
struct LineFile {
    name: &'static str,
    file: Option<File>,
    waiting: String,
    written: Instant,
    /// Has a write failed, and was that said?
    failed: bool,
}

/// If a file cannot be written, so many bytes wait at most until it can.
const MAX_WAITING: usize = 1 << 20;

impl LineFile {
    fn new(name: &'static str, file: Option<File>) -> LineFile {
        LineFile { name, file, waiting: String::new(), written: Instant::now(), failed: false }
    }

    fn add(&mut self, line: impl FnOnce(&mut String)) {
        if self.file.is_none() || self.waiting.len() > MAX_WAITING {
            return;
        }
        line(&mut self.waiting);
        self.waiting.push('\n');
        if self.written.elapsed() >= WRITE_PERIOD {
            self.write();
        }
    }

    /// Writes what waits. A failure, such as a full disk, does not end the run: results do not depend on the
    /// record, and have errors of their own. It is said once, and what waits is written later.
    fn write(&mut self) {
        let Some(file) = self.file.as_mut().filter(|_| !self.waiting.is_empty()) else { return };
        self.written = Instant::now();
        let mut bytes = self.waiting.as_bytes();
        let failure = loop {
            match file.write(bytes) {
                Ok(0) => break Some(ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Some(error),
            }
            if bytes.is_empty() {
                break None;
            }
        };
        self.waiting = String::from_utf8_lossy(bytes).into_owned();
        if let Some(error) = failure.filter(|_| !std::mem::replace(&mut self.failed, true)) {
            log::warn!("cannot write {} of the job: {error}; it is tried again", self.name);
        }
    }
}

impl Drop for LineFile {
    fn drop(&mut self) {
        self.write();
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.write_quick_calls(true);
    }
}

impl Record {
    pub fn new(job: &JobFolder, level: LevelFilter, errors_kept: usize) -> Record {
        let open = |name: &'static str| {
            let file = job.append(name).map_err(|error| log::warn!("cannot write {name}: {error}"));
            Mutex::new(LineFile::new(name, file.ok()))
        };
        let log = if level >= LevelFilter::Error { open(LOG) } else { Mutex::new(LineFile::new(LOG, None)) };
        Record {
            folder: job.path().to_owned(),
            level,
            results: open(RESULTS),
            log,
            error_files: AtomicUsize::new(errors_kept),
            quick_calls: Mutex::default(),
            start: Instant::now(),
            numbers_written: Mutex::new(Instant::now()),
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

    /// Writes the numbers of the works, if it is time.
    fn write_numbers(&self, statistics: &Statistics) {
        let mut written = lock(&self.numbers_written);
        if written.elapsed() < NUMBERS_PERIOD {
            return;
        }
        *written = Instant::now();
        if let Err(error) = numbers::write(&self.folder, self.start.elapsed(), &statistics.works) {
            log::debug!("{error}");
        }
    }

    /// Writes a line for the quick calls of each work, if it is time, or if this is the `last` time.
    fn write_quick_calls(&self, last: bool) {
        let calls = lock(&self.quick_calls).take(last);
        for (work, count, time) in calls {
            self.log(Level::Info, |line| {
                let mean = time.as_secs_f64() / count as f64;
                let _ = write!(line, "{work}: {count} quick calls, {:.1} µs on average", mean * 1e6);
            });
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
        if error.is_none()
            && self.level == LevelFilter::Info
            && elapsed < QUICK
            && lock(&self.quick_calls).count(work, elapsed)
        {
            return;
        }
        let how = if error.is_some() { "failed after" } else { "took" };
        self.log(Level::Info, |line| {
            let seconds = elapsed.as_secs_f64();
            let _ = write!(line, "`{key}`: {work} {how} {seconds:.3} s, {} MB in use", self.memory());
        });
    }

    fn failed(&self, error: &ItemError) {
        self.log(Level::Error, |line| line.push_str(&error.to_string()));
        let left = self.error_files.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        match left {
            Ok(1) => log::warn!("further errors have no files of their own; the log has all"),
            Ok(_) => {}
            Err(_) => return,
        }
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
    }

    fn statistics(&self, statistics: &Statistics) {
        self.write_quick_calls(false);
        self.write_numbers(statistics);
        lock(&self.results).write();
        lock(&self.log).write();
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
