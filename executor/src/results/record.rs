//! Keeps the record of a run in its job's folder.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use log::{Level, LevelFilter};

use super::{
    job::{ERRORS, JobFolder, LOCK, LOG, RESULTS},
    lock::PATIENCE,
    memory::resident_bytes,
};
use crate::{
    executor::{Observer, Statistics},
    topology::{ItemError, Key},
};

/// Writes what happens in a run into the folder of its job: results, errors, calls.
pub(crate) struct Record {
    folder: PathBuf,
    level: LevelFilter,
    results: Mutex<Option<File>>,
    log: Mutex<Option<File>>,
    touched: Mutex<Instant>,
}

impl Record {
    pub fn new(job: &JobFolder, level: LevelFilter) -> Record {
        let open = |name: &str| {
            let file = job.append(name);
            // The results themselves do not depend on it: a full disk must not end the run here.
            Mutex::new(file.map_err(|error| log::warn!("cannot write {name}: {error}")).ok())
        };
        let log = if level >= LevelFilter::Error { open(LOG) } else { Mutex::new(None) };
        let folder = job.path().to_owned();
        Record { folder, level, results: open(RESULTS), log, touched: Mutex::new(Instant::now()) }
    }

    fn log(&self, level: Level, text: &str) {
        if level <= self.level {
            let time = humantime::format_rfc3339_millis(SystemTime::now());
            append(&self.log, &format!("{time} {level:5} {text}\n"));
        }
    }

    /// Shows other machines that this process is alive.
    fn touch(&self) {
        let mut touched = lock(&self.touched);
        if touched.elapsed() > PATIENCE / 10 {
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

/// One write for one line: lines of two threads do not mix, and a killed process leaves at most one
/// that is cut short.
fn append(file: &Mutex<Option<File>>, line: &str) {
    if let Some(file) = &mut *lock(file) {
        let _ = file.write_all(line.as_bytes());
    }
}

impl Observer for Record {
    fn started(&self, work: &str, key: &Key) {
        if self.level >= LevelFilter::Debug {
            let memory = resident_bytes().unwrap_or(0) / 1_000_000;
            self.log(Level::Debug, &format!("`{key}`: {work} starts, {memory} MB in use"));
        }
    }

    fn finished(&self, work: &str, key: &Key, elapsed: Duration, error: Option<&ItemError>) {
        let how = if error.is_some() { "failed after" } else { "took" };
        if self.level >= LevelFilter::Info {
            let memory = resident_bytes().unwrap_or(0) / 1_000_000;
            let seconds = elapsed.as_secs_f64();
            self.log(Level::Info, &format!("`{key}`: {work} {how} {seconds:.3} s, {memory} MB in use"));
        }
    }

    fn failed(&self, error: &ItemError) {
        self.log(Level::Error, &error.to_string());
        if let Err(failure) = write_error(&self.folder.join(ERRORS), error) {
            log::warn!("cannot keep the error `{error}` in a file: {failure}");
        }
    }

    fn arrived(&self, key: &Key, error: Option<&ItemError>) {
        let key = key.as_str().replace(['\n', '\r'], " ");
        let line = if error.is_some() { format!("failed\t{key}\n") } else { format!("done\t{key}\n") };
        append(&self.results, &line);
        self.touch();
    }

    fn statistics(&self, _: &Statistics) {
        self.touch();
    }
}

/// Writes an error with the chain of its causes into a file of its own.
fn write_error(folder: &Path, error: &ItemError) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let stem = format!("exception_{}_{}", plain(error.work()), plain(error.key().as_str()));
    let mut text = format!("work: {}\nitem: {}\n", error.work(), error.key());
    let kind = if error.is_panic() { "panic" } else { "error" };
    for (depth, cause) in error.causes().into_iter().enumerate() {
        let label = if depth == 0 { kind } else { "caused by" };
        text.push_str(&format!("{label}: {cause}\n"));
    }
    // Two keys may look alike once they are file names.
    for again in 1.. {
        let name = if again == 1 { format!("{stem}.txt") } else { format!("{stem}_{again}.txt") };
        match File::create_new(folder.join(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            file => return file?.write_all(text.as_bytes()),
        }
    }
    Ok(())
}

/// A name that any file system takes: of a path, its end.
fn plain(name: &str) -> String {
    let end = name.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(name);
    let safe = |c: char| if c.is_alphanumeric() || "-_.+".contains(c) { c } else { '_' };
    end.chars().map(safe).take(100).collect()
}
