//! Topologies in TOML files: drawn, checked, listed and run.

use std::{fs, path::Path};

use terzetto_executor::{
    BoxError, Key, Topology,
    graph::{InvalidTopology, Listed, Problem},
};
use terzetto_program::pipelines::works;

use crate::commands::{
    args::{ExecutorChoice, RunArgs, TopologyArgs},
    print_line,
    run::{progress::ItemCount, run, status::Status},
    topology::draw,
};

/// Sources are asked for so many items at most, so that one without end is no trap.
const MOST: usize = 1_000_000;

pub fn command(file: &Path, args: &TopologyArgs) -> Result<Status, BoxError> {
    let how = RunArgs { resources: args.resource.clone(), ..args.how.clone() };
    if how.executor == ExecutorChoice::Multi {
        return Err("a topology of a file runs in one process: choose another executor than multi".into());
    }
    let topology = read(file)?;
    // A graph that is not sound is drawn, too: the picture shows what is wrong.
    if args.graph.is_some() || !args.run {
        draw(&topology, args.graph.as_deref())?;
    }
    check(file, &topology, &how.resources)?;
    let (works, name) = (topology.works().count(), topology.name().to_owned());
    if !args.run && !args.dry_run {
        if args.graph.is_none() {
            print_line(&format!("topology `{name}` can run: {works} works"));
        }
        return Ok(Status::Done);
    }
    let sources = topology.list_sources(MOST)?;
    let total = sources.iter().map(|source| source.keys.len()).sum();
    if args.dry_run {
        sources.iter().for_each(|source| print_line(&describe(source)));
        return Ok(Status::Done);
    }
    run(read(file)?, ItemCount { total, noun: "items" }, &how, None)
}

/// The topology that a file describes.
fn read(file: &Path) -> Result<Topology, BoxError> {
    let text =
        fs::read_to_string(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    let base = file.parent().unwrap_or(Path::new(""));
    works(base).topology(&text).map_err(|error| format!("{}: {error}", file.display()).into())
}

/// Checks the graph, and that there is enough of what its works use.
fn check(file: &Path, topology: &Topology, resources: &[(String, u64)]) -> Result<(), BoxError> {
    let mut problems = match topology.check() {
        Ok(()) => Vec::new(),
        Err(InvalidTopology { problems, .. }) => problems.iter().map(hint).collect(),
    };
    for work in topology.works() {
        for (name, wanted) in work.uses {
            let available = resources.iter().rev().find(|(resource, _)| resource == name);
            match available.map(|(_, amount)| *amount) {
                Some(amount) if amount >= *wanted => {}
                Some(amount) => problems.push(format!(
                    "a call of work `{}` uses {wanted} of `{name}`, but there are only {amount}",
                    work.name
                )),
                None => problems.push(format!(
                    "work `{}` uses `{name}`, and nothing says how much there is: add --resource {name}={wanted}",
                    work.name
                )),
            }
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{}: topology `{}` cannot run: {}", file.display(), topology.name(), problems.join("; "))
        .into())
}

/// A problem in the words of files.
fn hint(problem: &Problem) -> String {
    match problem {
        Problem::NobodyEmpties { queue } => {
            format!(
                "no work takes from queue `{queue}`: add one with from = \"{queue}\", or leave out this `to`"
            )
        }
        Problem::NobodyFills { queue } => {
            format!("no work fills queue `{queue}`: add one with to = \"{queue}\", or correct this `from`")
        }
        Problem::Cycle { works } => {
            let works = works.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            format!(
                "works feed each other in a circle: {works}: name one of their queues in feedback = [...]"
            )
        }
        other => other.to_string(),
    }
}

/// `list images: 9 items: a.png, b.png, … i.png`
fn describe(Listed { work, keys, .. }: &Listed) -> String {
    let count =
        if keys.len() == MOST { format!("{MOST} items or more") } else { format!("{} items", keys.len()) };
    let keys: Vec<&str> = keys.iter().map(Key::as_str).collect();
    match &keys[..] {
        [] => format!("{work}: {count}"),
        [first, second, _, .., last] if keys.len() > 4 => {
            format!("{work}: {count}: {first}, {second}, … {last}")
        }
        keys => format!("{work}: {count}: {}", keys.join(", ")),
    }
}
