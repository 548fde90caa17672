//! The folder of a job: what was run, whether it still runs, and what has come of it.
//!
//! ```text
//! RESULTS/job_2026-01-31T12-00-00_4711/
//!     params.toml       the parameters
//!     info.toml         topology, executor, workers, number of expected results, start
//!     is_running.lock   the process of the job, while it runs
//!     results.txt       a line for each item that has arrived, with its key
//!     errors/           exception_<work>_<key>.txt, a file for each call that has failed
//!     log.txt           a line for each call of a work, or for many quick ones
//!     works.toml        calls, times and waiting items of each work, once a second
//!     gantt.*           which work ran when, if it was asked for: a page, a picture, a trace
//!     time_end.txt      when and how the job has ended
//! ```

use std::{
    error::Error,
    fmt,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    process,
    time::{Duration, SystemTime},
};

use super::{
    lease::Lease,
    lock::{Holder, Lock},
    numbers,
    system_process::host,
};
use crate::results::{time_in, write_atomic};
use crate::{run::WorkStatistics, shard::Shard};

/// The start of the name of every job folder.
pub(super) const PREFIX: &str = "job_";
pub(super) const LOCK: &str = "is_running.lock";
pub(super) const RESULTS: &str = "results.txt";
pub(super) const ERRORS: &str = "errors";
pub(super) const INFO: &str = "info.toml";
/// The name of the log file in a job's folder.
pub const LOG: &str = "log.txt";
pub(super) const END: &str = "time_end.txt";
pub(super) const NUMBERS: &str = "works.toml";

/// What the folder of a job says about its run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobInfo {
    /// The topology's name.
    pub topology: String,
    /// The executor that runs it.
    pub executor: String,
    /// How many works of each kind run at once at most.
    pub max_workers: usize,
    /// How many items a queue holds at most.
    pub queue_limit: usize,
    /// How many items will arrive, if that is known.
    pub expected_results: Option<usize>,
    /// The part of the series, if it is not the whole.
    pub shard: Option<Shard>,
    /// How long the folder is taken, for other machines, if this one is not heard of any more.
    pub lease: Duration,
}

/// A process that uses a folder for results.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobHolder {
    /// The folder of its job.
    pub job: PathBuf,
    /// The number of the process.
    pub pid: u32,
    /// The name of its machine.
    pub host: String,
    /// Its task in a cluster, such as `slurm 4711_3`.
    pub task: Option<String>,
    /// If it is on another machine: how long the folder is taken if that machine is not heard of any more.
    pub free_after: Option<Duration>,
}

impl fmt::Display for JobHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on `{}`", self.pid, self.host)?;
        if let Some(task) = &self.task {
            write!(f, ", task {task}")?;
        }
        write!(f, ", job `{}`", self.job.display())
    }
}

/// The folder of a job cannot be made, or is lost.
#[derive(Debug)]
#[non_exhaustive]
pub enum JobError {
    /// Another process uses the folder for results.
    InUse(Box<JobHolder>),
    /// This process was not heard of for longer than its [lease](crate::Options::lease), and another process uses
    /// the folder now.
    TakenOver(Box<JobHolder>),
    /// The system's error, and the path.
    Io(PathBuf, io::Error),
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobError::InUse(holder) => {
                write!(f, "another run is at work in this folder: {holder}. Wait for it, or end it")?;
                match holder.free_after {
                    None => write!(f, " (kill {})", holder.pid),
                    Some(left) => write!(
                        f,
                        ". If that machine is down, the folder is free in {} s; if that run has ended, remove \
                         `{}`",
                        left.as_secs() + 1,
                        holder.job.join(LOCK).display()
                    ),
                }
            }
            JobError::TakenOver(holder) => write!(
                f,
                "this process was not heard of for too long, and another run has taken the folder: {holder}"
            ),
            JobError::Io(path, error) => write!(f, "cannot write `{}`: {error}", path.display()),
        }
    }
}

// The message already has the system's error.
impl Error for JobError {}

/// The folder of a running job. Its lock is renewed by a thread. Dropping the value removes the lock.
pub struct JobFolder {
    path: PathBuf,
    lease: Option<Lease>,
}

impl fmt::Debug for JobFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobFolder").field("path", &self.path).finish_non_exhaustive()
    }
}

impl JobFolder {
    /// Makes the folder of a job in the folder `results`, which must exist. `params` is written there
    /// unchanged; it should be TOML.
    ///
    /// # Errors
    ///
    /// - [`JobError::InUse`] if another process uses `results`. Two processes that compute different parts of a
    ///   series may share the folder. The lock of a process that has ended does not count, nor that of an earlier
    ///   attempt at the same task of a cluster, nor that of another machine that was not renewed for its lease.
    /// - [`JobError::Io`] if a file cannot be written.
    pub fn create(results: &Path, info: &JobInfo, params: &str) -> Result<JobFolder, JobError> {
        let path = make_folder(results)?;
        let mut job = JobFolder { path, lease: None };
        let lock = Lock::own(info.shard, info.lease);
        let file = job.path.join(LOCK);
        // The own lock is written first, and the others are read after that. So if two jobs begin together,
        // at least one of them sees the other.
        lock.write(&file).map_err(|error| JobError::Io(file.clone(), error))?;
        if let Some(holder) = other_job(results, &job.path, &lock) {
            drop(fs::remove_dir_all(&job.path));
            return Err(JobError::InUse(Box::new(holder)));
        }
        job.write("params.toml", params)?;
        job.write(INFO, &describe(info, results))?;
        let lease = Lease::start(results.to_owned(), job.path.clone(), file.clone(), lock);
        job.lease = Some(lease.map_err(|error| JobError::Io(file, error))?);
        Ok(job)
    }

    /// Sets the function that is called, in another thread, when another run has taken the folder for results.
    pub(crate) fn when_lost(&self, call: impl FnOnce() + Send + 'static) {
        if let Some(lease) = &self.lease {
            lease.when_lost(call);
        }
    }

    /// The error of a job whose folder for results another run has taken.
    pub(crate) fn take_lost(&self) -> Option<JobError> {
        self.lease.as_ref().and_then(Lease::take_lost)
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&self, name: &str, text: &str) -> Result<(), JobError> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|error| JobError::Io(path, error))
    }

    /// Opens a file of the job to append to it.
    pub(super) fn append(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.path.join(name))
    }

    /// Writes the last numbers of the works.
    pub(crate) fn write_numbers(&self, elapsed: Duration, works: &[WorkStatistics]) {
        if let Err(error) = numbers::write(&self.path, elapsed, works) {
            log::warn!("{error}");
        }
    }

    /// Writes when and how the job has ended, and removes the lock.
    pub fn finish(self, how: &str) {
        let text = format!("time_end = \"{}\"\nending = {how:?}\n", now());
        if let Err(error) = write_atomic(&self.path.join(END), text.as_bytes()) {
            log::warn!("{error}");
        }
    }
}

impl Drop for JobFolder {
    fn drop(&mut self) {
        // From here on nobody renews the lock.
        self.lease = None;
        // If the lock cannot be removed, others see that its process is dead.
        let _ = fs::remove_file(self.path.join(LOCK));
    }
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

fn make_folder(results: &Path) -> Result<PathBuf, JobError> {
    let time = now().trim_end_matches('Z').replace(':', "-");
    let name = format!("{PREFIX}{time}_{}", process::id());
    let mut path = results.join(&name);
    let mut again = 1;
    loop {
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            // This process has begun another job within the same second.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                again += 1;
                path = results.join(format!("{name}_{again}"));
            }
            Err(error) => return Err(JobError::Io(path, error)),
        }
    }
}

/// The process of another running job with which this one may not share the folder.
pub(super) fn other_job(results: &Path, own: &Path, own_lock: &Lock) -> Option<JobHolder> {
    let mut now = None;
    job_folders(results).into_iter().filter(|path| path != own).find_map(|job| {
        let file = job.join(LOCK);
        let lock = Lock::read(&file)?;
        if lock.is_compatible_with(own_lock) || lock.is_earlier_attempt_of(own_lock) {
            return None;
        }
        let now = *now.get_or_insert_with(|| time_of(results));
        let free_after = match lock.holder(&file, now) {
            Holder::Gone => return None,
            Holder::Running => None,
            Holder::Leased(left) => Some(left),
        };
        let Lock { pid, host, task, .. } = lock;
        Some(JobHolder { job, pid, host, task, free_after })
    })
}

/// The time of the file system of a folder. If no file can be made there, the time of this machine.
pub(super) fn time_of(folder: &Path) -> SystemTime {
    time_in(folder).unwrap_or_else(|_| SystemTime::now())
}

/// The folders of all jobs, in the order of their names, which begin with a time.
pub(super) fn job_folders(results: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(results).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn describe(info: &JobInfo, results: &Path) -> String {
    let JobInfo { topology, executor, max_workers, queue_limit, expected_results, shard, .. } = info;
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let mut text = format!(
        "topology = {topology:?}\nexecutor = {executor:?}\nprogram = \"terzetto {}\"\nprocess = {}\nhost = {:?}\n\
         nb_cpus = {cores}\nnb_max_workers = {max_workers}\nnb_items_queue_max = {queue_limit}\n\
         path_dir_result = {:?}\ntime_start = \"{}\"\n",
        env!("CARGO_PKG_VERSION"),
        process::id(),
        host(),
        results.display().to_string(),
        now()
    );
    if let Some(count) = expected_results {
        text.push_str(&format!("expected_results = {count}\n"));
    }
    if let Some(shard) = shard {
        text.push_str(&format!("shard = \"{shard}\"\n"));
    }
    text
}
