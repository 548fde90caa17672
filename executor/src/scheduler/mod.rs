//! The scheduler: it decides which work may start.
//!
//! A work may start if its input has an item, its outputs have room, a worker of its kind is free, and so are the
//! resources that it uses. All of this changes only when a worker takes items or delivers values. A worker does both
//! under one lock: it delivers, asks the scheduler which work may start now, takes items of that work, and
//! leaves the lock. So a worker goes from item to item without waiting for anybody. It leaves its thread only
//! when there is nothing to do. Nothing polls.
//!
//! # Order
//!
//! The scheduler looks at the works from the end of the graph to its beginning, unless they have priorities, and
//! takes the first that may start. So an item that is nearly done leaves memory before a new one enters it.
//!
//! # Number of workers
//!
//! Workers are requested one by one. A worker that takes items may see that more items are ready. Then it
//! requests one more worker: it notifies the loop of a work, and the loop starts the worker in the nursery. It
//! costs time to wake a thread. Items that take less time are not worth a worker, if the present one comes back
//! soon. `scheduled_work` measures how long items take.
//!
//! # Where to read
//!
//! `worker` is what runs in a thread, `task_worker` what awaits tasks. `choose` has the decisions. `state` is what
//! changes under the lock, `summary` what is known at the end. `notify` wakes a loop from any thread. The loops are
//! in [`run`](crate::run).

mod choose;
mod notify;
mod resources;
mod scheduled_work;
mod state;
mod summary;
mod task_worker;
mod worker;

use std::{
    cmp::Reverse,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::{
    graph::{
        AnyQueue, ItemError, Join, KeptErrors, Key, Kind, OneShotFn, Progress, Topology, WorkBody, WorkNode,
    },
    run::{Ending, GaveUp, Observer, Options},
};
pub(crate) use choose::Who;
use notify::Notify;
use resources::Resources;
use scheduled_work::Body;
pub(crate) use scheduled_work::ScheduledWork;
use state::SchedulerState;
pub(crate) use task_worker::TaskWorker;
pub(crate) use worker::Worker;

/// A run gives up when so many calls have failed because nothing can be written.
const FEW_WRITE_FAILURES: usize = 3;

/// What all workers of a run share.
pub(crate) struct Scheduler {
    /// All works except one-shot ones and joins, in the order in which they start: by priority, and then from the end
    /// of the graph to its beginning.
    pub works: Vec<ScheduledWork>,
    /// The joins, from the end of the graph to its beginning.
    joins: Vec<Box<dyn Join>>,
    /// Works and joins in flow order.
    flow: Vec<FlowNode>,
    queues: Vec<Arc<dyn AnyQueue>>,
    /// Is one of the works a task?
    has_tasks: bool,
    max_workers: usize,
    queue_limit: usize,
    /// How many items a batch has at most: half a queue. If an item turns out to be slow, other workers have
    /// the other half.
    max_batch: usize,
    /// Is there never more than one worker, apart from those of tasks?
    single_worker: bool,
    pub stop_if_error: bool,
    max_errors: Option<usize>,
    /// How many calls have failed.
    errors: AtomicUsize,
    /// How many of them have failed because nothing can be written.
    write_failures: AtomicUsize,
    closed: AtomicBool,
    state: Mutex<SchedulerState>,
    /// Notified when the scheduler is closed.
    pub closing: Notify,
    /// The same, for threads that wait.
    closed_in_threads: Condvar,
    observers: OnceLock<Vec<Box<dyn Observer>>>,
}

/// A work or a join, by its index.
#[derive(Clone, Copy)]
enum FlowNode {
    Work(usize),
    Join(usize),
}

/// A one-shot work, taken out of its topology.
pub(crate) type OneShot = (Arc<str>, OneShotFn);

impl Scheduler {
    /// Takes a checked topology apart. Returns the one-shot works in the order in which they must run, and the
    /// scheduler of the other works.
    pub fn new(topology: Topology, options: &Options, single_worker: bool) -> (Vec<OneShot>, Scheduler) {
        let order = topology.flow_order();
        let queues = topology.queues;
        let mut nodes: Vec<Option<WorkNode>> = topology.works.into_iter().map(Some).collect();
        let (mut one_shots, mut works, mut joins) = (Vec::new(), Vec::new(), Vec::new());
        let mut flow = Vec::new();
        let resources = Resources::new(options.resources());
        for node in order.into_iter().filter_map(|index| nodes[index].take()) {
            let WorkNode { name, kind, inputs, settings, body, .. } = node;
            let body = match body {
                WorkBody::OneShot(function) => {
                    one_shots.push((name, function));
                    continue;
                }
                WorkBody::Join(join) => {
                    flow.push(FlowNode::Join(joins.len()));
                    joins.push(join);
                    continue;
                }
                WorkBody::Called(work) => Body::Called(work),
                WorkBody::Task(work) => Body::Task(work),
            };
            flow.push(FlowNode::Work(works.len()));
            let inputs = inputs.iter().map(|id| queues[id.index].clone()).collect();
            // Sources and global works run one call at a time by themselves.
            let most =
                if matches!(kind, Kind::Source | Kind::Global) { 1 } else { options.get_max_workers() };
            let work = ScheduledWork::new((name, kind, body), &settings, &resources, most, inputs);
            works.push((works.len(), work));
        }
        // From the end of the graph to its beginning, but works with a higher priority first. So the indices change.
        works.reverse();
        works.sort_by_key(|(_, work)| Reverse(work.priority));
        for node in &mut flow {
            match node {
                FlowNode::Join(index) => *index = joins.len() - 1 - *index,
                FlowNode::Work(index) => {
                    *index = works.iter().position(|(at, _)| at == index).unwrap_or(*index);
                }
            }
        }
        joins.reverse();
        let works: Vec<ScheduledWork> = works.into_iter().map(|(_, work)| work).collect();
        let queue_limit = options.get_queue_limit();
        let scheduler = Scheduler {
            state: Mutex::new(SchedulerState {
                running: vec![0; works.len()],
                requested: vec![0; works.len()],
                free: resources.all(),
                failed: KeptErrors::new(options.get_errors_kept()),
                progress: Progress::new(options.get_errors_kept()),
                ..SchedulerState::default()
            }),
            has_tasks: works.iter().any(ScheduledWork::is_task),
            works,
            joins,
            flow,
            queues,
            max_workers: options.get_max_workers(),
            queue_limit,
            max_batch: (queue_limit / 2).max(1),
            single_worker,
            stop_if_error: options.get_stop_if_error(),
            max_errors: options.get_max_errors(),
            errors: AtomicUsize::new(0),
            write_failures: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            closing: Notify::default(),
            closed_in_threads: Condvar::new(),
            observers: OnceLock::new(),
        };
        (one_shots, scheduler)
    }

    /// Starts the run after the one-shot works: from now on the limit of the queues holds, and the first worker
    /// is requested.
    pub fn open(&self, observers: Vec<Box<dyn Observer>>) {
        let mut state = self.lock();
        for queue in &self.queues {
            queue.set_limit(self.queue_limit);
        }
        state.progress.keys_wanted = !observers.is_empty();
        // Items that one-shot works have put into queues of results have arrived.
        for queue in self.queues.iter().filter(|queue| queue.keeps_results()) {
            queue.report_newest(queue.len(), &mut state.progress);
        }
        // It cannot fail: a scheduler is opened once.
        let _ = self.observers.set(observers);
        if self.find_ready(&state, Who::Anybody).is_some() || self.unblock(&mut state) {
            self.request_worker(&mut state, Duration::MAX);
        }
    }

    /// The observers of the run. There are none before the scheduler is opened.
    pub fn observers(&self) -> &[Box<dyn Observer>] {
        self.observers.get().map_or(&[], Vec::as_slice)
    }

    /// Reports an item that has arrived, to the log and to the observers.
    pub fn report_arrival(&self, key: &Key, error: Option<&ItemError>) {
        if let Some(error) = error {
            log::error!("`{key}`: {error}");
        }
        for observer in self.observers() {
            observer.arrived(key, error);
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, SchedulerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is the run about to end? Then nothing new may start.
    pub fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }

    /// Lets nothing new start. Items that run now are finished.
    pub fn close(&self) {
        if !self.closed.swap(true, SeqCst) {
            for work in &self.works {
                work.worker_requests.notify();
            }
            self.closing.notify();
            self.closed_in_threads.notify_all();
        }
    }

    /// Ends the run early, unless it has ended. A run that was stopped may still be cancelled.
    pub fn end_early(&self, ending: Ending) {
        let mut state = self.lock();
        if !self.is_closed() || state.early_ending == Some(Ending::Stopped) {
            state.early_ending = Some(ending);
        }
        drop(state);
        self.close();
        self.closing.notify();
    }

    /// Ends the run because it makes no sense to go on.
    fn give_up(&self, reason: GaveUp) {
        let mut state = self.lock();
        if self.is_closed() {
            return;
        }
        state.early_ending = Some(Ending::GaveUp);
        state.gave_up = Some(reason);
        drop(state);
        self.close();
    }

    /// Counts an error of a work, and gives up if there are too many, or if nothing can be written any more.
    pub fn count_error(&self, error: &ItemError) {
        let count = self.errors.fetch_add(1, SeqCst) + 1;
        if self.max_errors.is_some_and(|most| count >= most) {
            self.give_up(GaveUp::TooManyErrors(count));
        }
        // One such error may be about one file. A few are about the disk.
        if error.is_no_room() && self.write_failures.fetch_add(1, SeqCst) + 1 == FEW_WRITE_FAILURES {
            self.give_up(GaveUp::NoRoom(error.clone()));
        }
    }

    /// How somebody has ended the run early.
    pub fn early_ending(&self) -> Option<Ending> {
        self.lock().early_ending
    }

    /// A worker that was requested for a work has arrived.
    pub fn requested_worker_arrived(&self, work: usize) {
        self.lock().requested[work] -= 1;
    }

    /// Blocks a thread for so long. Returns false, earlier, when the scheduler is closed.
    pub fn pause(&self, wait: Duration) -> bool {
        let state = self.lock();
        let paused = self.closed_in_threads.wait_timeout_while(state, wait, |_| !self.is_closed());
        drop(paused);
        !self.is_closed()
    }

    /// A worker has arrived that nobody has requested.
    pub fn unrequested_worker_arrived(&self) {
        self.lock().workers += 1;
    }

    /// A worker has delivered a batch of a work. Joins now move what the new items allow. Items that have
    /// arrived are added to `arrived`.
    pub fn delivered(
        &self,
        state: &mut SchedulerState,
        work: usize,
        arrived: &mut Vec<(Key, Option<ItemError>)>,
    ) {
        state.end(work, &self.works[work]);
        state.deliveries = state.deliveries.wrapping_add(1);
        if !self.joins.is_empty() {
            self.advance_joins(state);
        }
        let state = &mut *state;
        for (key, error) in &state.progress.arrived {
            if let Some(error) = error {
                state.failed.add(key.clone(), error.clone());
            }
        }
        arrived.append(&mut state.progress.arrived);
        state.progress.forget_counted();
    }
}
