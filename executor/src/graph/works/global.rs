//! Works that see their whole queues.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use crate::graph::{
    BoxError, Hand, ItemError, Key, QueueSet, Watch, Work,
    queue::AnyQueue,
    queue_set::{Ends, Members},
    works::each::guarded,
};

/// Why a global work is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Something has come into its inputs, or left its outputs.
    Change,
    /// Nothing more will come: what was held back must go out now. What the work holds itself, it
    /// should push whatever room there is, since that is in memory already. What it leaves in its
    /// inputs for want of room, it is called for again, for the same reason, when there is some.
    End,
}

/// A work that is called with its whole queues whenever something has changed in them.
pub(in crate::graph) struct Global<I, O, F> {
    name: Arc<str>,
    inputs: I,
    outputs: O,
    function: Mutex<F>,
    input_queues: Vec<Arc<dyn AnyQueue>>,
    output_queues: Vec<Arc<dyn AnyQueue>>,
    /// What the counters of the queues said when the work was called last.
    seen: AtomicUsize,
    /// One call at a time.
    running: AtomicBool,
    /// The last call is due.
    last: AtomicBool,
    ended: AtomicBool,
}

impl<I: QueueSet, O: QueueSet, F> Global<I, O, F> {
    pub fn new(name: Arc<str>, inputs: I, outputs: O, function: F) -> Self {
        Global {
            input_queues: Members::of(&inputs).queues,
            output_queues: Members::of(&outputs).queues,
            name,
            inputs,
            outputs,
            function: Mutex::new(function),
            seen: AtomicUsize::new(0),
            running: AtomicBool::new(false),
            last: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    /// Changes with every item that comes into the inputs, or leaves the outputs and makes room.
    fn version(&self) -> usize {
        let came = self.input_queues.iter().map(|queue| queue.came());
        let left = self.output_queues.iter().map(|queue| queue.left());
        came.chain(left).fold(0, usize::wrapping_add)
    }

    fn has_room(&self) -> bool {
        self.output_queues.iter().all(|queue| queue.room() > 0)
    }
}

impl<I, O, F> Work for Global<I, O, F>
where
    I: QueueSet,
    O: QueueSet,
    F: FnMut(&I, &O, Moment) -> Result<(), BoxError> + Send + 'static,
{
    fn ready(&self) -> usize {
        let due = || {
            self.last.load(SeqCst)
                || (self.input_queues.iter().any(|queue| queue.len() > 0)
                    && self.version() != self.seen.load(SeqCst)
                    && self.has_room())
        };
        usize::from(!self.running.load(SeqCst) && due())
    }

    fn one_by_one(&self) -> bool {
        true
    }

    fn end(&self) -> bool {
        let due = !self.ended.swap(true, SeqCst);
        if due {
            self.last.store(true, SeqCst);
        }
        due
    }

    fn gathered(&self) -> Option<(usize, usize)> {
        let taken = self.input_queues.iter().map(|queue| queue.left()).sum();
        Some((taken, self.output_queues.iter().map(|queue| queue.came()).sum()))
    }

    fn hand(self: Arc<Self>) -> Box<dyn Hand> {
        Box::new(GlobalHand { work: self, moment: Moment::Change, error: None, came: Vec::new() })
    }
}

struct GlobalHand<I, O, F> {
    work: Arc<Global<I, O, F>>,
    moment: Moment,
    error: Option<(Key, ItemError)>,
    /// How many items had come into each output before.
    came: Vec<usize>,
}

impl<I, O, F> Hand for GlobalHand<I, O, F>
where
    I: QueueSet,
    O: QueueSet,
    F: FnMut(&I, &O, Moment) -> Result<(), BoxError> + Send + 'static,
{
    fn take(&mut self, _: usize) {
        let work = &*self.work;
        work.running.store(true, SeqCst);
        work.seen.store(work.version(), SeqCst);
        self.came.clear();
        self.came.extend(work.output_queues.iter().map(|queue| queue.came()));
        work.last.store(false, SeqCst);
        self.moment = if work.ended.load(SeqCst) { Moment::End } else { Moment::Change };
    }

    fn work(&mut self, watch: &dyn Watch) -> usize {
        if !watch.goes_on() {
            return 0;
        }
        let Global { name, inputs, outputs, function, .. } = &*self.work;
        let mut function = function.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Key::from(&**name);
        if let Err(error) = guarded(name, &key, || function(inputs, outputs, self.moment)) {
            watch.failed(&error);
            self.error = Some((key, error));
        }
        1
    }

    fn deliver(&mut self, ends: &mut Ends) {
        if let Some((key, error)) = self.error.take() {
            ends.add_of_work(&key, &error);
        }
        for (queue, came) in self.work.output_queues.iter().zip(&self.came) {
            if queue.keeps_results() {
                queue.tell_newest(queue.came() - came, ends);
            }
        }
        self.work.running.store(false, SeqCst);
    }
}
