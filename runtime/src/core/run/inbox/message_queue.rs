//! The queue by which other threads reach the loop: many threads push, one takes everything.
//!
//! It is a stack of nodes linked through one atomic pointer (Treiber 1986). These nodes have nothing to do with the
//! poll tree. A push is one allocation and one compare-and-swap. A take swaps the whole stack out and reverses it, so
//! that values come in the order of the pushes. Nodes leave only all together. So a pusher never looks into a node
//! that another thread may free. A new node may have the address of one that was freed
//! (the ABA problem). Here that is harmless, since a push needs only the current head, and everything is taken at once.

#[cfg(loom)]
use loom::sync::atomic::{AtomicPtr, Ordering};
use std::ptr;
#[cfg(not(loom))]
use std::sync::atomic::{AtomicPtr, Ordering};

struct QueueNode<T> {
    value: T,
    below: *mut QueueNode<T>,
}

/// The head of a closed queue. No node has this address, and it is never dereferenced.
fn closed<T>() -> *mut QueueNode<T> {
    ptr::without_provenance_mut(1)
}

/// A queue that any thread may push to.
pub(crate) struct Queue<T> {
    head: AtomicPtr<QueueNode<T>>,
}

// SAFETY: a queue owns its values, and hands each to one taker only. Threads share nothing in it except the head,
// which is atomic. So it is enough that values may move between threads.
unsafe impl<T: Send> Send for Queue<T> {}
// SAFETY: as above; no method gives out a reference to a value.
unsafe impl<T: Send> Sync for Queue<T> {}

impl<T> Queue<T> {
    pub(crate) fn new() -> Queue<T> {
        Queue { head: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Adds a value. Gives it back if the queue is closed.
    pub(crate) fn push(&self, value: T) -> Result<(), T> {
        let node = Box::into_raw(Box::new(QueueNode { value, below: ptr::null_mut() }));
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            if head == closed() {
                // SAFETY: `node` came from the box just above, and no exchange has published it.
                return Err(unsafe { Box::from_raw(node) }.value);
            }
            // SAFETY: as above, the node is still ours alone. `head` is only stored, not dereferenced.
            unsafe { (*node).below = head };
            // Release, so that the thread that takes the node sees its value written.
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
                // SAFETY: the exchange took the whole stack out, so it is ours alone from now on.
                Ok(_) => return unsafe { Batch::turned(head) },
                Err(now) => head = now,
            }
        }
        Batch { next: ptr::null_mut() }
    }

    /// Refuses all further values, and returns the last ones.
    pub(crate) fn close(&self) -> Batch<T> {
        let head = self.head.swap(closed(), Ordering::AcqRel);
        if head == closed() {
            return Batch { next: ptr::null_mut() };
        }
        // SAFETY: the swap took the whole stack out, so it is ours alone from now on.
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
    /// The first node of a list that this batch owns.
    next: *mut QueueNode<T>,
}

impl<T> Batch<T> {
    /// Reverses a stack.
    ///
    /// # Safety
    /// `top` is null, or the top of a stack of nodes that were made from boxes. Nobody else can reach them.
    unsafe fn turned(mut top: *mut QueueNode<T>) -> Batch<T> {
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
        // SAFETY: `next` is the first node of a list that this batch owns. The node is taken off the list in the same
        // step, so it becomes a box only once.
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
