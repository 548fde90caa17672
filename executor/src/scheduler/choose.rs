//! Decisions: which work starts next, when another worker is needed, when the run is over.

use std::time::Duration;

use super::{FlowNode, Scheduler, SchedulerState};
use crate::{graph::Kind, run::Stalled};

/// Who looks for something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A worker in a thread: it may run every work but tasks.
    Thread,
    /// A worker of this task.
    Task(usize),
    /// Whoever may run it.
    Anybody,
}

impl Scheduler {
    /// The first work that may start and that `who` may run, and how many items it could take.
    pub(super) fn find_ready(&self, state: &SchedulerState, who: Who) -> Option<(usize, usize)> {
        let mine = |index: usize, is_task: bool| match who {
            Who::Thread => !is_task,
            Who::Task(own) => index == own,
            Who::Anybody => true,
        };
        self.works.iter().enumerate().filter(|(index, work)| mine(*index, work.is_task())).find_map(
            |(index, work)| {
                let ready = if self.has_place(state, index, false) { work.work().ready() } else { 0 };
                (ready > 0).then_some((index, ready))
            },
        )
    }

    /// May one more call of a work run, by its own limit, by that of its kind, and by what it uses? With `requested`,
    /// workers that were requested count as if they ran already.
    fn has_place(&self, state: &SchedulerState, index: usize, requested: bool) -> bool {
        let work = &self.works[index];
        let coming = if requested { state.requested[index] } else { 0 };
        if state.running[index] + coming >= work.max_workers {
            return false;
        }
        let of_kind = |kind| if requested { self.requested(state, kind) } else { 0 };
        let kind_has_place = match work.kind {
            Kind::Io => state.busy_io + of_kind(Kind::Io) < self.max_workers,
            Kind::Cpu => state.busy_cpu + of_kind(Kind::Cpu) < self.max_workers,
            _ => true,
        };
        let is_free = |(resource, amount): &(usize, u64)| {
            amount.saturating_mul(coming as u64 + 1) <= state.free[*resource]
        };
        kind_has_place && work.uses.iter().all(is_free)
    }

    /// What a worker does next: the index of a work, and how many items it takes. From now on the worker
    /// counts as busy. `None` if there is nothing to do for it: it must leave.
    pub fn next(&self, state: &mut SchedulerState, who: Who) -> Option<(usize, usize)> {
        loop {
            if self.is_closed() {
                return None;
            }
            if let Some((index, ready)) = self.find_ready(state, who) {
                let work = &self.works[index];
                state.begin(index, work);
                return Some((index, work.batch_size(ready.min(self.max_batch))));
            }
            // What this worker may not run, another one may. Other workers run or will come, and what they deliver
            // may make a work ready.
            if (self.has_tasks && self.request_worker(state, Duration::MAX))
                || state.workers > 1
                || !self.unblock(state)
            {
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
            if self.find_ready(state, Who::Anybody).is_some() {
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
            FlowNode::Work(index) => self.works[index].work().finish(),
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
    /// worth it. The present worker will be busy for `busy_for`. Returns whether a worker was requested.
    pub fn request_worker(&self, state: &mut SchedulerState, busy_for: Duration) -> bool {
        let no_threads = self.single_worker && state.workers > state.task_workers;
        if no_threads && !self.has_tasks {
            return false;
        }
        for (index, work) in self.works.iter().enumerate() {
            if (no_threads && !work.is_task()) || !self.has_place(state, index, true) {
                continue;
            }
            let ready = work.work().ready();
            // No more workers than items.
            if ready > state.requested[index] && work.is_worth_a_worker(ready, busy_for) {
                state.requested[index] += 1;
                state.workers += 1;
                state.task_workers += usize::from(work.is_task());
                work.worker_requests.notify();
                return true;
            }
        }
        false
    }

    /// The number of workers of this kind that were requested and have not arrived.
    fn requested(&self, state: &SchedulerState, kind: Kind) -> usize {
        let works = self.works.iter().zip(&state.requested);
        works.filter(|(work, _)| work.kind == kind).map(|(_, requested)| requested).sum()
    }

    /// Called from time to time; `elapsed` is the time since the last call. If no worker has delivered since the last
    /// call, an item takes longer than expected. Then another worker is requested for the items behind it.
    pub fn tick(&self, elapsed: Duration) {
        for work in &self.works {
            work.record_wait(elapsed);
        }
        let mut state = self.lock();
        if state.deliveries == state.deliveries_at_tick {
            self.request_worker(&mut state, Duration::MAX);
        }
        state.deliveries_at_tick = state.deliveries;
    }
}
