//! Steps of several tasks in a chosen order.

use crate::{Cancelled, sync::Event};
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    error::Error as StdError,
    fmt,
};

/// Makes steps in several tasks happen in the order of their numbers; trio's `Sequencer`.
///
/// ```
/// use std::cell::RefCell;
/// use terzetto::{nursery, testing::Sequencer};
/// terzetto::run(async {
///     let (steps, order) = (Sequencer::new(), RefCell::new(String::new()));
///     nursery(async |n| {
///         n.start_soon(async {
///             steps.step(1, async { order.borrow_mut().push('b') }).await?;
///             Ok(())
///         });
///         n.start_soon(async {
///             steps.step(0, async { order.borrow_mut().push('a') }).await?;
///             steps.step(2, async { order.borrow_mut().push('c') }).await?;
///             Ok(())
///         });
///         Ok(())
///     }).await?;
///     assert_eq!(*order.borrow(), "abc");
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Sequencer {
    events: RefCell<HashMap<usize, Event>>,
    claimed: RefCell<HashSet<usize>>,
    broken: Cell<bool>,
}

/// The reason why a step was not executed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SequencerError {
    /// The task was cancelled while it waited for this step. The sequence is broken then. This is an error and not a
    /// cancellation: no scope swallows it, so the test fails.
    Cancelled(usize),
    /// Ctrl-C came while the task waited for its turn. The sequence is broken then.
    Interrupted(Cancelled),
    /// The step was claimed before.
    Reused(usize),
    /// An earlier step was cancelled, or dropped while it waited. So the later steps cannot be executed.
    Broken,
}

impl fmt::Display for SequencerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SequencerError::Cancelled(step) => {
                write!(f, "the wait for step {step} of the sequencer was cancelled: the sequence is broken")
            }
            SequencerError::Interrupted(interrupt) => interrupt.fmt(f),
            SequencerError::Reused(step) => write!(f, "step {step} of the sequencer was claimed twice"),
            SequencerError::Broken => f.write_str("the sequencer is broken: a step was cancelled or dropped"),
        }
    }
}

impl StdError for SequencerError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            SequencerError::Interrupted(interrupt) => Some(interrupt),
            _ => None,
        }
    }
}

/// Breaks the sequence when dropped, unless the step's turn has come. A step that was claimed and then dropped will
/// never be executed.
struct Unmade<'a>(&'a Sequencer);

impl Drop for Unmade<'_> {
    fn drop(&mut self) {
        self.0.break_off();
    }
}

/// Lets the next step begin, even if this one is dropped before it has ended.
struct StepEnd<'a>(&'a Sequencer, usize);

impl Drop for StepEnd<'_> {
    fn drop(&mut self) {
        self.0.event(self.1 + 1).set();
    }
}

impl Sequencer {
    /// A sequence that begins with step 0.
    pub fn new() -> Sequencer {
        Sequencer::default()
    }

    fn event(&self, step: usize) -> Event {
        self.events.borrow_mut().entry(step).or_default().clone()
    }

    /// Waits until all earlier steps have ended, and then runs this one.
    ///
    /// # Cancellation
    /// A checkpoint, except for step 0, which does not wait. If a step is cancelled before its turn, the sequence is
    /// broken: this step and all later steps fail. The same happens if the future is dropped before its turn.
    ///
    /// # Errors
    /// It fails if the wait was cancelled, if the step was claimed before, or if the sequence is broken.
    pub fn step<T>(
        &self,
        step: usize,
        inside: impl Future<Output = T>,
    ) -> impl Future<Output = Result<T, SequencerError>> {
        // In a box, so that it does not make this future larger.
        let inside = Box::pin(inside);
        async move {
            if !self.claimed.borrow_mut().insert(step) {
                return Err(SequencerError::Reused(step));
            }
            if step > 0 && !self.broken.get() {
                self.wait_for_turn(step).await?;
            }
            if self.broken.get() {
                return Err(SequencerError::Broken);
            }
            let _done = StepEnd(self, step);
            Ok(inside.await)
        }
    }

    async fn wait_for_turn(&self, step: usize) -> Result<(), SequencerError> {
        let unmade = Unmade(self);
        let turn = self.event(step).wait().await;
        if turn.is_ok() {
            std::mem::forget(unmade);
        }
        turn.map_err(|cancelled| match cancelled.is_interrupt() {
            true => SequencerError::Interrupted(cancelled),
            false => SequencerError::Cancelled(step),
        })
    }

    fn break_off(&self) {
        self.broken.set(true);
        let events: Vec<Event> = self.events.borrow().values().cloned().collect();
        events.iter().for_each(Event::set);
    }
}
