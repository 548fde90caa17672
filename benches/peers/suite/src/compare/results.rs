//! What has come out, in the order in which it came.

use crate::{
    plan::{Planned, TRIO},
    statistics::Quartiles,
};
use terzetto_peers::{measure::Metric, peers::PEERS};

/// One figure of one workload, for all peers.
pub struct Row {
    /// The workload.
    pub workload: String,
    /// The figure.
    pub metric: Metric,
    /// Whether the table shows it, or only the CSV has it.
    pub shown: bool,
    /// Each peer that has a counterpart.
    pub peers: Vec<Measured>,
}

/// One figure of one workload, for one peer.
pub struct Measured {
    /// Whose.
    pub peer: &'static str,
    /// How the workload was sized for it.
    pub size: String,
    /// A value for each round.
    pub values: Vec<f64>,
}

/// What one round has measured.
pub struct Sample<'a> {
    /// Whose.
    pub peer: &'static str,
    /// How the workload was sized.
    pub size: &'a str,
    /// What the value is.
    pub metric: Metric,
    /// The value.
    pub value: f64,
}

/// Rows.
#[derive(Default)]
pub struct Results {
    /// In the order of the plan.
    pub rows: Vec<Row>,
}

/// What the others are compared with.
pub const OURS: &str = "terzetto";

impl Results {
    /// Adds what a round has measured.
    pub fn add(&mut self, of: &Planned, sample: &Sample<'_>) {
        let &Sample { peer, size, metric, value } = sample;
        let known = self.rows.iter().position(|row| row.workload == of.name && row.metric == metric);
        let place = known.unwrap_or_else(|| {
            self.rows.push(Row {
                workload: of.name.clone(),
                metric,
                shown: of.shown.contains(&metric),
                peers: Vec::new(),
            });
            self.rows.len() - 1
        });
        let peers = &mut self.rows[place].peers;
        match peers.iter_mut().find(|measured| measured.peer == peer) {
            Some(measured) => measured.values.push(value),
            None => peers.push(Measured { peer, size: size.to_owned(), values: vec![value] }),
        }
    }

    /// The peers that appear, ours first.
    pub fn peers(&self) -> Vec<&'static str> {
        let appears =
            |peer: &&str| self.rows.iter().any(|row| row.peers.iter().any(|measured| measured.peer == *peer));
        PEERS.iter().map(|peer| peer.name).chain([TRIO]).filter(appears).collect()
    }
}

impl Row {
    /// The quartiles of a peer.
    pub fn quartiles(&self, peer: &str) -> Option<Quartiles> {
        let measured = self.peers.iter().find(|measured| measured.peer == peer)?;
        Some(Quartiles::of(&measured.values))
    }

    /// What a peer costs beside ours: above one, it is dearer.
    pub fn cost(&self, peer: &str) -> Option<f64> {
        let (ours, theirs) = (self.quartiles(OURS)?.median, self.quartiles(peer)?.median);
        Some(if self.metric.more_is_better() { ours / theirs } else { theirs / ours })
    }

    /// What ours costs beside the cheapest peer.
    pub fn cost_of_ours(&self) -> Option<f64> {
        let others = self.peers.iter().filter(|measured| measured.peer != OURS);
        others.filter_map(|other| self.cost(other.peer)).reduce(f64::min).map(|cost| 1.0 / cost)
    }
}
