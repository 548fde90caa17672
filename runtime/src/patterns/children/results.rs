//! The results of a [`map`](super::map()), handed out while it goes on.

use crate::{
    Cancelled,
    core::block::wait_queue::WaitQueue,
    lowlevel::{cancel_shielded_checkpoint, checkpoint_if_cancelled},
    sync::Permit,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt,
    rc::Rc,
};

/// The results of a [`map`](super::map()), one after the other; see [`Map::with_results`](super::Map::with_results).
pub struct Results<R>(Rc<Shared<R>>);

/// What the tasks of a map share with the code that takes their results.
pub(super) struct Shared<R> {
    /// Results that were not taken yet, by their place. A result keeps its task's place among those at work.
    ready: RefCell<BTreeMap<usize, (R, Option<Permit>)>>,
    /// The place of the result that is to be taken next.
    next: Cell<usize>,
    /// How many may still bring results: the tasks, and what starts them.
    open: Cell<usize>,
    arrival: Rc<WaitQueue<()>>,
}

/// Somebody who may bring results or start those who do.
pub(super) struct Open<R>(Rc<Shared<R>>);

impl<R> Results<R> {
    pub(super) fn new() -> Results<R> {
        Results(Rc::new(Shared {
            ready: RefCell::default(),
            next: Cell::new(0),
            open: Cell::new(0),
            arrival: WaitQueue::new("waiting for a result of `map`"),
        }))
    }

    pub(super) fn open(&self) -> Open<R> {
        self.0.open.set(self.0.open.get() + 1);
        Open(self.0.clone())
    }

    /// The next result; `None` after the last one.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled or dropped, no result is lost.
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled scope, also if one of the tasks has failed.
    pub async fn next(&mut self) -> Result<Option<R>, Cancelled> {
        let shared = &self.0;
        checkpoint_if_cancelled().await?;
        if shared.is_ready() {
            // This comes before a result is taken. After that the result would be lost with the future.
            cancel_shielded_checkpoint().await;
        }
        while !shared.is_ready() {
            shared.arrival.park(()).await.1?;
        }
        Ok(shared.take())
    }
}

impl<R> Shared<R> {
    /// Whether `next` need not wait, since there is a result or the end.
    fn is_ready(&self) -> bool {
        self.open.get() == 0 || self.ready.borrow().contains_key(&self.next.get())
    }

    fn take(&self) -> Option<R> {
        let place = self.next.get();
        let (result, permit) = self.ready.borrow_mut().remove(&place)?;
        self.next.set(place + 1);
        drop(permit);
        Some(result)
    }
}

impl<R> Open<R> {
    pub(super) fn again(&self) -> Open<R> {
        Results(self.0.clone()).open()
    }

    /// Brings a result.
    pub(super) fn bring(self, place: usize, result: R, permit: Option<Permit>) {
        self.0.ready.borrow_mut().insert(place, (result, permit));
    }
}

impl<R> Drop for Open<R> {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
        if self.0.is_ready() {
            self.0.arrival.unpark_all(|()| ());
        }
    }
}

impl<R> fmt::Debug for Results<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("ready", &self.0.ready.borrow().len()).finish_non_exhaustive()
    }
}
