//! Events: something that happens once and stays so.

use crate::{
    Cancelled, checkpoint,
    core::{block::wait_queue::WaitQueue, run},
    lowlevel::checkpoint_if_cancelled,
};
use std::{cell::Cell, fmt, rc::Rc};

/// A flag that tasks can wait for; trio's `Event`. Clones are the same event.
///
/// ```
/// use terzetto::{nursery, sync::Event};
/// terzetto::run(async {
///     let ready = Event::new();
///     nursery(async |n| {
///         n.start_soon(async { ready.wait().await?; Ok(()) });
///         ready.set();
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone)]
pub struct Event {
    inner: Rc<EventState>,
}

struct EventState {
    set: Cell<bool>,
    waiting: Rc<WaitQueue<()>>,
}

impl Default for Event {
    fn default() -> Self {
        Event::new()
    }
}

impl Event {
    /// An event that has not happened.
    pub fn new() -> Event {
        Event {
            inner: Rc::new(EventState {
                set: Cell::new(false),
                waiting: WaitQueue::new("waiting for an event"),
            }),
        }
    }

    /// Marks the event as having happened. All tasks that wait for it continue, and later waits do not block.
    pub fn set(&self) {
        if !self.inner.set.replace(true) {
            self.inner.waiting.unpark_all(|_| ());
        }
    }

    /// Whether it has happened.
    pub fn is_set(&self) -> bool {
        self.inner.set.get()
    }

    /// How many tasks wait.
    pub fn tasks_waiting(&self) -> usize {
        self.inner.waiting.len()
    }

    /// Waits until it has happened.
    ///
    /// # Cancellation
    /// A checkpoint, even if the event is set already. If cancelled, nothing is lost.
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled scope.
    pub async fn wait(&self) -> Result<(), Cancelled> {
        if self.is_set() {
            return match run::with(|run| run.may_skip_turn()) {
                true => checkpoint_if_cancelled().await,
                false => checkpoint().await,
            };
        }
        self.inner.waiting.park(()).await.1
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("set", &self.is_set())
            .field("tasks_waiting", &self.tasks_waiting())
            .finish()
    }
}
