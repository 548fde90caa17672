//! Problems of a topology.

use std::{error::Error, fmt};

/// A topology that cannot run, and all its problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTopology {
    /// The topology's name.
    pub topology: String,
    /// The problems, at least one.
    pub problems: Vec<Problem>,
}

/// One problem of a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// There is no work at all.
    NoWork,
    /// Two works have the same name.
    DuplicateWork(String),
    /// Two queues have the same name.
    DuplicateQueue(String),
    /// A work uses a queue that another topology made.
    UnknownQueue {
        /// The work's name.
        work: String,
    },
    /// No work puts anything into the queue.
    NobodyFills {
        /// The queue's name.
        queue: String,
    },
    /// No work takes anything from the queue. It would fill and stop the run.
    NobodyEmpties {
        /// The queue's name.
        queue: String,
    },
    /// Several works take from one queue. An item would go to whichever work comes first.
    SeveralConsumers {
        /// The queue's name.
        queue: String,
        /// The works' names.
        works: Vec<String>,
    },
    /// A work names one queue twice among its inputs, or twice among its outputs.
    QueueTwice {
        /// The work's name.
        work: String,
        /// The queue's name.
        queue: String,
    },
    /// Several works fill a queue whose items are joined with others by key. The same key could come from each
    /// of them.
    SeveralWriters {
        /// The queue's name.
        queue: String,
        /// The works' names.
        works: Vec<String>,
    },
    /// Several works fill one queue with items that another work has split before. The same keys would meet.
    KeysMeet {
        /// The queue's name.
        queue: String,
        /// The works' names.
        works: Vec<String>,
        /// The work that splits items.
        split_by: String,
    },
    /// A work takes from a queue of results.
    ResultsConsumed {
        /// The queue's name.
        queue: String,
        /// The work's name.
        work: String,
    },
    /// A one-shot work reads a queue that another kind of work fills. That work runs after all one-shot works.
    OneShotTooEarly {
        /// The one-shot work's name.
        work: String,
        /// The queue between them.
        queue: String,
        /// The work that fills the queue.
        filled_by: String,
    },
    /// The groups of a join are filled by a work that is not one-shot.
    GroupsTooLate {
        /// The join's name.
        join: String,
        /// The queue of groups.
        queue: String,
        /// The work that fills the queue.
        filled_by: String,
    },
    /// A work is async, and the executor has no loop. [`ExecutorAsync`](crate::ExecutorAsync) has one.
    NeedsLoop {
        /// The work's name.
        work: String,
    },
    /// A work uses a resource that the options of the run do not have.
    UnknownResource {
        /// The work's name.
        work: String,
        /// The resource's name.
        resource: String,
    },
    /// A call of a work uses more of a resource than there is.
    TooLittle {
        /// The work's name.
        work: String,
        /// The resource's name.
        resource: String,
        /// How much a call uses.
        wanted: u64,
        /// How much there is.
        available: u64,
    },
    /// Works feed each other in a circle.
    Cycle {
        /// The works' names, in the direction of flow.
        works: Vec<String>,
    },
}

impl Error for InvalidTopology {}

impl fmt::Display for InvalidTopology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "topology `{}` cannot run: ", self.topology)?;
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NoWork => f.write_str("it has no work"),
            Problem::DuplicateWork(name) => write!(f, "two works are named `{name}`"),
            Problem::DuplicateQueue(name) => write!(f, "two queues are named `{name}`"),
            Problem::UnknownQueue { work } => {
                write!(f, "work `{work}` uses a queue of another topology")
            }
            Problem::NobodyFills { queue } => write!(f, "no work fills queue `{queue}`"),
            Problem::NobodyEmpties { queue } => write!(
                f,
                "no work takes from queue `{queue}` (make it with `results` if its items are to be kept)"
            ),
            Problem::SeveralConsumers { queue, works } => {
                write!(f, "several works take from queue `{queue}`: {}", list(works))
            }
            Problem::QueueTwice { work, queue } => write!(f, "work `{work}` names queue `{queue}` twice"),
            Problem::SeveralWriters { queue, works } => write!(
                f,
                "queue `{queue}` is joined with others by key, so that one work must fill it, and not several: {}",
                list(works)
            ),
            Problem::KeysMeet { queue, works, split_by } => write!(
                f,
                "the items that `{split_by}` splits meet again in queue `{queue}` under the same keys, filled by {}",
                list(works)
            ),
            Problem::ResultsConsumed { queue, work } => {
                write!(f, "work `{work}` takes from `{queue}`, which keeps results")
            }
            Problem::OneShotTooEarly { work, queue, filled_by } => write!(
                f,
                "one-shot work `{work}` reads queue `{queue}`, but `{filled_by}` fills it only after all one-shot works have run"
            ),
            Problem::GroupsTooLate { join, queue, filled_by } => write!(
                f,
                "join `{join}` needs all groups of queue `{queue}` at the start, but `{filled_by}`, which fills it, is not one-shot"
            ),
            Problem::NeedsLoop { work } => {
                write!(f, "task `{work}` is async, and this executor has no loop; `ExecutorAsync` has one")
            }
            Problem::UnknownResource { work, resource } => write!(
                f,
                "work `{work}` uses `{resource}`, but the options name no such resource (`Options::resource`)"
            ),
            Problem::TooLittle { work, resource, wanted, available } => write!(
                f,
                "a call of work `{work}` uses {wanted} of `{resource}`, but there are only {available}"
            ),
            Problem::Cycle { works } => write!(
                f,
                "works feed each other in a circle: {} (a circle needs a queue made by `feedback_queue`)",
                list(works)
            ),
        }
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
