//! Who may start now.
//!
//! Whether a work may start an item depends on three things: its input has one, a worker of its
//! kind is free, its output has room. All three change only at a few points (an item was delivered,
//! taken, moved by a join), and after each of them [`Scheduler::settle`] rings the bell of every
//! work that may start now. Nothing polls and nothing sleeps.
//!
//! When several works could start and workers are short, the one nearest to the end of the topology
//! goes first: what is nearly done leaves memory before something new enters it. Each stage is asked
//! in that order, and a work whose kind has a more downstream work ready to start must wait.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use super::{Ending, Observer, Options, bell::Bell, outcome::Stalled};
use crate::topology::{
    AnyQueue, Begun, Body, Delivery, ItemError, Join, Key, Kind, MultiShot, Topology, WorkNode,
};

/// The state that all loops share.
pub(super) struct Scheduler {
    /// Io and cpu works, the most downstream first.
    pub stages: Vec<Stage>,
    /// Joins, the most downstream first.
    joins: Vec<Box<dyn Join>>,
    queues: Vec<Rc<dyn AnyQueue>>,
    pub options: Options,
    busy_io: Cell<usize>,
    busy_cpu: Cell<usize>,
    /// Set when no loop shall start anything any more.
    closed: Cell<bool>,
    /// How the run was asked to end early, if it was.
    pub asked: Cell<Option<Ending>>,
    stalled: RefCell<Option<Stalled>>,
    pub tally: Tally,
    pub observer: RefCell<Option<Box<dyn Observer>>>,
}

/// An io or cpu work and what its loop needs.
pub(super) struct Stage {
    pub name: Arc<str>,
    pub kind: Kind,
    work: Box<dyn MultiShot>,
    input: Rc<dyn AnyQueue>,
    output: Option<Rc<dyn AnyQueue>>,
    pub bell: Bell,
}

/// What has arrived at the end.
#[derive(Default)]
pub(super) struct Tally {
    pub done: Cell<usize>,
    pub failed: RefCell<Vec<(Key, ItemError)>>,
    /// The first error of any work, wherever its item is now.
    pub first_error: RefCell<Option<ItemError>>,
}

/// A one-shot work, taken out of its topology.
pub(super) type OneShot = (Arc<str>, Box<dyn FnOnce() -> Result<(), crate::BoxError>>);

impl Scheduler {
    /// Takes a checked topology apart: its one-shot works in the order in which they are to run, and
    /// the rest.
    pub fn new(topology: Topology, options: Options) -> (Vec<OneShot>, Scheduler) {
        let order = topology.flow_order();
        let queues = topology.queues;
        let mut works: Vec<Option<WorkNode>> = topology.works.into_iter().map(Some).collect();
        let (mut one_shots, mut stages, mut joins) = (Vec::new(), Vec::new(), Vec::new());
        for work in order.into_iter().filter_map(|index| works[index].take()) {
            match work.body {
                Body::OneShot(function) => one_shots.push((work.name, function)),
                Body::Join(join) => joins.push(join),
                Body::MultiShot(body) => stages.push(Stage {
                    name: work.name,
                    kind: work.kind,
                    work: body,
                    input: queues[work.inputs[0].index].clone(),
                    output: work.outputs.first().map(|id| queues[id.index].clone()),
                    bell: Bell::default(),
                }),
            }
        }
        stages.reverse();
        joins.reverse();
        let scheduler = Scheduler {
            stages,
            joins,
            queues,
            options,
            busy_io: Cell::new(0),
            busy_cpu: Cell::new(0),
            closed: Cell::new(false),
            asked: Cell::new(None),
            stalled: RefCell::new(None),
            tally: Tally::default(),
            observer: RefCell::new(None),
        };
        (one_shots, scheduler)
    }

    /// Shall loops end?
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Lets every loop end; what runs goes on.
    pub fn close(&self) {
        self.closed.set(true);
        for stage in &self.stages {
            stage.bell.ring();
        }
    }

    /// Ends the run early, unless it has ended.
    pub fn ask(&self, ending: Ending) {
        if !self.is_closed() {
            self.asked.set(Some(ending));
            self.close();
        } else if self.asked.get() == Some(Ending::Stopped) {
            self.asked.set(Some(ending));
        }
    }

    pub fn take_stalled(&self) -> Option<Stalled> {
        self.stalled.take()
    }

    /// To be called after anything has changed: moves what joins can move, wakes the works that may
    /// start, and notices the end.
    pub fn settle(&self) {
        while !self.closed.get() {
            self.advance_joins();
            let mut ready = false;
            for stage in self.stages.iter().filter(|stage| self.may_start(stage)) {
                stage.bell.ring();
                ready = true;
            }
            if ready || self.busy_io.get() + self.busy_cpu.get() > 0 {
                return;
            }
            // Nothing runs and nothing can start: this is the end, or a join holds things up.
            let waiting: Vec<_> = self
                .queues
                .iter()
                .filter(|queue| !queue.keeps_results() && queue.len() > 0)
                .map(|queue| (queue.name().to_owned(), queue.len()))
                .collect();
            if waiting.is_empty() {
                self.close();
            } else if !self.joins.iter().any(|join| join.relieve()) {
                self.stalled.replace(Some(Stalled { waiting }));
                self.close();
            }
        }
    }

    fn advance_joins(&self) {
        // What one join moves may feed another or make room for it.
        loop {
            let limit = self.options.queue_limit();
            let moved: Vec<Delivery> = self.joins.iter().flat_map(|join| join.advance(limit)).collect();
            if moved.is_empty() {
                return;
            }
            for delivery in moved {
                self.count(delivery);
            }
        }
    }

    /// May this stage start an item now?
    pub fn may_start(&self, stage: &Stage) -> bool {
        if !self.could_start(stage) {
            return false;
        }
        if stage.input.front_is_error() {
            return true;
        }
        let first_of_kind = self
            .stages
            .iter()
            .filter(|other| other.kind == stage.kind)
            .find(|other| self.could_start(other) && !other.input.front_is_error());
        self.busy(stage.kind).get() < self.options.workers()
            && first_of_kind.is_some_and(|first| std::ptr::eq(first, stage))
    }

    /// Would it start if a worker were free and its turn had come?
    fn could_start(&self, stage: &Stage) -> bool {
        let has_room = stage
            .output
            .as_ref()
            .is_none_or(|queue| queue.keeps_results() || queue.load() < self.options.queue_limit());
        stage.input.len() > 0 && has_room
    }

    /// Takes an item. If it needs a worker, one is counted until the returned guard is dropped.
    pub fn begin(&self, stage: &Stage) -> Option<(Begun, Busy<'_>)> {
        let busy = Busy::new(self, stage.kind);
        Some((stage.work.begin()?, busy))
    }

    fn busy(&self, kind: Kind) -> &Cell<usize> {
        match kind {
            Kind::Io => &self.busy_io,
            _ => &self.busy_cpu,
        }
    }

    /// Remembers the first error of the run.
    pub fn note_error(&self, error: &ItemError) {
        self.tally.first_error.borrow_mut().get_or_insert_with(|| error.clone());
    }

    /// Counts an item if it has reached the end of its way.
    pub fn count(&self, delivery: Delivery) {
        let Delivery { key, error, at_end } = delivery;
        if !at_end {
            return;
        }
        if let Some(error) = &error {
            log::error!("`{key}`: {error}");
        }
        self.observe(|observer| observer.arrived(&key, error.as_ref()));
        match error {
            None => self.tally.done.set(self.tally.done.get() + 1),
            Some(error) => self.tally.failed.borrow_mut().push((key, error)),
        }
    }

    pub fn announce_start(&self, stage: &Stage, key: &Key) {
        log::debug!("`{key}`: {} starts", stage.name);
        self.observe(|observer| observer.started(&stage.name, key));
    }

    pub fn announce_finish(&self, stage: &Stage, delivery: &Delivery, elapsed: Duration) {
        let key = &delivery.key;
        log::info!("`{key}`: {} took {:.3} s", stage.name, elapsed.as_secs_f64());
        let error = delivery.error.as_ref();
        self.observe(|observer| observer.finished(&stage.name, key, elapsed, error));
    }

    fn observe(&self, tell: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &*self.observer.borrow() {
            tell(&**observer);
        }
    }
}

/// A worker at work. Counted from the moment an item is taken, so that between two awaits no more
/// items are taken than there are workers.
pub(super) struct Busy<'a> {
    scheduler: &'a Scheduler,
    kind: Kind,
}

impl<'a> Busy<'a> {
    fn new(scheduler: &'a Scheduler, kind: Kind) -> Self {
        let count = scheduler.busy(kind);
        count.set(count.get() + 1);
        Busy { scheduler, kind }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let count = self.scheduler.busy(self.kind);
        count.set(count.get() - 1);
    }
}
