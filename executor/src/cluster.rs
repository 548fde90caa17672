//! Tasks of a cluster: which part of a series this process computes, by the variables that a cluster sets.
//!
//! The scheduler of a cluster starts the same command many times, in one of two ways:
//!
//! - as an *array*: each task has an index, and may be started again alone;
//! - as *ranks*: processes that start together, and know how many they are.
//!
//! | started by | variables | tells the number of tasks |
//! |---|---|---|
//! | Slurm, `--array` | `SLURM_ARRAY_TASK_ID`, `_MIN`, `_MAX`, `_COUNT`, `_STEP` | yes |
//! | PBS, `-J`; Torque, `-t` | `PBS_ARRAY_INDEX`; `PBS_ARRAYID` | no |
//! | Grid Engine, `-t` | `SGE_TASK_ID`, `_FIRST`, `_LAST`, `_STEPSIZE` | yes |
//! | LSF, `-J "name[1-16]"` | `LSB_JOBINDEX`, `LSB_JOBINDEX_END`, `LSB_JOBINDEX_STEP` | if it begins at 1 |
//! | Kubernetes, an indexed Job | `JOB_COMPLETION_INDEX` | no; it counts from 0 |
//! | GNU parallel | `PARALLEL_SEQ`, which is read with [`Parts`] only | no |
//! | `srun -n` | `SLURM_PROCID`, `SLURM_STEP_NUM_TASKS` | yes |
//! | Open MPI, `mpirun -n` | `OMPI_COMM_WORLD_RANK`, `_SIZE` | yes |
//! | MPICH, Intel MPI and others with PMI | `PMI_RANK`, `PMI_SIZE` | yes |
//! | MVAPICH | `MV2_COMM_WORLD_RANK`, `_SIZE` | yes |
//!
//! An array that is submitted again in part (`--array=3,7`) tells another number than before. So the number can
//! be given alone, as [`Parts`]; and [`agree_on_parts`](crate::agree_on_parts) refuses what contradicts earlier
//! parts.

use std::{fmt, str::FromStr};

use crate::shard::{Shard, ShardError};

/// The task of a cluster that this process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterTask {
    /// What tells an array task from all others, and is the same when it is requeued.
    id: Option<String>,
    array: Option<ArrayTask>,
    rank: Option<Rank>,
}

/// A task of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ArrayTask {
    /// What started it.
    by: &'static str,
    index: usize,
    tasks: ArrayTasks,
}

/// What an array says of its tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ArrayTasks {
    Known(Parts),
    /// The number is not told.
    Unknown,
    /// The number is not told, but indices count from 0.
    FromZero,
    /// There are gaps between the indices.
    WithGaps,
    /// Not everybody who sets the variable means parts of one series.
    OnlyIfAsked,
}

/// A process of several that were started together.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rank {
    by: &'static str,
    rank: usize,
    size: usize,
}

impl ClusterTask {
    /// The task that this process is, by its environment.
    ///
    /// # Errors
    /// [`ShardError`] if a variable is missing or is no number.
    pub fn of_this_process() -> Result<Option<ClusterTask>, ShardError> {
        ClusterTask::detect(|name| std::env::var(name).ok())
    }

    /// The task that these variables describe. `None` if they describe none.
    ///
    /// ```
    /// use terzetto_executor::ClusterTask;
    ///
    /// let variables = [("SLURM_ARRAY_JOB_ID", "4711"), ("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_MIN", "1"),
    ///     ("SLURM_ARRAY_TASK_MAX", "16"), ("SLURM_ARRAY_TASK_COUNT", "16")];
    /// let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
    /// let task = ClusterTask::detect(value)?.expect("a task of an array");
    /// assert_eq!(task.id(), Some("slurm 4711_3"));
    /// assert_eq!(task.part(None)?.map(|part| part.to_string()).as_deref(), Some("3/16"));
    /// # Ok::<(), terzetto_executor::ShardError>(())
    /// ```
    ///
    /// # Errors
    /// [`ShardError`] if a variable is missing or is no number.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Result<Option<ClusterTask>, ShardError> {
        let variables = Variables(&variable);
        let array = variables.array()?;
        let rank = variables.rank()?;
        let id = variables.id();
        let found = id.is_some() || array.is_some() || rank.is_some();
        Ok(found.then_some(ClusterTask { id, array, rank }))
    }

    /// The name of the task in its cluster, such as `slurm 4711_3`. It is the same when the task is requeued. `None`
    /// if the cluster does not tell it.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The part of a series that this task computes. `None` means the whole series. `parts` are all tasks, if
    /// somebody has said which there are; without that, the cluster must tell it. If a task of an array has
    /// several processes, they share its part.
    ///
    /// # Errors
    /// [`ShardError`] if the index does not belong to the tasks, if the tasks have gaps and `parts` is not given,
    /// or if `parts` is another number than that of the processes.
    pub fn part(&self, parts: Option<Parts>) -> Result<Option<Shard>, ShardError> {
        if parts.is_some_and(|parts| parts.count() == 1) {
            return Ok(None);
        }
        let of_array = match &self.array {
            Some(array) => array.part(parts)?,
            None => None,
        };
        let Some(Rank { by, rank, size }) = self.rank else { return Ok(of_array) };
        let of_rank = Shard::new(rank + 1, size)?;
        match (of_array, parts) {
            (Some(part), _) => {
                let index = (part.index() - 1) * size + of_rank.index();
                Shard::new(index, part.count() * size).map(Some)
            }
            (None, Some(parts)) if parts.count() != size => Err(ShardError::new(format!(
                "{by} has started {size} processes, and {} parts were asked for",
                parts.count()
            ))),
            (None, _) => Ok((size > 1).then_some(of_rank)),
        }
    }

    /// A sentence for people, if this is a task of an array that does not tell its number, so that
    /// [`part`](ClusterTask::part) without `parts` takes the whole series.
    pub fn unknown_number(&self) -> Option<String> {
        let array = self.array.as_ref()?;
        let unknown = matches!(array.tasks, ArrayTasks::Unknown | ArrayTasks::FromZero);
        unknown.then(|| {
            format!(
                "this is task {} of {}, which does not tell how many tasks there are",
                array.index, array.by
            )
        })
    }
}

impl ArrayTask {
    fn part(&self, parts: Option<Parts>) -> Result<Option<Shard>, ShardError> {
        let ArrayTask { by, index, tasks } = self;
        let parts = match (parts, tasks) {
            // Where indices are known to count from 0, so do parts whose number was given.
            (Some(parts), ArrayTasks::FromZero) if parts == Parts::count_from_one(parts.count()) => {
                Parts { first: 0, last: parts.count() - 1, step: 1 }
            }
            (Some(parts), _) => parts,
            (None, ArrayTasks::Known(parts)) => *parts,
            (None, ArrayTasks::WithGaps) => {
                let text =
                    format!("the tasks of {by} have gaps, so that nothing tells how many parts there are");
                return Err(ShardError::new(format!("{text}: give the number of parts (--parts)")));
            }
            (None, _) => return Ok(None),
        };
        let place = parts.place_of(*index).ok_or_else(|| {
            ShardError::new(format!(
                "task {index} of {by} is not among the tasks {parts}: say which there are, as in --array (--parts 0-15)"
            ))
        })?;
        Shard::new(place + 1, parts.count()).map(Some)
    }
}

/// The variables of a process.
struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    fn text(&self, name: &str) -> Option<String> {
        // Grid Engine sets variables that mean nothing to `undefined`.
        (self.0)(name).filter(|text| !text.trim().is_empty() && text != "undefined")
    }

    fn number(&self, name: &str) -> Result<Option<usize>, ShardError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ShardError::new(format!("{name} is `{text}`, not a number"))),
        }
    }

    /// A number that must be there, because `beside` is.
    fn wanted(&self, name: &str, beside: &str) -> Result<usize, ShardError> {
        let missing = || ShardError::new(format!("{beside} is set, but {name} is not"));
        self.number(name)?.ok_or_else(missing)
    }

    fn array(&self) -> Result<Option<ArrayTask>, ShardError> {
        let task = |by, index, tasks| Ok(Some(ArrayTask { by, index, tasks }));
        let slurm = "SLURM_ARRAY_TASK_ID";
        if let Some(index) = self.number(slurm)? {
            let first = self.wanted("SLURM_ARRAY_TASK_MIN", slurm)?;
            let count = self.wanted("SLURM_ARRAY_TASK_COUNT", slurm)?;
            let step = self.number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            let last = self.number("SLURM_ARRAY_TASK_MAX")?.unwrap_or(first + step * count.saturating_sub(1));
            let parts = Parts::new(first, last, step)?;
            let whole = parts.count() == count && parts.place_of(index).is_some();
            let tasks = if whole { ArrayTasks::Known(parts) } else { ArrayTasks::WithGaps };
            return task("a Slurm array", index, tasks);
        }
        for (by, name) in [("a PBS array", "PBS_ARRAY_INDEX"), ("a Torque array", "PBS_ARRAYID")] {
            if let Some(index) = self.number(name)? {
                return task(by, index, ArrayTasks::Unknown);
            }
        }
        if let Some(index) = self.number("SGE_TASK_ID")? {
            let first = self.number("SGE_TASK_FIRST")?;
            let last = self.number("SGE_TASK_LAST")?;
            let step = self.number("SGE_TASK_STEPSIZE")?.unwrap_or(1).max(1);
            let tasks = match (first, last) {
                (Some(first), Some(last)) => ArrayTasks::Known(Parts::new(first, last, step)?),
                _ => ArrayTasks::Unknown,
            };
            return task("a Grid Engine array", index, tasks);
        }
        // A job of LSF that is no array has index 0.
        if let Some(index) = self.number("LSB_JOBINDEX")?.filter(|index| *index > 0) {
            let step = self.number("LSB_JOBINDEX_STEP")?.unwrap_or(1).max(1);
            let tasks = match self.number("LSB_JOBINDEX_END")? {
                Some(last) => ArrayTasks::Known(Parts::new(1, last, step)?),
                None => ArrayTasks::Unknown,
            };
            return task("an LSF array", index, tasks);
        }
        if let Some(index) = self.number("JOB_COMPLETION_INDEX")? {
            return task("a Kubernetes Job", index, ArrayTasks::FromZero);
        }
        if let Some(index) = self.number("PARALLEL_SEQ")? {
            return task("GNU parallel", index, ArrayTasks::OnlyIfAsked);
        }
        Ok(None)
    }

    fn rank(&self) -> Result<Option<Rank>, ShardError> {
        // A batch script of Slurm has `SLURM_PROCID` and `SLURM_NTASKS`, too, but is one process. Only steps, which
        // `srun` starts, have the number of their tasks.
        let known = [
            ("srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
            ("mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
            ("mpirun", "PMI_SIZE", "PMI_RANK"),
            ("mpirun", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),
        ];
        for (by, size_name, rank_name) in known {
            if let Some(size) = self.number(size_name)? {
                let rank = self.wanted(rank_name, size_name)?;
                // `srun` with one task may start `mpirun`.
                if size > 1 {
                    return Ok(Some(Rank { by, rank, size }));
                }
            }
        }
        Ok(None)
    }

    fn id(&self) -> Option<String> {
        let mut id = if let Some(job) = self.text("SLURM_ARRAY_JOB_ID") {
            format!("slurm {job}_{}", self.text("SLURM_ARRAY_TASK_ID")?)
        } else if let Some(job) = self.text("SLURM_JOB_ID") {
            format!("slurm {job}")
        } else if let Some(job) = self.text("PBS_JOBID") {
            format!("pbs {job}")
        } else if let Some(job) = self.text("LSB_JOBID") {
            format!("lsf {job}[{}]", self.text("LSB_JOBINDEX").unwrap_or_default())
        } else if let (Some(job), Some(_)) = (self.text("JOB_ID"), self.text("SGE_ROOT")) {
            format!("sge {job}.{}", self.text("SGE_TASK_ID").unwrap_or_default())
        } else {
            // The name of a pod of an indexed Job is that of the Job, with the index and a random end. Its host name
            // has no such end, and is the same for the next pod of this index.
            self.text("JOB_COMPLETION_INDEX")?;
            format!("kubernetes {}", self.text("HOSTNAME")?)
        };
        for name in
            ["SLURM_STEP_ID", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK"]
        {
            let in_step = name != "SLURM_PROCID" || self.text("SLURM_STEP_ID").is_some();
            if let Some(number) = self.text(name).filter(|_| in_step) {
                id.push('.');
                id.push_str(&number);
            }
        }
        Some(id)
    }
}

/// The tasks among which a series is split, as one writes them for a job array: `16` or `1-16`, `0-15`, `0-150:10`.
///
/// ```
/// use terzetto_executor::Parts;
///
/// let parts: Parts = "0-15".parse()?;
/// assert_eq!((parts.count(), parts.place_of(3)), (16, Some(3)));
/// assert_eq!("16".parse::<Parts>()?.place_of(16), Some(15));
/// assert!("0".parse::<Parts>().is_err());
/// # Ok::<(), terzetto_executor::ShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    first: usize,
    last: usize,
    step: usize,
}

impl Parts {
    fn new(first: usize, last: usize, step: usize) -> Result<Parts, ShardError> {
        if first > last || step == 0 {
            return Err(ShardError::new(format!("there are no tasks {first}-{last}:{step}")));
        }
        Ok(Parts { first, last: last - (last - first) % step, step })
    }

    fn count_from_one(count: usize) -> Parts {
        Parts { first: 1, last: count, step: 1 }
    }

    /// How many tasks there are.
    pub fn count(self) -> usize {
        (self.last - self.first) / self.step + 1
    }

    /// The place of a task among all, from 0. `None` if there is no such task.
    pub fn place_of(self, index: usize) -> Option<usize> {
        let is_task =
            (self.first..=self.last).contains(&index) && (index - self.first).is_multiple_of(self.step);
        is_task.then(|| (index - self.first) / self.step)
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)?;
        if self.step > 1 { write!(f, ":{}", self.step) } else { Ok(()) }
    }
}

impl FromStr for Parts {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Parts, ShardError> {
        let wrong = || {
            ShardError::new(format!("`{text}` must be a number of parts, or tasks such as 0-15 or 0-150:10"))
        };
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wrong());
        let (range, step) = text.split_once(':').unwrap_or((text, "1"));
        let (first, last) = range.split_once('-').unwrap_or(("1", range));
        Parts::new(number(first)?, number(last)?, number(step)?).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests;
