//! Checks of the graph before it runs. All problems are found at once.

use std::collections::HashSet;

use super::{InvalidTopology, Kind, Problem, QueueId, Topology, WorkNode};
use crate::run::Options;

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
    check_writers(topology, &mut problems);
    check_order(topology, &mut problems);
    problems.extend(cycle(topology));
    if problems.is_empty() {
        return Ok(());
    }
    Err(InvalidTopology { topology: topology.name().to_owned(), problems })
}

/// Checks that a run with these options can run the works. `has_loop` says whether the executor can await.
pub(crate) fn check_options(
    topology: &Topology,
    options: &Options,
    has_loop: bool,
) -> Result<(), InvalidTopology> {
    let mut problems = Vec::new();
    for work in &topology.works {
        let name = || work.name.to_string();
        if work.kind == Kind::Task && !has_loop {
            problems.push(Problem::NeedsLoop { work: name() });
        }
        for (resource, wanted) in work.settings.uses.iter().cloned() {
            let work = name();
            match options.get_resource(&resource) {
                None => problems.push(Problem::UnknownResource { work, resource }),
                Some(available) if available < wanted => {
                    problems.push(Problem::TooLittle { work, resource, wanted, available });
                }
                Some(_) => {}
            }
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(InvalidTopology { topology: topology.name().to_owned(), problems })
}

fn duplicates<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = String> {
    let mut seen = HashSet::new();
    let mut reported = HashSet::new();
    names.filter(move |name| !seen.insert(*name) && reported.insert(*name)).map(str::to_owned)
}

fn check_handles(topology: &Topology, problems: &mut Vec<Problem>) {
    for work in &topology.works {
        if work.inputs.iter().chain(&work.outputs).any(|queue| !topology.owns(*queue)) {
            problems.push(Problem::UnknownQueue { work: work.name.to_string() });
        }
        for queues in [&work.inputs, &work.outputs] {
            let twice = queues.iter().enumerate().find(|(at, queue)| queues[..*at].contains(queue));
            if let Some((_, queue)) = twice.filter(|(_, queue)| topology.owns(**queue)) {
                let queue = topology.queues[queue.index].name().to_owned();
                problems.push(Problem::QueueTwice { work: work.name.to_string(), queue });
            }
        }
    }
}

/// Each queue needs a work that fills it, and exactly one that empties it.
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

/// A key names one item, so two works must not put the same key into one queue.
fn check_writers(topology: &Topology, problems: &mut Vec<Problem>) {
    for queue in &topology.queues {
        let id = queue.id();
        let writers: Vec<usize> = topology.writers(id).collect();
        if writers.len() < 2 {
            continue;
        }
        let queue = queue.name().to_owned();
        let works = writers.iter().map(|index| topology.works[*index].name.to_string()).collect();
        let joined = topology
            .works
            .iter()
            .any(|work| work.kind == Kind::Join && work.filled_first == 0 && work.inputs.contains(&id));
        if joined {
            problems.push(Problem::SeveralWriters { queue, works });
        } else if let Some(split_by) = topology.common_split(&writers) {
            problems.push(Problem::KeysMeet { queue, works, split_by });
        }
    }
}

/// A queue that must be full before the loops start must be filled by one-shot works.
fn check_order(topology: &Topology, problems: &mut Vec<Problem>) {
    for work in &topology.works {
        let early = &work.inputs[..work.filled_first];
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

/// Finds works that feed each other. The flow order lacks works in a circle and works behind one.
fn cycle(topology: &Topology) -> Option<Problem> {
    let sorted = topology.flow_order();
    let start = (0..topology.works.len()).find(|index| !sorted.contains(index))?;
    // Going upstream among these leads back to a work of the path: there the circle begins.
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

    fn writers(&self, queue: QueueId) -> impl Iterator<Item = usize> {
        (0..self.works.len()).filter(move |index| self.works[*index].outputs.contains(&queue))
    }

    /// A work that puts each item into several queues, if at least two of `writers` are behind it.
    fn common_split(&self, writers: &[usize]) -> Option<String> {
        let splits = |work: &WorkNode| {
            matches!(work.kind, Kind::Io | Kind::Cpu | Kind::Task) && work.outputs.len() > 1
        };
        let sources: Vec<Vec<usize>> = writers.iter().map(|writer| self.with_upstream(*writer)).collect();
        (0..self.works.len())
            .filter(|index| splits(&self.works[*index]))
            .find(|index| sources.iter().filter(|works| works.contains(index)).count() > 1)
            .map(|index| self.works[index].name.to_string())
    }

    /// A work and all works that feed it, directly or not.
    fn with_upstream(&self, work: usize) -> Vec<usize> {
        let mut found = vec![work];
        let mut next = 0;
        while let Some(&index) = found.get(next) {
            for before in self.upstream(index) {
                if !found.contains(&before) {
                    found.push(before);
                }
            }
            next += 1;
        }
        found
    }

    /// The works that feed a work directly. Feedback does not count: that is what works put in which the work itself
    /// feeds.
    fn upstream(&self, work: usize) -> impl Iterator<Item = usize> {
        let inputs = &self.works[work].inputs;
        (0..self.works.len()).filter(move |other| {
            let feeds = |queue: &QueueId| {
                inputs.contains(queue) && !(self.is_feedback(*queue) && self.feeds(work, *other))
            };
            self.works[*other].outputs.iter().any(feeds)
        })
    }

    fn is_feedback(&self, queue: QueueId) -> bool {
        self.owns(queue) && self.queues[queue.index].is_feedback()
    }

    /// Does a work feed another one, directly or not? A work feeds itself.
    fn feeds(&self, work: usize, other: usize) -> bool {
        let mut found = vec![work];
        let mut next = 0;
        while let Some(&index) = found.get(next) {
            let outputs = &self.works[index].outputs;
            let fed = (0..self.works.len())
                .filter(|later| self.works[*later].inputs.iter().any(|queue| outputs.contains(queue)));
            for later in fed {
                if !found.contains(&later) {
                    found.push(later);
                }
            }
            next += 1;
        }
        found.contains(&other)
    }

    /// The indices of the works in flow order: each work comes after all works that feed it. Otherwise they are
    /// in the order in which they were added. Works in a circle, or behind one, are missing.
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
