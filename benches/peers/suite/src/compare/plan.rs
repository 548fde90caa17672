//! Which commands are run for each workload.

use crate::options::Options;
use std::{io, path::PathBuf};
use terzetto_peers::{
    measure::Metric,
    peers::PEERS,
    workload::{Entry, WORKLOADS},
};

/// One workload, with a job for each peer.
pub struct Planned {
    /// Its name.
    pub name: String,
    /// What the table shows of it.
    pub shown: Vec<Metric>,
    /// The jobs.
    pub jobs: Vec<Job>,
}

/// One workload on one peer.
pub struct Job {
    /// Whose.
    pub peer: &'static str,
    /// How many operations, or for how long.
    pub size: String,
    /// Program and arguments.
    pub command: Vec<String>,
}

/// What a server that is never idle is measured by.
const LOADED: &[Metric] = &[Metric::Rate, Metric::ServerCpu, Metric::P50, Metric::P99, Metric::P999];

/// What a server with time to spare is measured by. The rate is the load's, and says nothing of the server; the
/// slowest in a thousand are a handful, and tell of the machine.
const PACED: &[Metric] = &[Metric::ServerCpu, Metric::P50, Metric::P99];

/// Python's trio, the peer that is no part of the program `peer`.
pub const TRIO: &str = "trio";

/// The interpreter takes so many times longer: it does so many times less.
const LESS_FOR_PYTHON: usize = 20;

/// Everything that is to run, in the table's order.
pub fn plan(options: &Options) -> io::Result<Vec<Planned>> {
    let programs = std::env::current_exe()?;
    let programs = Programs { folder: programs.with_file_name(""), python: options.python.clone() };
    let mut plan: Vec<Planned> = WORKLOADS
        .iter()
        .map(|entry| {
            let n = if options.quick { entry.quick } else { entry.n };
            Planned { name: entry.name.to_owned(), shown: vec![entry.metric], jobs: programs.peers(entry, n) }
        })
        .collect();
    let seconds = if options.quick { "1" } else { "3" };
    for (name, connections, rate, shown) in [
        ("echo-64", "64", "max", LOADED),
        ("echo-1000", "1000", "max", LOADED),
        ("echo-64-at-5k/s", "64", "5000", PACED),
    ] {
        let jobs = programs.servers(connections, seconds, rate);
        plan.push(Planned { name: name.to_owned(), shown: shown.to_vec(), jobs });
    }
    plan.retain(|planned| options.only.as_deref().is_none_or(|part| planned.name.contains(part)));
    Ok(plan)
}

struct Programs {
    folder: PathBuf,
    python: Option<String>,
}

impl Programs {
    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    fn peers(&self, entry: &Entry, n: usize) -> Vec<Job> {
        let compiled = PEERS.iter().map(|peer| Job {
            peer: peer.name,
            size: n.to_string(),
            command: vec![self.path("peer"), peer.name.into(), entry.name.into(), n.to_string()],
        });
        let n = n / LESS_FOR_PYTHON;
        let (size, warm_up) = (n.to_string(), entry.workload.warm_up(n).to_string());
        let trio = self.python.clone().map(|python| Job {
            peer: TRIO,
            size: size.clone(),
            command: vec![python, "benches/trio/peer.py".into(), entry.name.into(), size, warm_up],
        });
        compiled.chain(trio).collect()
    }

    fn servers(&self, connections: &str, seconds: &str, rate: &str) -> Vec<Job> {
        let server = |peer, command: &[String]| {
            let mut words = vec![self.path("echo-load"), connections.into(), seconds.into(), rate.into()];
            words.extend_from_slice(command);
            Job { peer, size: format!("{seconds} s"), command: words }
        };
        let mut jobs = vec![
            server("terzetto", &[self.path("echo-terzetto")]),
            server("tokio", &[self.path("echo-tokio")]),
            server("smol", &[self.path("echo-smol")]),
            server("monoio-epoll", &[self.path("echo-monoio"), "epoll".into()]),
            server("monoio-uring", &[self.path("echo-monoio"), "uring".into()]),
        ];
        let trio = |python| server(TRIO, &[python, "benches/trio/echo.py".into()]);
        jobs.extend(self.python.clone().map(trio));
        jobs
    }
}
