//! What has come out, in the order in which it came.

use crate::{plan::Planned, statistics::Quartiles};
use terzetto_peers::measure::Metric;

/// One figure of one workload, for all peers.
pub struct Row {
    /// The workload.
    pub workload: String,
    /// How it was sized.
    pub size: String,
    /// The figure.
    pub metric: Metric,
    /// Whether the table shows it, or only the CSV has it.
    pub shown: bool,
    /// A value for each round, of each peer that has a counterpart.
    pub peers: Vec<(&'static str, Vec<f64>)>,
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
    pub fn add(&mut self, of: &Planned, peer: &'static str, metric: Metric, value: f64) {
        let known = self.rows.iter().position(|row| row.workload == of.name && row.metric == metric);
        let place = known.unwrap_or_else(|| {
            self.rows.push(Row {
                workload: of.name.clone(),
                size: of.size.clone(),
                metric,
                shown: of.shown.contains(&metric),
                peers: Vec::new(),
            });
            self.rows.len() - 1
        });
        let peers = &mut self.rows[place].peers;
        match peers.iter_mut().find(|(name, _)| *name == peer) {
            Some((_, values)) => values.push(value),
            None => peers.push((peer, vec![value])),
        }
    }

    /// The peers that appear, ours first.
    pub fn peers(&self) -> Vec<&'static str> {
        let mut peers = vec![OURS];
        for (peer, _) in self.rows.iter().flat_map(|row| &row.peers) {
            if !peers.contains(peer) {
                peers.push(peer);
            }
        }
        peers
    }
}

impl Row {
    /// The quartiles of a peer.
    pub fn quartiles(&self, peer: &str) -> Option<Quartiles> {
        let (_, values) = self.peers.iter().find(|(name, _)| *name == peer)?;
        Some(Quartiles::of(values))
    }

    /// What a peer costs beside ours: above one, it is dearer.
    pub fn cost(&self, peer: &str) -> Option<f64> {
        let (ours, theirs) = (self.quartiles(OURS)?.median, self.quartiles(peer)?.median);
        Some(if self.metric.more_is_better() { ours / theirs } else { theirs / ours })
    }

    /// What ours costs beside the cheapest peer.
    pub fn cost_of_ours(&self) -> Option<f64> {
        let others = self.peers.iter().filter(|(name, _)| *name != OURS);
        others.filter_map(|(name, _)| self.cost(name)).reduce(f64::min).map(|cost| 1.0 / cost)
    }
}
