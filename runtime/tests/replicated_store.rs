//! The example `replicated_store`: the right one passes, and each bug that can be put in is found.

#![allow(missing_docs, dead_code, reason = "the modules of an example")]

#[path = "../examples/replicated_store/client.rs"]
mod client;
#[path = "../examples/replicated_store/cluster.rs"]
mod cluster;
#[path = "../examples/replicated_store/disk.rs"]
mod disk;
#[path = "../examples/replicated_store/follower.rs"]
mod follower;
#[path = "../examples/replicated_store/leader.rs"]
mod leader;
#[path = "../examples/replicated_store/linearizable.rs"]
mod linearizable;
#[path = "../examples/replicated_store/protocol.rs"]
mod protocol;

use cluster::{Plan, run_store};
use leader::Bug;
use linearizable::History;
use protocol::{Action, Command};
use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};
use terzetto::testing::net::{Network, Simulation};

#[test]
fn net_70_the_store_is_linearizable_under_all_faults() {
    let commands = Cell::new(0);
    let simulated = Simulation::new(async |network: &Network| {
        commands.set(commands.get() + run_store(network, &Plan::SHORT).await?);
        Ok(())
    })
    .seeds(0..20)
    .run();
    assert!(commands.get() > 1000, "{}", commands.get());
    assert_eq!(simulated.report.faults().len(), 5, "{}", simulated.report);
}

#[test]
fn net_71_the_store_repeats_itself_from_its_seed() {
    Simulation::new(async |network: &Network| run_store(network, &Plan::SHORT).await.map(drop))
        .seeds(0..3)
        .twice()
        .run();
}

/// Finds a bug within a thousand seeds, and repeats the failure with what it printed.
fn found(bug: Bug, what: &str) {
    let plan = Plan { bug: Some(bug), lasts: 10.0, ..Plan::SHORT };
    let program = async |network: &Network| run_store(network, &plan).await.map(drop);
    let text = |simulation: Simulation<'_, _>| {
        let outcome = catch_unwind(AssertUnwindSafe(|| simulation.run()));
        *outcome.expect_err("the bug was not found").downcast::<String>().unwrap()
    };
    let failure = text(Simulation::new(program).seeds(0..1000));
    assert!(failure.contains(what), "{failure}");
    let (_, seed) = failure.rsplit_once("to repeat it: .only(").unwrap();
    let seed = seed.trim_end_matches(')').parse().unwrap();
    assert_eq!(text(Simulation::new(program).only(seed)), failure);
    // It was the bug: without it the same seed passes.
    let plan = Plan { bug: None, ..plan };
    Simulation::new(async |network: &Network| run_store(network, &plan).await.map(drop)).only(seed).run();
}

#[test]
fn net_72_a_lost_wake_up_is_found() {
    found(Bug::LostWakeUp, "got no answer within 600 s");
}

#[test]
fn net_73_an_acknowledgement_before_the_sync_is_found() {
    found(Bug::AcknowledgeBeforeSync, "not linearizable");
}

#[test]
fn net_74_a_double_apply_is_found() {
    found(Bug::DoubleApply, "not linearizable");
}

#[test]
fn net_75_the_check_of_linearizability_tells_right_from_wrong() {
    let command = |client, action| Command { client, number: 1, key: 0, action };
    // Two that overlap may take effect in either order.
    for answer in [5, 7] {
        let mut history = History::default();
        history.begins(command(1, Action::Put(5)));
        history.begins(command(2, Action::Add(2)));
        history.ends(command(1, Action::Put(5)), 5).unwrap();
        history.begins(command(3, Action::Get));
        history.ends(command(3, Action::Get), answer).unwrap();
        // The answer of the other one depends on that: 7 if it came after, and 2 or 7 if it may have come before.
        assert!(history.ends(command(2, Action::Add(2)), 3).is_err());
    }
    // Two that do not overlap may not.
    let mut history = History::default();
    history.begins(command(1, Action::Put(5)));
    history.ends(command(1, Action::Put(5)), 5).unwrap();
    history.begins(command(2, Action::Get));
    assert!(history.ends(command(2, Action::Get), 0).is_err());
}
