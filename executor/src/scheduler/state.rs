//! What changes during a run: the state under the scheduler's lock.

use super::ScheduledWork;
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
    /// For each work, the workers that run it now.
    pub running: Vec<usize>,
    /// For each work, the workers that were requested and have not arrived.
    pub requested: Vec<usize>,
    /// What is free of each resource.
    pub free: Vec<u64>,
    /// All workers that have been requested or have arrived, and have not left.
    pub workers: usize,
    /// How many of them are for tasks.
    pub task_workers: usize,
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
    /// A worker begins to run a work.
    pub fn begin(&mut self, index: usize, work: &ScheduledWork) {
        *self.busy(work.kind) += 1;
        self.running[index] += 1;
        for (resource, amount) in &work.uses {
            self.free[*resource] -= amount;
        }
    }

    /// A worker does not run a work any more.
    pub fn end(&mut self, index: usize, work: &ScheduledWork) {
        *self.busy(work.kind) -= 1;
        self.running[index] -= 1;
        for (resource, amount) in &work.uses {
            self.free[*resource] += amount;
        }
    }

    /// The number of workers that are busy with works of this kind.
    pub fn busy(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Io => &mut self.busy_io,
            Kind::Cpu => &mut self.busy_cpu,
            // Sources and global works run one call at a time by themselves. Tasks have limits of their own.
            _ => &mut self.busy_other,
        }
    }
}
