//! Does the graph make sense? All that can be known before the first item moves is told before the
//! first item moves.

use std::{collections::HashSet, error::Error, fmt};

use super::{Kind, QueueId, Topology, WorkNode};

/// A topology that cannot run, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTopology {
    /// The topology's name.
    pub topology: String,
    /// What is wrong, at least one thing.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a topology.
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
    /// No work takes anything from the queue, so that it would fill and block.
    NobodyEmpties {
        /// The queue's name.
        queue: String,
    },
    /// Several works take from one queue; each item would go to whichever comes first.
    SeveralConsumers {
        /// The queue's name.
        queue: String,
        /// The works' names.
        works: Vec<String>,
    },
    /// A work takes from a queue that was made to keep results.
    ResultsConsumed {
        /// The queue's name.
        queue: String,
        /// The work's name.
        work: String,
    },
    /// A one-shot work reads what a work fills that runs only after all one-shot works.
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
            Problem::Cycle { works } => write!(f, "works feed each other in a circle: {}", list(works)),
        }
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

pub(super) fn check(topology: &Topology) -> Result<(), InvalidTopology> {
    let mut problems = Vec::new();
    if topology.works.is_empty() {
        problems.push(Problem::NoWork);
    }
    let works = topology.works.iter().map(|work| &*work.name);
    problems.extend(duplicates(works).map(Problem::DuplicateWork));
    let queues = topology.queues.iter().map(|queue| queue.name());
    problems.extend(duplicates(queues).map(Problem::DuplicateQueue));
    check_handles(topology, &mut problems);
    check_ends(topology, &mut problems);
    check_order(topology, &mut problems);
    problems.extend(cycle(topology));
    if problems.is_empty() {
        return Ok(());
    }
    Err(InvalidTopology { topology: topology.name().to_owned(), problems })
}

fn duplicates<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = String> {
    let mut seen = HashSet::new();
    let mut told = HashSet::new();
    names.filter(move |name| !seen.insert(*name) && told.insert(*name)).map(str::to_owned)
}

fn check_handles(topology: &Topology, problems: &mut Vec<Problem>) {
    for work in &topology.works {
        if work.inputs.iter().chain(&work.outputs).any(|queue| !topology.owns(*queue)) {
            problems.push(Problem::UnknownQueue { work: work.name.to_string() });
        }
    }
}

/// Each queue needs a work that fills it and exactly one that empties it.
fn check_ends(topology: &Topology, problems: &mut Vec<Problem>) {
    for queue in &topology.queues {
        let name = || queue.name().to_owned();
        if topology.fillers(queue.id()).next().is_none() {
            problems.push(Problem::NobodyFills { queue: name() });
        }
        let consumers: Vec<String> = topology
            .works
            .iter()
            .filter(|work| work.inputs.contains(&queue.id()))
            .map(|work| work.name.to_string())
            .collect();
        if queue.keeps_results() {
            problems
                .extend(consumers.into_iter().map(|work| Problem::ResultsConsumed { queue: name(), work }));
        } else if consumers.is_empty() {
            problems.push(Problem::NobodyEmpties { queue: name() });
        } else if consumers.len() > 1 {
            problems.push(Problem::SeveralConsumers { queue: name(), works: consumers });
        }
    }
}

/// What must be there before the loops start must come from works that run before the loops start.
fn check_order(topology: &Topology, problems: &mut Vec<Problem>) {
    for work in &topology.works {
        let early = match work.kind {
            Kind::OneShot => &work.inputs[..],
            Kind::Join => &work.inputs[..1],
            Kind::Io | Kind::Cpu => &[],
        };
        for &id in early.iter().filter(|id| topology.owns(**id)) {
            for filler in topology.fillers(id).filter(|other| other.kind != Kind::OneShot) {
                let queue = topology.queues[id.index].name().to_owned();
                let filled_by = filler.name.to_string();
                let name = work.name.to_string();
                problems.push(if work.kind == Kind::OneShot {
                    Problem::OneShotTooEarly { work: name, queue, filled_by }
                } else {
                    Problem::GroupsTooLate { join: name, queue, filled_by }
                });
            }
        }
    }
}

/// Takes away works that nothing feeds until none is left; what cannot be taken away is in a
/// circle, or behind one.
fn cycle(topology: &Topology) -> Option<Problem> {
    let sorted = topology.flow_order();
    let start = (0..topology.works.len()).find(|index| !sorted.contains(index))?;
    // Walking upstream among the rest must come back to a work already seen: that is the circle.
    let mut path = vec![start];
    loop {
        let last = *path.last()?;
        let before = topology.upstream(last).find(|index| !sorted.contains(index))?;
        if let Some(at) = path.iter().position(|index| *index == before) {
            let mut works: Vec<String> =
                path[at..].iter().map(|index| topology.works[*index].name.to_string()).collect();
            works.reverse();
            return Some(Problem::Cycle { works });
        }
        path.push(before);
    }
}

impl Topology {
    /// The works that fill a queue.
    fn fillers(&self, queue: QueueId) -> impl Iterator<Item = &WorkNode> {
        self.works.iter().filter(move |work| work.outputs.contains(&queue))
    }

    /// The works that feed a work directly.
    fn upstream(&self, work: usize) -> impl Iterator<Item = usize> {
        let inputs = &self.works[work].inputs;
        (0..self.works.len())
            .filter(move |other| self.works[*other].outputs.iter().any(|queue| inputs.contains(queue)))
    }

    /// The works in the direction of flow: each after all that feed it, ties in order of
    /// declaration. Works in or behind a circle are missing.
    pub(crate) fn flow_order(&self) -> Vec<usize> {
        let mut order = Vec::new();
        while let Some(next) = (0..self.works.len()).find(|index| {
            !order.contains(index) && self.upstream(*index).all(|before| order.contains(&before))
        }) {
            order.push(next);
        }
        order
    }
}
