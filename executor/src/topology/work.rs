//! Works, with the types of their items forgotten, so that one executor can run them all.
//!
//! A work keeps typed handles of its queues. What it shows to the executor is a small trait that
//! speaks of keys only: nothing is ever cast back, so there is nothing to get wrong at run time.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
};

use super::{BoxError, Item, ItemError, Key, Queue, QueueId};

/// How a work is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Once, before all others, on the executor's own thread.
    OneShot,
    /// Once for each item, in a worker thread that mostly waits.
    Io,
    /// Once for each item, in a worker thread that mostly computes.
    Cpu,
    /// Whenever something arrives, on the executor's own thread: brings items together.
    Join,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::OneShot => "one-shot",
            Kind::Io => "io",
            Kind::Cpu => "cpu",
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
    pub body: Body,
}

pub(crate) enum Body {
    OneShot(Box<dyn FnOnce() -> Result<(), BoxError>>),
    MultiShot(Box<dyn MultiShot>),
    Join(Box<dyn Join>),
}

/// An io or cpu work.
pub(crate) trait MultiShot {
    /// Takes the first item of the input; `None` if there is none.
    fn begin(&self) -> Option<Begun>;
}

/// What came of taking an item.
pub(crate) enum Begun {
    /// The item was an error and has been passed on: no worker is needed.
    PassedOn(Delivery),
    /// The item waits to be worked on.
    Job(Job),
}

/// One call of a work's function, in two halves: one for a worker thread, one for the executor's.
///
/// Dropping a job unused gives back the place it was promised in the output.
pub(crate) struct Job {
    pub key: Key,
    /// Calls the function. Never panics: a panic of the function is the item's error.
    pub run: Box<dyn FnOnce() + Send>,
    /// Puts the value, or the error, into the output. To be called after `run`.
    pub deliver: Box<dyn FnOnce() -> Delivery>,
}

/// An item has left a work.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub key: Key,
    pub error: Option<ItemError>,
    /// Is this the end of the item's way?
    pub at_end: bool,
}

/// A join work.
pub(crate) trait Join {
    /// Moves what can be moved while the output holds fewer than `limit` items.
    fn advance(&self, limit: usize) -> Vec<Delivery>;
    /// Called when nothing moves any more: makes room, or gives up what cannot arrive. `false` if
    /// there is nothing to be done.
    fn relieve(&self) -> bool;
}

/// A function called for each item, between two typed queues.
pub(super) struct Each<I, O, F> {
    pub name: Arc<str>,
    pub input: Queue<I>,
    pub output: Option<Queue<O>>,
    pub function: Arc<F>,
}

impl<I, O, F> MultiShot for Each<I, O, F>
where
    I: Send + 'static,
    O: Send + 'static,
    F: Fn(&Key, I) -> Result<O, BoxError> + Send + Sync + 'static,
{
    fn begin(&self) -> Option<Begun> {
        let (key, value) = self.input.pop()?;
        Some(match value {
            Err(error) => {
                let at_end = send(self.output.as_ref(), (key.clone(), Err(error.clone())));
                Begun::PassedOn(Delivery { key, error: Some(error), at_end })
            }
            Ok(value) => Begun::Job(self.job(key, value)),
        })
    }
}

impl<I, O, F> Each<I, O, F>
where
    I: Send + 'static,
    O: Send + 'static,
    F: Fn(&Key, I) -> Result<O, BoxError> + Send + Sync + 'static,
{
    fn job(&self, key: Key, value: I) -> Job {
        // The result waits in a channel of one place, between the worker and the executor.
        let (sender, receiver) = sync_channel(1);
        let run = {
            let (name, key, function) = (self.name.clone(), key.clone(), self.function.clone());
            Box::new(move || {
                let result = call(&name, &key, &*function, value);
                // Nobody receives if the executor was dropped meanwhile.
                let _ = sender.send(result);
            })
        };
        let deliver = {
            let (name, key) = (self.name.clone(), key.clone());
            let output = self.output.clone();
            let place = output.as_ref().map(Queue::promise);
            Box::new(move || {
                let result = received(&name, &key, &receiver);
                let error = result.as_ref().err().cloned();
                let at_end = output.is_none_or(|queue| queue.erased().keeps_results());
                if let Some(place) = place {
                    place.fill((key.clone(), result));
                }
                Delivery { key, error, at_end }
            })
        };
        Job { key, run, deliver }
    }
}

/// Calls a work's function; whatever goes wrong is the item's error.
fn call<I, O>(
    name: &Arc<str>,
    key: &Key,
    function: &(impl Fn(&Key, I) -> Result<O, BoxError> + ?Sized),
    value: I,
) -> Result<O, ItemError> {
    // Unwind safety: the value is lost with the panic, and what the function shares between items
    // it shares between threads already, where a lock that saw a panic is poisoned.
    match catch_unwind(AssertUnwindSafe(|| function(key, value))) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(ItemError::new(name, key, error)),
        Err(payload) => Err(ItemError::from_panic(name, key, &*payload)),
    }
}

fn received<O>(
    name: &Arc<str>,
    key: &Key,
    receiver: &Receiver<Result<O, ItemError>>,
) -> Result<O, ItemError> {
    receiver.try_recv().unwrap_or_else(|_| Err(ItemError::new(name, key, "the worker left no result".into())))
}

/// Puts an item where it goes; returns whether that is the end of its way.
pub(super) fn send<O>(output: Option<&Queue<O>>, item: Item<O>) -> bool
where
    O: 'static,
{
    match output {
        None => true,
        Some(queue) => {
            queue.push_item(item);
            queue.erased().keeps_results()
        }
    }
}
