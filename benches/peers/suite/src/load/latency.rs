//! Latencies, counted in microseconds up to ten seconds.

use std::time::Duration;

/// The slowest that is told apart from slower ones.
const LONGEST: usize = 10_000_000;

/// A histogram with a bin for each microsecond.
pub struct Latencies {
    bins: Vec<u32>,
    count: u64,
}

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies { bins: vec![0; LONGEST + 1], count: 0 }
    }
}

impl Latencies {
    /// Counts one.
    pub fn add(&mut self, latency: Duration) {
        self.bins[(latency.as_micros() as usize).min(LONGEST)] += 1;
        self.count += 1;
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.bins.fill(0);
        self.count = 0;
    }

    /// The latency that such a part of all does not exceed.
    pub fn quantile(&self, part: f64) -> Duration {
        let rank = (self.count as f64 * part).ceil() as u64;
        let mut seen = 0;
        let bin = self.bins.iter().position(|bin| {
            seen += u64::from(*bin);
            seen >= rank
        });
        Duration::from_micros(bin.unwrap_or(LONGEST) as u64)
    }
}
