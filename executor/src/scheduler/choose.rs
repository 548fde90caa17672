//! Decisions: which work starts next, when another worker is needed, when the run is over.

use std::time::Duration;

use super::{FlowNode, Scheduler, SchedulerState};
use crate::{graph::Kind, run::Stalled};

impl Scheduler {
    /// The first work that may start, and how many items it could take.
    pub(super) fn find_ready(&self, state: &SchedulerState) -> Option<(usize, usize)> {
        self.works.iter().enumerate().find_map(|(index, work)| {
            let worker_is_free = match work.kind {
                Kind::Io => state.busy_io < self.max_workers,
                Kind::Cpu => state.busy_cpu < self.max_workers,
                _ => true,
            };
            let ready = if worker_is_free { work.work.ready() } else { 0 };
            (ready > 0).then_some((index, ready))
        })
    }

    /// What a worker does next: the index of a work, and how many items it takes. From now on the worker
    /// counts as busy. `None` if there is nothing to do.
    pub fn next(&self, state: &mut SchedulerState) -> Option<(usize, usize)> {
        loop {
            if self.is_closed() {
                return None;
            }
            if let Some((index, ready)) = self.find_ready(state) {
                let work = &self.works[index];
                *state.busy(work.kind) += 1;
                return Some((index, work.batch_size(ready.min(self.max_batch))));
            }
            // Other workers run or will come. What they deliver may make a work ready.
            if state.workers > 1 || !self.unblock(state) {
                return None;
            }
        }
    }

    /// Called when no worker runs and no work may start. Either a join or a work gives way, or the run is over.
    /// Returns whether a work may start now. Otherwise the scheduler is closed.
    pub(super) fn unblock(&self, state: &mut SchedulerState) -> bool {
        while self.advance_joins(state)
            || self.joins.iter().any(|join| join.exceed_bound())
            || self.flow.iter().any(|node| self.finish_node(*node, state))
        {
            self.advance_joins(state);
            if self.find_ready(state).is_some() {
                return true;
            }
        }
        let waiting: Vec<_> = self
            .queues
            .iter()
            .filter(|queue| !queue.keeps_results() && queue.len() > 0)
            .map(|queue| (queue.name().to_owned(), queue.len()))
            .collect();
        if !waiting.is_empty() {
            state.stalled = Some(Stalled { waiting, errors: Vec::new() });
        }
        self.close();
        false
    }

    /// Tells a work or a join that no further item will come to it. Nodes are asked in flow order: what one of
    /// them now gives away may be what those behind it wait for.
    fn finish_node(&self, node: FlowNode, state: &mut SchedulerState) -> bool {
        match node {
            FlowNode::Work(index) => self.works[index].work.finish(),
            FlowNode::Join(index) => self.joins[index].fail_incomplete(&mut state.progress),
        }
    }

    /// Moves items through joins, as far as possible.
    pub(super) fn advance_joins(&self, state: &mut SchedulerState) -> bool {
        let mut any = false;
        // What one join moves may feed another one, or make room for it.
        loop {
            let mut moved = false;
            for join in &self.joins {
                moved |= join.advance(&mut state.progress);
            }
            if !moved {
                return any;
            }
            any = true;
        }
    }

    /// Requests one more worker, if more items are ready than the present worker will run, and if they are
    /// worth it. The present worker will be busy for `busy_for`.
    pub fn request_worker(&self, state: &mut SchedulerState, busy_for: Duration) {
        if self.single_worker && state.workers > 0 {
            return;
        }
        for (index, work) in self.works.iter().enumerate() {
            let worker_is_free = match work.kind {
                Kind::Io => state.busy_io + self.requested(state, Kind::Io) < self.max_workers,
                Kind::Cpu => state.busy_cpu + self.requested(state, Kind::Cpu) < self.max_workers,
                _ => state.requested[index] == 0,
            };
            let ready = if worker_is_free { work.work.ready() } else { 0 };
            // No more workers than items.
            if ready > state.requested[index] && work.is_worth_a_worker(ready, busy_for) {
                state.requested[index] += 1;
                state.workers += 1;
                work.worker_requests.notify();
                return;
            }
        }
    }

    /// The number of workers of this kind that were requested and have not arrived.
    fn requested(&self, state: &SchedulerState, kind: Kind) -> usize {
        let works = self.works.iter().zip(&state.requested);
        works.filter(|(work, _)| work.kind == kind).map(|(_, requested)| requested).sum()
    }

    /// Called from time to time. If no worker has delivered since the last call, an item takes longer than
    /// expected. Then another worker is requested for the items behind it.
    pub fn tick(&self) {
        let mut state = self.lock();
        if state.deliveries == state.deliveries_at_tick {
            self.request_worker(&mut state, Duration::MAX);
        }
        state.deliveries_at_tick = state.deliveries;
    }
}
