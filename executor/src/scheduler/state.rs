//! What changes during a run: the state under the scheduler's lock.

use crate::{
    graph::{KeptErrors, Kind, Progress},
    run::{Ending, GaveUp, Stalled},
};

/// The state under the scheduler's lock.
#[derive(Default)]
pub(crate) struct SchedulerState {
    /// Workers that run an item of an io work now.
    pub busy_io: usize,
    /// Workers that run an item of a cpu work now.
    pub busy_cpu: usize,
    /// Workers that run a work of another kind now. There is no limit for these.
    pub busy_other: usize,
    /// For each work, the workers that were requested and have not arrived.
    pub requested: Vec<usize>,
    /// All workers that have been requested or have arrived, and have not left.
    pub workers: usize,
    /// How many batches were delivered.
    pub deliveries: usize,
    /// How many batches had been delivered at the last tick.
    pub deliveries_at_tick: usize,
    /// How somebody has ended the run early.
    pub early_ending: Option<Ending>,
    /// Why the run has stopped by itself.
    pub gave_up: Option<GaveUp>,
    pub stalled: Option<Stalled>,
    /// Errors that have arrived at the end of the graph.
    pub failed: KeptErrors,
    pub progress: Progress,
}

impl SchedulerState {
    /// The number of workers that are busy with works of this kind.
    pub fn busy(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Io => &mut self.busy_io,
            Kind::Cpu => &mut self.busy_cpu,
            // Sources and global works run one call at a time by themselves.
            _ => &mut self.busy_other,
        }
    }
}
