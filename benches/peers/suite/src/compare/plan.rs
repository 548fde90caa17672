//! Which commands are run for each workload.

use crate::options::Options;
use std::{io, path::PathBuf};
use terzetto_peers::{measure::Metric, peers::PEERS, workload::WORKLOADS};

/// One workload, with a job for each peer.
pub struct Planned {
    /// Its name.
    pub name: String,
    /// How many operations, or how it is sized.
    pub size: String,
    /// What the table shows of it.
    pub shown: Vec<Metric>,
    /// The jobs.
    pub jobs: Vec<Job>,
}

/// One workload on one peer.
pub struct Job {
    /// Whose.
    pub peer: &'static str,
    /// Program and arguments.
    pub command: Vec<String>,
}

/// What a server under load is measured by.
const LOAD: [Metric; 5] = [Metric::Rate, Metric::ServerCpu, Metric::P50, Metric::P99, Metric::P999];

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
            Planned {
                name: entry.name.to_owned(),
                size: n.to_string(),
                shown: vec![entry.metric],
                jobs: programs.peers(entry.name, n),
            }
        })
        .collect();
    let seconds = if options.quick { "1" } else { "3" };
    for (name, connections, rate) in [
        ("echo-64", "64", "max"),
        ("echo-1000", "1000", "max"),
        // The rate is the load's, not the server's: it says nothing.
        ("echo-64-at-5k/s", "64", "5000"),
    ] {
        let shown = if rate == "max" { &LOAD[..] } else { &LOAD[1..] };
        plan.push(Planned {
            name: name.to_owned(),
            size: format!("{seconds} s"),
            shown: shown.to_vec(),
            jobs: programs.servers(&[connections, seconds, rate]),
        });
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

    fn peers(&self, workload: &str, n: usize) -> Vec<Job> {
        let ours = PEERS.iter().map(|peer| Job {
            peer: peer.name,
            command: vec![self.path("peer"), peer.name.into(), workload.into(), n.to_string()],
        });
        let n = (n / LESS_FOR_PYTHON).to_string();
        let command = |python| vec![python, "benches/trio/peer.py".into(), workload.into(), n];
        let trio = self.python.clone().map(|python| Job { peer: "trio", command: command(python) });
        ours.chain(trio).collect()
    }

    fn servers(&self, load: &[&str]) -> Vec<Job> {
        let server = |peer, command: &[String]| {
            let load = load.iter().map(|word| (*word).to_owned());
            let words = [self.path("echo-load")].into_iter().chain(load).chain(command.iter().cloned());
            Job { peer, command: words.collect() }
        };
        let mut jobs = vec![
            server("terzetto", &[self.path("echo-terzetto")]),
            server("tokio", &[self.path("echo-tokio")]),
            server("smol", &[self.path("echo-smol")]),
            server("monoio-epoll", &[self.path("echo-monoio"), "epoll".into()]),
            server("monoio-uring", &[self.path("echo-monoio"), "uring".into()]),
        ];
        let trio = |python| server("trio", &[python, "benches/trio/echo.py".into()]);
        jobs.extend(self.python.clone().map(trio));
        jobs
    }
}
