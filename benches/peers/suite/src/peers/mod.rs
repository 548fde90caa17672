//! One file for each peer: the same workloads, each in the peer's own idiom.

pub mod futures;
pub mod monoio;
pub mod moro;
pub mod smol;
pub mod terzetto;
pub mod tokio;
pub mod tokio_send;

use crate::{measure::Figures, workload::Workload};

/// A runtime under test, or what stands for one.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The name in commands and tables.
    pub name: &'static str,
    /// Does a workload `n` times, as the workload counts; nothing if there is no counterpart.
    pub run: fn(Workload, usize) -> Option<Figures>,
}

/// All of them; the first is what the others are compared with.
pub const PEERS: &[Peer] = &[
    Peer { name: "terzetto", run: terzetto::run },
    Peer { name: "tokio", run: tokio::run },
    Peer { name: "tokio-send", run: tokio_send::run },
    Peer { name: "smol", run: smol::run },
    Peer { name: "monoio-epoll", run: monoio::run_epoll },
    Peer { name: "monoio-uring", run: monoio::run_uring },
    Peer { name: "futures", run: futures::run },
    Peer { name: "moro", run: moro::run },
];

impl Peer {
    /// The peer called `name`.
    pub fn named(name: &str) -> Option<&'static Peer> {
        PEERS.iter().find(|peer| peer.name == name)
    }
}
