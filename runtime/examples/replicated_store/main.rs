//! A replicated key-value store, proved in a simulated network: a leader, two followers, three clients, under crashes,
//! partitions and loss. What the clients have seen is checked to be linearizable.
//!
//! ```sh
//! cargo run --release -p terzetto --example replicated_store -- 1000     # so many simulated hours
//! cargo run --release -p terzetto --example replicated_store -- seeds    # a thousand runs of a minute, with many faults
//! cargo run --release -p terzetto --example replicated_store -- double-apply   # a bug is put in, and found
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

mod client;
mod cluster;
mod disk;
mod follower;
mod leader;
mod linearizable;
mod protocol;

use cluster::{Plan, run_store};
use leader::Bug;
use std::{cell::Cell, time::Instant};
use terzetto::testing::net::{Network, Simulation};

fn main() {
    let word = std::env::args().nth(1).unwrap_or_else(|| "10".to_owned());
    let bug = match word.as_str() {
        "lost-wake-up" => Some(Bug::LostWakeUp),
        "acknowledge-before-sync" => Some(Bug::AcknowledgeBeforeSync),
        "double-apply" => Some(Bug::DoubleApply),
        _ => None,
    };
    if bug.is_some() || word == "seeds" {
        let plan = Plan { bug, ..Plan::SHORT };
        let simulation = Simulation::new(async |network: &Network| run_store(network, &plan).await.map(drop));
        println!("{}\nlinearizable with each seed", simulation.seeds(0..1000).run().report);
        return;
    }
    let Some(hours) = word.parse().ok().filter(|hours: &f64| *hours > 0.0 && hours.is_finite()) else {
        println!("usage: replicated_store HOURS, or `seeds`, or the name of a bug");
        return;
    };
    let (plan, operations, begun) = (Plan::long(hours), Cell::new(0), Instant::now());
    let simulated = Simulation::new(async |network: &Network| {
        operations.set(run_store(network, &plan).await?);
        Ok(())
    });
    let simulated = simulated.seeds(0..1).run();
    println!("{hours} hours, {} operations, {} packets", operations.get(), simulated.events);
    println!("{}", simulated.report);
    println!("linearizable; {:.1} s of real time", begun.elapsed().as_secs_f64());
}
