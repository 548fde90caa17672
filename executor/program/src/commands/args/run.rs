//! Options about the run and about results.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use terzetto_executor::{ClusterTask, Parts, Shard, ShardError, results::Saving};

use super::at_least_one;

/// How the work is run.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// How many computing works run at once, and apart from them how many reading and writing ones
    /// [default: two more than cores below 16 cores, else cores]
    #[arg(short = 'j', long, value_name = "N", value_parser = at_least_one)]
    pub workers: Option<usize>,
    /// How many items may wait between two works; bounds memory [default: 4 × workers, at least 8]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub queue_max: Option<usize>,
    /// End the run at the first item that fails
    #[arg(long)]
    pub stop_if_error: bool,
    /// Give up after so many errors: what runs is finished, nothing new is started. With --executor multi, each
    /// process counts its own. A few errors are enough if nothing can be written, as on a full disk [default: no
    /// limit]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub max_errors: Option<usize>,
    /// Draw no progress bar and print no progress
    #[arg(short, long)]
    pub quiet: bool,
    /// What runs the works
    #[arg(long, value_enum, default_value_t = ExecutorChoice::Async)]
    pub executor: ExecutorChoice,
    /// How many processes `--executor multi` starts [default: one for each core]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub processes: Option<usize>,
    /// With --executor multi, how long an interrupted process may take to end. After that it is terminated, and after
    /// the same time again it is killed
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = parse_seconds)]
    pub grace: Duration,
    /// How much there is of what works use. Only `terzetto topology` has an option for it.
    #[arg(skip)]
    pub resources: Vec<(String, u64)>,
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "must be a number of seconds, not negative".to_owned())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExecutorChoice {
    /// async loops, works in threads
    Async,
    /// async loops, no threads
    AsyncSequential,
    /// one item after the other
    Sequential,
    /// several processes, each async
    Multi,
}

/// What is kept of runs.
#[derive(Clone, Debug, Args)]
pub struct ResultArgs {
    /// What to do with results that exist
    #[arg(long, value_name = "MODE", value_enum, default_value_t = SavingChoice::Ask)]
    pub saving: SavingChoice,
    /// The same as --saving complete, to go on after an interruption. A result is done if its files are whole and
    /// were made of the same images, with the same parameters, by the same version of the program
    #[arg(long, conflicts_with = "saving")]
    pub complete: bool,
    /// With --saving complete, what to do if there are results that were made otherwise: of images that have changed
    /// since, with other parameters, by another rule for couples or another version
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = IfChanged::Refuse)]
    pub if_changed: IfChanged,
    /// Compute and write nothing. List what would be computed, and why
    #[arg(long)]
    pub dry_run: bool,
    /// What was written before this moment, in nanoseconds since 1970, is not done: for a process that takes over
    /// from one that computed everything again
    #[arg(long, value_name = "NANOSECONDS", hide = true)]
    pub done_since: Option<u64>,
    /// Compute only this part of the series, such as 1/4 of it; parts may share a folder for results. A task of a
    /// cluster takes its part by itself: in job arrays of Slurm, PBS, Grid Engine and LSF, in indexed Jobs of
    /// Kubernetes, under srun and mpirun [default: all]
    #[arg(long, value_name = "I/N", conflicts_with = "parts")]
    pub shard: Option<Shard>,
    /// The tasks of the job array among which the series is split, such as 16 (for 1-16) or 0-15. It is needed where
    /// the cluster does not tell it, and where only some tasks are submitted again. 1 means the whole series
    #[arg(long, value_name = "TASKS")]
    pub parts: Option<Parts>,
    /// How long the folder for results stays taken, for other machines, when nothing is heard of this process any
    /// more
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse_seconds)]
    pub lease: Duration,
    /// Write a Gantt chart of the run into the job's folder at its end: which work ran when, on which item, and how
    /// full the queues were. gantt.html is for people, gantt.json for https://ui.perfetto.dev. It costs less than a
    /// microsecond a call
    #[arg(long)]
    pub gantt: bool,
    /// How much the log file tells
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Info, env = "TERZETTO_LOG")]
    pub log_level: LogLevel,
    /// How much single modules tell the log file, such as `terzetto_executor=debug,terzetto=off`. Lines about items go
    /// by --log-level alone. The variable RUST_LOG, in the same words, says what goes to the terminal [default there:
    /// warn]
    #[arg(long, value_name = "FILTERS")]
    pub log_filter: Option<String>,
}

impl ResultArgs {
    /// What to do with results that exist.
    pub fn saving(&self) -> Saving {
        if self.complete { Saving::Complete } else { self.saving.into() }
    }

    /// The moment before which nothing that was written counts as done.
    pub fn done_since(&self) -> Option<SystemTime> {
        self.done_since.and_then(|since| UNIX_EPOCH.checked_add(Duration::from_nanos(since)))
    }

    /// The part of the series to compute, if it is not the whole.
    pub fn shard(&self) -> Result<Option<Shard>, ShardError> {
        if self.shard.is_some() {
            return Ok(self.shard);
        }
        // A process of `--executor multi` is told its part, and is no task of a cluster itself.
        let task = ClusterTask::of_this_process()?;
        let shard = task.as_ref().map_or(Ok(None), |task| task.part(self.parts))?;
        if shard.is_none() && self.parts.is_some_and(|parts| parts.count() > 1) {
            return Err(ShardError::new(
                "with --parts, a variable of a cluster must tell which part this is; \
                else say --shard 3/16",
            ));
        }
        Ok(shard)
    }

    /// A warning if the series is not split, although this is a task of an array.
    pub fn unsplit_warning(&self) -> Option<String> {
        if self.shard.is_some() || self.parts.is_some() {
            return None;
        }
        let says = ClusterTask::of_this_process().ok()??.unknown_number()?;
        Some(format!(
            "{says}: it takes the whole series. Say --parts 16 if there are 16 tasks, or --parts 1 if that is meant"
        ))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IfChanged {
    /// compute nothing, and say what differs
    Refuse,
    /// compute them again
    Recompute,
    /// keep them as they are, and say so
    Keep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SavingChoice {
    /// ask, if the folder is not empty
    Ask,
    /// make a new folder, with a number
    NewDir,
    /// compute what is missing or not whole
    Complete,
    /// compute everything again
    Recompute,
}

impl From<SavingChoice> for Saving {
    fn from(choice: SavingChoice) -> Saving {
        match choice {
            SavingChoice::Ask => Saving::Ask,
            SavingChoice::NewDir => Saving::NewDir,
            SavingChoice::Complete => Saving::Complete,
            SavingChoice::Recompute => Saving::Recompute,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<LogLevel> for log::LevelFilter {
    fn from(level: LogLevel) -> log::LevelFilter {
        match level {
            LogLevel::Off => log::LevelFilter::Off,
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
            LogLevel::Trace => log::LevelFilter::Trace,
        }
    }
}
