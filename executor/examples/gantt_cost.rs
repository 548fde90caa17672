//! What a Gantt chart costs: quick calls with it, and with an observer that does nothing.
//!
//! `cargo run --release -p terzetto-executor --example gantt_cost`
#![allow(clippy::print_stdout, reason = "that is what it is for")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use terzetto::Error;
use terzetto_executor::{ExecutorSequential, Observer, Options, Topology, gantt::GanttChart};

const ITEMS: usize = 1_000_000;

struct Nothing;
impl Observer for Nothing {}

/// How long a million calls take that do nothing, with an observer.
fn run(observer: impl Observer + 'static) -> Result<Duration, Error> {
    let mut topology = Topology::new("quick");
    let numbers = topology.queue::<usize>("numbers");
    topology.source("list", &numbers, (0..ITEMS).map(|n| (n.to_string(), n)));
    topology.cpu("look", &numbers).each(|_, _| Ok(()));
    let mut executor = ExecutorSequential::new(topology, Options::new())?;
    executor.observe(observer);
    let begun = Instant::now();
    executor.run()?;
    Ok(begun.elapsed())
}

fn main() -> Result<(), Error> {
    let mut least = [Duration::MAX; 2];
    for _ in 0..5 {
        least[0] = least[0].min(run(Nothing)?);
        least[1] = least[1].min(run(Arc::new(GanttChart::new()))?);
    }
    let [without, with] = least.map(|time| time.as_secs_f64() / ITEMS as f64 * 1e9);
    println!("{without:.0} ns a call without a chart, {with:.0} ns with one");
    Ok(())
}
