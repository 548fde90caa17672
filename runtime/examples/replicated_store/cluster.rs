//! The whole: three hosts with disks, clients, and faults.

use crate::{
    client::use_store,
    disk::Disk,
    follower::follow,
    leader::{Bug, FOLLOWERS, lead},
};
use std::cell::{Cell, RefCell};
use terzetto::{
    Error, current_time, nursery, sleep,
    testing::net::{Link, Network, RandomFaults},
};

/// How a run goes. Times are in seconds.
#[derive(Debug, Clone)]
pub struct Plan {
    pub lasts: f64,
    /// The longest pause of a client between two commands.
    pub think: f64,
    /// The mean time between two faults of one kind.
    pub faults: f64,
    pub bug: Option<Bug>,
}

impl Plan {
    /// A minute with many faults.
    pub const SHORT: Plan = Plan { lasts: 60.0, think: 0.5, faults: 10.0, bug: None };

    /// So many hours with some faults.
    pub fn long(hours: f64) -> Plan {
        Plan { lasts: 3600.0 * hours, think: 60.0, faults: 300.0, bug: None }
    }
}

/// Runs the store under faults, and checks all answers. Returns how many there were.
pub async fn run_store(network: &Network, plan: &Plan) -> Result<u64, Error> {
    network.set_link(Link::new().latency(0.001..=0.02).loss(0.01));
    let disks = [Disk::default(), Disk::default(), Disk::default()];
    let (history, commands, end) = (RefCell::default(), Cell::new(0), current_time() + plan.lasts);
    nursery(async |servers| {
        let (leader, disk) = (network.host("leader"), &disks[0]);
        servers.start_soon(async move { leader.serve(async || lead(disk, plan.bug).await).await });
        for (name, disk) in FOLLOWERS.iter().zip(&disks[1..]) {
            let host = network.host(name);
            servers.start_soon(async move { host.serve(async || follow(disk).await).await });
        }
        let faults = RandomFaults::among(["leader", "first", "second"])
            .partitions(plan.faults, 0.1..=10.0)
            .crashes(plan.faults, 0.1..=10.0)
            .resets(plan.faults)
            .half_open(plan.faults);
        network.random_faults(faults);
        nursery(async |clients| {
            for client in 1..=3_u64 {
                let (host, random) = (network.host(&format!("client {client}")), network.random());
                let (history, commands) = (&history, &commands);
                clients.start_soon(async move {
                    let used = host.run(use_store(client, plan.think, end, random, history)).await?;
                    commands.set(commands.get() + used);
                    Ok(())
                });
            }
            sleep(plan.lasts).await?;
            // What goes on of the faults ends by itself.
            network.random_faults(RandomFaults::default());
            Ok(())
        })
        .await?;
        servers.cancel_scope().cancel();
        Ok(())
    })
    .await?;
    Ok(commands.get())
}
