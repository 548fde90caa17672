//! A queue of bytes with one reader. All streams in memory are built on it.

use crate::{
    checkpoint,
    core::block::wait_queue::WaitQueue,
    io::{StreamError, Turnstile},
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

pub(super) struct ByteQueue {
    data: RefCell<VecDeque<u8>>,
    closed: Cell<bool>,
    getting: Turnstile,
    waiting: Rc<WaitQueue<()>>,
}

impl ByteQueue {
    pub(super) fn new() -> Rc<ByteQueue> {
        Rc::new(ByteQueue {
            data: RefCell::default(),
            closed: Cell::new(false),
            getting: Turnstile::default(),
            waiting: WaitQueue::new("receiving from a memory stream"),
        })
    }

    pub(super) fn put(&self, data: &[u8]) -> Result<(), StreamError> {
        if self.closed.get() {
            return Err(StreamError::Closed);
        }
        self.data.borrow_mut().extend(data);
        self.waiting.unpark_all(|()| ());
        Ok(())
    }

    /// Ends the queue: no more data will be put in.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.waiting.unpark_all(|()| ());
    }

    /// Ends the queue and drops its data, which will not be read.
    pub(super) fn close_and_wipe(&self) {
        self.data.borrow_mut().clear();
        self.close();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.data.borrow().is_empty()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Takes up to `limit` bytes without waiting. The result is empty at the end of the queue. It is `None` if there
    /// is no data yet.
    pub(super) fn get_nowait(&self, limit: usize) -> Option<Vec<u8>> {
        if self.is_empty() && !self.is_closed() {
            return None;
        }
        let mut data = self.data.borrow_mut();
        let n = limit.min(data.len());
        Some(data.drain(..n).collect())
    }

    pub(super) async fn get(&self, limit: usize) -> Result<Vec<u8>, StreamError> {
        let _inside = self.getting.enter("receiving")?;
        if !self.is_empty() || self.is_closed() {
            checkpoint().await?;
        }
        loop {
            if let Some(data) = self.get_nowait(limit) {
                return Ok(data);
            }
            self.waiting.park(()).await.1?;
        }
    }
}
