//! Counting what is alive or inside.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

/// Counts how many are inside at once, and the most that ever were.
#[derive(Default)]
pub struct Gauge {
    pub now: AtomicUsize,
    most: AtomicUsize,
}

impl Gauge {
    pub fn enter(&self) {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
    }

    pub fn leave(&self) {
        self.now.fetch_sub(1, SeqCst);
    }

    pub fn most(&self) -> usize {
        self.most.load(SeqCst)
    }
}

/// A value that is counted while it lives.
pub struct Counted(pub usize, Arc<Gauge>);

impl Counted {
    pub fn new(n: usize, gauge: &Arc<Gauge>) -> Self {
        gauge.enter();
        Counted(n, gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.leave();
    }
}
