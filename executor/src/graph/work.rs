//! Works, with the types of their items forgotten, so that one executor can run them all.
//!
//! A work keeps typed handles of its queues. What it shows to the executor are two small traits that
//! speak of counts and keys only: nothing is ever cast back, so there is nothing to get wrong at run
//! time. [`Work`] is what all workers share, [`Hand`] what one worker holds of a work while it works
//! for it. A hand is used in three strokes, *take*, *work*, *deliver*; the first and the last happen
//! under the executor's lock and only move items, the middle one calls the user's function.
//!
//! A hand may take several items in one stroke. For a work of milliseconds it takes one; for a work
//! of nanoseconds the strokes around it would cost more than the work itself, unless shared.

use std::{fmt, sync::Arc, time::Duration};

use super::{BoxError, ItemError, Key, QueueId, queue_set::Ends};

/// How a work is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Once, before all others, on the executor's own thread.
    OneShot,
    /// A series that is listed as far as there is room for what it lists.
    Source,
    /// Once for each item, in a worker thread that mostly waits.
    Io,
    /// Once for each item, in a worker thread that mostly computes.
    Cpu,
    /// With its whole queues, whenever something has changed in them.
    Global,
    /// Whenever something arrives: brings items together.
    Join,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::OneShot => "one-shot",
            Kind::Source => "source",
            Kind::Io => "io",
            Kind::Cpu => "cpu",
            Kind::Global => "global",
            Kind::Join => "join",
        })
    }
}

/// A node of the topology's graph.
pub(crate) struct WorkNode {
    pub name: Arc<str>,
    pub kind: Kind,
    pub inputs: Vec<QueueId>,
    pub outputs: Vec<QueueId>,
    /// How many of the inputs, the first ones, must be filled before the loops start.
    pub early: usize,
    pub body: Body,
}

/// A one-shot work's function, its queues bound.
pub(crate) type OneShotFn = Box<dyn FnOnce() -> Result<(), BoxError>>;

pub(crate) enum Body {
    OneShot(OneShotFn),
    Work(Arc<dyn Work>),
    Join(Box<dyn Join>),
}

/// A source, an io, a cpu or a global work.
pub(crate) trait Work: Send + Sync {
    /// How many items could be taken on now, as far as the queues go; 0 if the work cannot start.
    fn ready(&self) -> usize;

    /// Whether a hand takes one item at a time only, whatever the work's pace.
    fn one_by_one(&self) -> bool {
        false
    }

    /// For works that gather: nothing else can go on any more, so this is the last call. Returns
    /// whether that makes the work ready.
    fn end(&self) -> bool {
        false
    }

    /// For works that list: has everything been listed?
    fn is_exhausted(&self) -> bool {
        true
    }

    /// For works that gather: how many items were taken out of their inputs, and put into their outputs.
    fn gathered(&self) -> Option<(usize, usize)> {
        None
    }

    /// What a worker holds of this work.
    fn hand(self: Arc<Self>) -> Box<dyn Hand>;
}

/// What one worker holds of one work.
pub(crate) trait Hand: Send {
    /// Takes up to `most` items and promises them their places. Under the executor's lock.
    fn take(&mut self, most: usize);

    /// Calls the work's function for each item taken, and returns how many calls were made. Stops
    /// early when the run is to end.
    fn work(&mut self, watch: &dyn Watch) -> usize;

    /// Puts values and errors where they go, and what was not touched back. Under the executor's
    /// lock.
    fn deliver(&mut self, ends: &mut Ends);
}

/// Told of each call that a hand makes.
pub(crate) trait Watch {
    /// Shall the next item still be begun?
    fn goes_on(&self) -> bool;
    /// Are `started` and `finished` wanted?
    fn is_curious(&self) -> bool;
    fn started(&self, key: &Key);
    fn finished(&self, key: &Key, elapsed: Duration, error: Option<&ItemError>);
    /// An item has failed in this very call.
    fn failed(&self, error: &ItemError);
}

/// A join work. Its methods are called under the executor's lock and move values only.
pub(crate) trait Join: Send + Sync {
    /// Moves what can be moved; returns whether anything was.
    fn advance(&self, ends: &mut Ends) -> bool;

    /// Called when nothing else can go on: takes in more than the bound allows, so that others may
    /// pass. Returns whether it did.
    fn yield_bound(&self) -> bool;

    /// Called when nothing can go on, though every join has yielded its bound: nothing more will
    /// come, so that what still misses a partner leaves as an error. Returns whether anything did.
    fn give_up(&self, ends: &mut Ends) -> bool;

    /// The keys of the items that it holds.
    fn held(&self) -> Vec<Key>;

    fn name(&self) -> &str;
}
