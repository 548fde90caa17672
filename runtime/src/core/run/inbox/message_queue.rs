//! The queue by which other threads reach the loop: many push, one takes all.
//!
//! A stack of nodes threaded through one atomic pointer (Treiber 1986). Pushing is one allocation and
//! one compare-and-swap; taking swaps the whole stack out and turns it round, so that what was pushed
//! first comes first. Since nodes leave only all together, a pusher never looks into a node that
//! somebody else may free, and the usual trouble of such stacks (a node freed and come back under the
//! same address) cannot arise: a push does not care which stack it goes on top of.

#[cfg(loom)]
use loom::sync::atomic::{AtomicPtr, Ordering};
use std::ptr;
#[cfg(not(loom))]
use std::sync::atomic::{AtomicPtr, Ordering};

struct Node<T> {
    value: T,
    below: *mut Node<T>,
}

/// The head of a queue that takes nothing more. An address that no node has, and is never looked into.
fn closed<T>() -> *mut Node<T> {
    ptr::without_provenance_mut(1)
}

/// A queue that any thread may push to.
pub(crate) struct Queue<T> {
    head: AtomicPtr<Node<T>>,
}

// SAFETY: a queue owns its values and hands each to one taker only; nothing in it is shared between
// threads but the head, which is atomic. So what it takes is that values may move between threads.
unsafe impl<T: Send> Send for Queue<T> {}
// SAFETY: as above; no method gives out a reference to a value.
unsafe impl<T: Send> Sync for Queue<T> {}

impl<T> Queue<T> {
    pub(crate) fn new() -> Queue<T> {
        Queue { head: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Puts a value in; gives it back if the queue is closed.
    pub(crate) fn push(&self, value: T) -> Result<(), T> {
        let node = Box::into_raw(Box::new(Node { value, below: ptr::null_mut() }));
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            if head == closed() {
                // SAFETY: `node` came from a box just above, and no exchange has published it.
                return Err(unsafe { Box::from_raw(node) }.value);
            }
            // SAFETY: as above: the node is still ours alone. `head` is only stored, not looked into.
            unsafe { (*node).below = head };
            // Released, so that who takes the node finds it written.
            match self.head.compare_exchange_weak(head, node, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => head = now,
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let head = self.head.load(Ordering::Acquire);
        head.is_null() || head == closed()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.head.load(Ordering::Acquire) == closed()
    }

    /// Takes all values, first in first out.
    pub(crate) fn take(&self) -> Batch<T> {
        let mut head = self.head.load(Ordering::Relaxed);
        while !head.is_null() && head != closed() {
            let empty = ptr::null_mut();
            match self.head.compare_exchange_weak(head, empty, Ordering::AcqRel, Ordering::Relaxed) {
                // SAFETY: the exchange took the whole stack out: from now on it is ours alone.
                Ok(_) => return unsafe { Batch::turned(head) },
                Err(now) => head = now,
            }
        }
        Batch { next: ptr::null_mut() }
    }

    /// Refuses all further values, and returns the last.
    pub(crate) fn close(&self) -> Batch<T> {
        let head = self.head.swap(closed(), Ordering::AcqRel);
        if head == closed() {
            return Batch { next: ptr::null_mut() };
        }
        // SAFETY: the swap took the whole stack out: from now on it is ours alone.
        unsafe { Batch::turned(head) }
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        drop(self.close());
    }
}

/// Values that were taken out together, in the order in which they were pushed.
pub(crate) struct Batch<T> {
    /// The first of a list that this owns.
    next: *mut Node<T>,
}

impl<T> Batch<T> {
    /// Turns a stack round.
    ///
    /// # Safety
    /// `top` is null or the top of a stack of nodes made from boxes, which nobody else reaches.
    unsafe fn turned(mut top: *mut Node<T>) -> Batch<T> {
        let mut next = ptr::null_mut();
        while !top.is_null() {
            // SAFETY: `top` is a node of the stack, by the contract above.
            let below = unsafe { std::mem::replace(&mut (*top).below, next) };
            (next, top) = (top, below);
        }
        Batch { next }
    }
}

impl<T> Iterator for Batch<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: `next` is the first node of a list that this batch owns; it is taken off the list
        // in the same step, so it becomes a box once.
        let node = unsafe { Box::from_raw(self.next) };
        self.next = node.below;
        Some(node.value)
    }
}

impl<T> Drop for Batch<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Queue;
    use std::{sync::Arc, thread};

    #[test]
    fn what_is_pushed_comes_in_order_and_once() {
        let queue = Arc::new(Queue::new());
        let pushers: Vec<_> = (0..4)
            .map(|who| {
                let queue = queue.clone();
                thread::spawn(move || (0..10_000).for_each(|i| queue.push((who, i)).unwrap()))
            })
            .collect();
        let mut next = [0; 4];
        while next.iter().sum::<i32>() < 40_000 {
            for (who, i) in queue.take() {
                assert_eq!(i, next[who]);
                next[who] += 1;
            }
        }
        pushers.into_iter().for_each(|pusher| pusher.join().unwrap());
        assert!(queue.is_empty());
    }

    #[test]
    fn a_closed_queue_gives_back_and_nothing_leaks() {
        let value = Arc::new(());
        let queue = Queue::new();
        for _ in 0..3 {
            queue.push(value.clone()).unwrap();
        }
        let mut batch = queue.take();
        assert!(batch.next().is_some());
        queue.push(value.clone()).unwrap();
        assert_eq!(Arc::strong_count(&value), 4);
        drop(batch);
        assert!(!queue.is_closed());
        assert_eq!(queue.close().count(), 1);
        assert!(queue.is_closed() && queue.push(value.clone()).is_err());
        assert_eq!((queue.take().count(), queue.close().count()), (0, 0));
        drop(queue);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
