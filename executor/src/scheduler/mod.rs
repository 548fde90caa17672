//! The board: who may start now. What all workers share.
//!
//! Whether a work may start depends on three things: its input has an item, a worker of its kind is
//! free, its outputs have room. All three change only when a worker takes items or delivers them,
//! and a worker does both under one lock, in one go: it delivers, looks at the board what may start
//! now, takes that, and leaves. So a worker goes from item to item without asking anybody, and a
//! thread is left only when there is nothing to do. Nothing polls.
//!
//! Works are looked at from the end of the topology to its beginning, and the first that may start
//! is taken: what is nearly done leaves memory before something new enters it.
//!
//! Workers are called one after the other: whoever takes an item and sees that more could start
//! calls one more worker, by the bell of the work's loop, which starts it in the nursery. Handing
//! work to a thread costs some time; what takes less is not worth a call, as long as whoever
//! is there comes back soon to do it. How long a work takes is measured as it runs, see `stage`.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

mod notify;
mod scheduled_work;
mod worker;

use notify::Bell;
pub(crate) use scheduled_work::Stage;
pub(crate) use worker::Shift;

use crate::graph::{AnyQueue, Body, Ends, ItemError, Join, Key, Kind, OneShotFn, Topology, WorkNode};
use crate::run::{Ending, Gathered, Observer, Options, Stalled, Statistics, Unfinished, Unused};

/// The state that all workers of a run share.
pub(crate) struct Board {
    /// All works but one-shot ones and joins, the most downstream first.
    pub stages: Vec<Stage>,
    /// Joins, the most downstream first.
    joins: Vec<Box<dyn Join>>,
    /// Stages and joins in the direction of flow.
    flow: Vec<Node>,
    queues: Vec<Arc<dyn AnyQueue>>,
    workers: usize,
    queue_limit: usize,
    /// How many items a worker takes at once, at most. Half a queue: if one of them turns out to be
    /// slow, the other half is there for the others.
    most: usize,
    /// Is there one worker only, so that nobody else can be called?
    lone: bool,
    pub stops_if_error: bool,
    closed: AtomicBool,
    state: Mutex<State>,
    /// Rung when the run is closed.
    pub end: Bell,
    observers: OnceLock<Vec<Box<dyn Observer>>>,
}

/// A work, by its place among its like.
#[derive(Clone, Copy)]
enum Node {
    Stage(usize),
    Join(usize),
}

/// What changes.
#[derive(Default)]
pub(crate) struct State {
    busy_io: usize,
    busy_cpu: usize,
    /// Workers of all other kinds, which have no limit.
    uncounted: usize,
    /// How many workers were called for each stage and are not there yet.
    coming: Vec<usize>,
    /// Workers that are there or coming.
    shifts: usize,
    /// How often a worker has delivered, and how often it had at the last tick.
    turns: usize,
    turns_at_tick: usize,
    asked: Option<Ending>,
    stalled: Option<Stalled>,
    failed: Vec<(Key, ItemError)>,
    ends: Ends,
}

/// What is left when the run is over.
pub(crate) struct Left {
    pub ending: Ending,
    pub done: usize,
    pub failed: Vec<(Key, ItemError)>,
    pub errors: Vec<ItemError>,
    pub unused: Vec<Unused>,
    pub unfinished: Vec<Unfinished>,
    pub gathered: Vec<Gathered>,
    pub stalled: Option<Stalled>,
}

/// A one-shot work, taken out of its topology.
pub(crate) type OneShot = (Arc<str>, OneShotFn);

impl Board {
    /// Takes a checked topology apart: its one-shot works in the order in which they are to run, and
    /// the rest.
    pub fn new(topology: Topology, options: &Options, lone: bool) -> (Vec<OneShot>, Board) {
        let order = topology.flow_order();
        let queues = topology.queues;
        let mut works: Vec<Option<WorkNode>> = topology.works.into_iter().map(Some).collect();
        let (mut one_shots, mut stages, mut joins) = (Vec::new(), Vec::new(), Vec::new());
        let mut flow = Vec::new();
        for work in order.into_iter().filter_map(|index| works[index].take()) {
            match work.body {
                Body::OneShot(function) => one_shots.push((work.name, function)),
                Body::Join(join) => {
                    flow.push(Node::Join(joins.len()));
                    joins.push(join);
                }
                Body::Work(body) => {
                    flow.push(Node::Stage(stages.len()));
                    stages.push(Stage::new(work.name, work.kind, body));
                }
            }
        }
        for node in &mut flow {
            match node {
                Node::Join(index) => *index = joins.len() - 1 - *index,
                Node::Stage(index) => *index = stages.len() - 1 - *index,
            }
        }
        stages.reverse();
        joins.reverse();
        let board = Board {
            state: Mutex::new(State { coming: vec![0; stages.len()], ..State::default() }),
            stages,
            joins,
            flow,
            queues,
            workers: options.workers(),
            queue_limit: options.queue_limit(),
            most: (options.queue_limit() / 2).max(1),
            lone,
            stops_if_error: options.stops_if_error(),
            closed: AtomicBool::new(false),
            end: Bell::default(),
            observers: OnceLock::new(),
        };
        (one_shots, board)
    }

    /// To be called when the one-shot works have run: the queues' limit is in force from now on, and
    /// the first worker is called.
    pub fn open(&self, observers: Vec<Box<dyn Observer>>) {
        let mut state = self.lock();
        for queue in &self.queues {
            queue.set_limit(self.queue_limit);
        }
        state.ends.wanted = !observers.is_empty();
        // What a one-shot work has put where results are kept is at its end already.
        for queue in self.queues.iter().filter(|queue| queue.keeps_results()) {
            queue.tell_newest(queue.len(), &mut state.ends);
        }
        // A board is opened once.
        let _ = self.observers.set(observers);
        if self.pick(&state).is_some() || self.unblock(&mut state) {
            self.call_help(&mut state, Duration::MAX);
        }
    }

    /// Who is told what happens.
    pub fn observers(&self) -> &[Box<dyn Observer>] {
        self.observers.get().map_or(&[], Vec::as_slice)
    }

    /// Tells that an item has reached the end of its way.
    pub fn tell_arrived(&self, key: &Key, error: Option<&ItemError>) {
        if let Some(error) = error {
            log::error!("`{key}`: {error}");
        }
        for observer in self.observers() {
            observer.arrived(key, error);
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shall nothing be started any more?
    pub fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }

    /// Lets nothing start any more; what runs goes on.
    pub fn close(&self) {
        if !self.closed.swap(true, SeqCst) {
            for stage in &self.stages {
                stage.bell.ring();
            }
            self.end.ring();
        }
    }

    /// Ends the run early, unless it has ended.
    pub fn ask(&self, ending: Ending) {
        let mut state = self.lock();
        if !self.is_closed() || state.asked == Some(Ending::Stopped) {
            state.asked = Some(ending);
        }
        drop(state);
        self.close();
        self.end.ring();
    }

    pub fn asked(&self) -> Option<Ending> {
        self.lock().asked
    }

    /// Which stage may start, and how many items it could take on.
    fn pick(&self, state: &State) -> Option<(usize, usize)> {
        self.stages.iter().enumerate().find_map(|(index, stage)| {
            let free = match stage.kind {
                Kind::Io => state.busy_io < self.workers,
                Kind::Cpu => state.busy_cpu < self.workers,
                _ => true,
            };
            let ready = if free { stage.work.ready() } else { 0 };
            (ready > 0).then_some((index, ready))
        })
    }

    /// What a worker is to do next: a stage, and how many items at once. It counts as busy from here
    /// on. `None` if there is nothing to do.
    pub fn next(&self, state: &mut State) -> Option<(usize, usize)> {
        loop {
            if self.is_closed() {
                return None;
            }
            if let Some((index, ready)) = self.pick(state) {
                let stage = &self.stages[index];
                *state.busy(stage.kind) += 1;
                return Some((index, stage.handful(ready.min(self.most))));
            }
            // Others are there, or coming: what they deliver may change everything.
            if state.shifts > 1 || !self.unblock(state) {
                return None;
            }
        }
    }

    /// Nothing runs and nothing may start: this is the end, unless something gives way. Returns
    /// whether anything did; otherwise the run is closed.
    fn unblock(&self, state: &mut State) -> bool {
        while self.advance_joins(state)
            || self.joins.iter().any(|join| join.yield_bound())
            || self.flow.iter().any(|node| self.ends(*node, state))
        {
            self.advance_joins(state);
            if self.pick(state).is_some() {
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

    /// Has a work notice that nothing more will come to it. Who is upstream must be asked first: what
    /// he gives away in the end may be what those behind him wait for.
    fn ends(&self, node: Node, state: &mut State) -> bool {
        match node {
            Node::Stage(index) => self.stages[index].work.end(),
            Node::Join(index) => self.joins[index].give_up(&mut state.ends),
        }
    }

    fn advance_joins(&self, state: &mut State) -> bool {
        let mut any = false;
        // What one join moves may feed another or make room for it.
        loop {
            let mut moved = false;
            for join in &self.joins {
                moved |= join.advance(&mut state.ends);
            }
            if !moved {
                return any;
            }
            any = true;
        }
    }

    /// Calls one more worker if more could start than whoever asks will do himself, and it is worth
    /// it: he will be `away` for so long.
    pub fn call_help(&self, state: &mut State, away: Duration) {
        if self.lone && state.shifts > 0 {
            return;
        }
        for (index, stage) in self.stages.iter().enumerate() {
            let free = match stage.kind {
                Kind::Io => state.busy_io + self.coming(state, Kind::Io) < self.workers,
                Kind::Cpu => state.busy_cpu + self.coming(state, Kind::Cpu) < self.workers,
                _ => state.coming[index] == 0,
            };
            let ready = if free { stage.work.ready() } else { 0 };
            // For each item that waits one worker is enough.
            if ready > state.coming[index] && stage.is_worth(ready, away) {
                state.coming[index] += 1;
                state.shifts += 1;
                stage.bell.ring();
                return;
            }
        }
    }

    /// Calls a worker for what has been waiting since the last tick, if nobody has delivered since:
    /// whoever was expected to come back soon has met an item that is slow.
    pub fn tick(&self) {
        let mut state = self.lock();
        if state.turns == state.turns_at_tick {
            self.call_help(&mut state, Duration::MAX);
        }
        state.turns_at_tick = state.turns;
    }

    fn coming(&self, state: &State, kind: Kind) -> usize {
        let of_kind = |(stage, _): &(&Stage, &usize)| stage.kind == kind;
        self.stages.iter().zip(&state.coming).filter(of_kind).map(|(_, coming)| coming).sum()
    }

    /// A worker that was called for a stage is there.
    pub fn arrive(&self, stage: usize) {
        self.lock().coming[stage] -= 1;
    }

    /// A worker that nobody called is there.
    pub fn arrive_uncalled(&self) {
        self.lock().shifts += 1;
    }

    /// A worker leaves.
    pub fn leave(&self, state: &mut State) {
        state.shifts -= 1;
    }

    /// A worker has done with a stage and delivered: moves what its items let move. What has arrived
    /// at the end is added to `arrived`.
    pub fn settle(&self, state: &mut State, stage: usize, arrived: &mut Vec<(Key, Option<ItemError>)>) {
        *state.busy(self.stages[stage].kind) -= 1;
        state.turns = state.turns.wrapping_add(1);
        if !self.joins.is_empty() {
            self.advance_joins(state);
        }
        for (key, error) in &state.ends.arrived {
            if let Some(error) = error {
                state.failed.push((key.clone(), error.clone()));
            }
        }
        arrived.append(&mut state.ends.arrived);
    }

    pub fn statistics(&self) -> Statistics {
        let state = self.lock();
        Statistics {
            io_workers: state.busy_io,
            cpu_workers: state.busy_cpu,
            waiting: self.queues.iter().map(|queue| (queue.name().to_owned(), queue.len())).collect(),
            done: state.ends.done,
            failed: state.failed.len(),
        }
    }

    /// To be called when all workers have left.
    pub fn take_left(&self) -> Left {
        let mut state = self.lock();
        // What a join has moved to an end last of all.
        let mut arrived = std::mem::take(&mut state.ends.arrived);
        // Errors that a work took out of its queues and did not pass on: nobody else would tell them.
        let lost: Vec<ItemError> = state.ends.raised.drain(..).filter(|error| !error.is_told()).collect();
        arrived.extend(lost.into_iter().map(|error| (error.key().clone(), Some(error))));
        for (key, error) in arrived {
            self.tell_arrived(&key, error.as_ref());
            state.failed.extend(error.map(|error| (key, error)));
        }
        let errors = std::mem::take(&mut state.ends.of_works);
        let unused = std::mem::take(&mut state.ends.unused);
        let finished = if errors.is_empty() { Ending::Finished } else { Ending::Failed };
        Left {
            ending: state.asked.unwrap_or(finished),
            done: state.ends.done,
            failed: std::mem::take(&mut state.failed),
            errors,
            unused: unused.into_iter().map(|(work, key)| Unused { work: work.to_string(), key }).collect(),
            unfinished: self.unfinished(),
            gathered: self.gathered(),
            stalled: state.stalled.take(),
        }
    }

    /// What has not reached an end: in queues, in joins, in sources.
    fn unfinished(&self) -> Vec<Unfinished> {
        let queues = self.queues.iter().filter(|queue| !queue.keeps_results());
        let queues = queues.map(|queue| (queue.name(), queue.keys()));
        let joins = self.joins.iter().map(|join| (join.name(), join.held()));
        let sources = self.stages.iter().filter(|stage| !stage.work.is_exhausted());
        let waiting = queues.chain(joins).filter(|(_, keys)| !keys.is_empty());
        waiting
            .chain(sources.map(|stage| (&*stage.name, Vec::new())))
            .map(|(at, keys)| Unfinished { at: at.to_owned(), keys })
            .collect()
    }

    fn gathered(&self) -> Vec<Gathered> {
        let counts = |stage: &Stage| {
            let (taken, made) = stage.work.gathered()?;
            Some(Gathered { work: stage.name.to_string(), taken, made })
        };
        self.stages.iter().filter_map(counts).collect()
    }
}

impl State {
    fn busy(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Io => &mut self.busy_io,
            Kind::Cpu => &mut self.busy_cpu,
            // Not limited: these works see to it themselves that they run once at a time.
            _ => &mut self.uncounted,
        }
    }

    /// Where deliveries say what has reached the end of its way.
    pub fn ends(&mut self) -> &mut Ends {
        &mut self.ends
    }
}
