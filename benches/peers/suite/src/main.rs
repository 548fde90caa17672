//! One workload on one peer, once: `peer PEER WORKLOAD [N]` prints what it has measured, a line for
//! each figure, or `none` if the peer has no counterpart. Without arguments: what there is.

use std::{
    io::{self, Write},
    process::ExitCode,
};
use terzetto_peers::{
    peers::{PEERS, Peer},
    workload::{Entry, WORKLOADS},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match words.as_slice() {
        [] => Some(list()),
        [peer, workload] => measure(peer, workload, None),
        [peer, workload, n] => n.parse().ok().and_then(|n| measure(peer, workload, Some(n))),
        _ => None,
    };
    let Some(answer) = answer else {
        let _gone = writeln!(io::stderr(), "usage: peer PEER WORKLOAD [N]; without arguments: a list");
        return ExitCode::FAILURE;
    };
    match io::stdout().write_all(answer.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn list() -> String {
    let peers = PEERS.iter().map(|peer| format!("peer {}\n", peer.name));
    let workloads = WORKLOADS.iter().map(|entry| format!("workload {}\n", entry.name));
    peers.chain(workloads).collect()
}

fn measure(peer: &str, workload: &str, n: Option<usize>) -> Option<String> {
    let (peer, entry) = (Peer::named(peer)?, Entry::named(workload)?);
    let n = n.unwrap_or(entry.n);
    let warm_up = entry.workload.warm_up(n);
    if warm_up > 0 {
        (peer.run)(entry.workload, warm_up);
    }
    let Some(figures) = (peer.run)(entry.workload, n) else { return Some("none\n".to_owned()) };
    Some(figures.iter().map(|(metric, value)| format!("{} {value:.3}\n", metric.name())).collect())
}
