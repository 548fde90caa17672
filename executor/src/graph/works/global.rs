//! Global works, which see their whole queues.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use crate::graph::{
    AnyQueue, Batch, BoxError, CallContext, CalledWork, ItemError, Key, Progress, QueueSet, Work,
    queue_set::QueueList, works::each::catch_error,
};

/// Why a global work is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// An item has come into its inputs, or has left its outputs.
    Change,
    /// No further item will come. The work must now push what it holds itself, even if an output has no room:
    /// that is in memory already. If it leaves items in its inputs because an output has no room, it is called
    /// again with this value when there is room.
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
    /// The [version](Global::version) of the queues at the last call.
    seen: AtomicUsize,
    /// Does a call run now? There is one at a time.
    running: AtomicBool,
    /// Is the last call due?
    last_call_due: AtomicBool,
    /// Has it been due before? From then on, calls are made with [`Moment::End`].
    finished: AtomicBool,
}

impl<I: QueueSet, O: QueueSet, F> Global<I, O, F> {
    pub fn new(name: Arc<str>, inputs: I, outputs: O, function: F) -> Self {
        Global {
            input_queues: QueueList::of(&inputs).queues,
            output_queues: QueueList::of(&outputs).queues,
            name,
            inputs,
            outputs,
            function: Mutex::new(function),
            seen: AtomicUsize::new(0),
            running: AtomicBool::new(false),
            last_call_due: AtomicBool::new(false),
            finished: AtomicBool::new(false),
        }
    }

    /// A number that changes when an item comes into an input, or leaves an output and makes room.
    fn version(&self) -> usize {
        let pushed = self.input_queues.iter().map(|queue| queue.pushed());
        let popped = self.output_queues.iter().map(|queue| queue.popped());
        pushed.chain(popped).fold(0, usize::wrapping_add)
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
            self.last_call_due.load(SeqCst)
                || (self.input_queues.iter().any(|queue| queue.len() > 0)
                    && self.version() != self.seen.load(SeqCst)
                    && self.has_room())
        };
        usize::from(!self.running.load(SeqCst) && due())
    }

    fn takes_one_at_a_time(&self) -> bool {
        true
    }

    fn finish(&self) -> bool {
        let due = !self.finished.swap(true, SeqCst);
        if due {
            self.last_call_due.store(true, SeqCst);
        }
        due
    }

    fn gathered(&self) -> Option<(usize, usize)> {
        let taken = self.input_queues.iter().map(|queue| queue.popped()).sum();
        Some((taken, self.output_queues.iter().map(|queue| queue.pushed()).sum()))
    }
}

impl<I, O, F> CalledWork for Global<I, O, F>
where
    I: QueueSet,
    O: QueueSet,
    F: FnMut(&I, &O, Moment) -> Result<(), BoxError> + Send + 'static,
{
    fn new_batch(self: Arc<Self>) -> Box<dyn Batch> {
        Box::new(GlobalBatch { work: self, moment: Moment::Change, error: None, pushed: Vec::new() })
    }
}

/// One call of a global work.
struct GlobalBatch<I, O, F> {
    work: Arc<Global<I, O, F>>,
    moment: Moment,
    error: Option<(Key, ItemError)>,
    /// How many items had been pushed into each output before the call.
    pushed: Vec<usize>,
}

impl<I, O, F> Batch for GlobalBatch<I, O, F>
where
    I: QueueSet,
    O: QueueSet,
    F: FnMut(&I, &O, Moment) -> Result<(), BoxError> + Send + 'static,
{
    fn take(&mut self, _: usize) {
        let work = &*self.work;
        work.running.store(true, SeqCst);
        work.seen.store(work.version(), SeqCst);
        self.pushed.clear();
        self.pushed.extend(work.output_queues.iter().map(|queue| queue.pushed()));
        work.last_call_due.store(false, SeqCst);
        self.moment = if work.finished.load(SeqCst) { Moment::End } else { Moment::Change };
    }

    fn run(&mut self, context: &dyn CallContext) -> usize {
        if !context.should_continue() {
            return 0;
        }
        let Global { name, inputs, outputs, function, .. } = &*self.work;
        let mut function = function.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Key::from(&**name);
        if let Err(error) = catch_error(name, &key, || function(inputs, outputs, self.moment)) {
            context.failed(&error);
            self.error = Some((key, error));
        }
        1
    }

    fn deliver(&mut self, progress: &mut Progress) {
        if let Some((key, error)) = self.error.take() {
            progress.add_work_error(&key, &error);
        }
        for (queue, before) in self.work.output_queues.iter().zip(&self.pushed) {
            if queue.keeps_results() {
                queue.report_newest(queue.pushed() - before, progress);
            }
        }
        self.work.running.store(false, SeqCst);
    }
}
