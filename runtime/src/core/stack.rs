//! Stack enough for nurseries that nest deep.
//!
//! A nursery polls its children inside its own poll, and drops them inside its own drop; so both are
//! as deep as nurseries nest. When a thread's stack runs short they go on in a fresh segment of it:
//! depth costs memory and never overflows.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Below so much stack left, work moves to a fresh segment…
const RED_ZONE: usize = 128 * 1024;
/// …of this size.
const SEGMENT: usize = 2 * 1024 * 1024;

/// Calls `f` with stack enough.
pub(super) fn with_stack<R>(f: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(RED_ZONE, SEGMENT, f)
}

/// A future whose destructor has stack enough.
pub(super) struct DeepDrop<F>(Option<Pin<Box<F>>>);

impl<F: Future> DeepDrop<F> {
    pub(super) fn new(future: F) -> DeepDrop<F> {
        DeepDrop(Some(Box::pin(future)))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        match &mut self.0 {
            Some(future) => future.as_mut().poll(cx),
            None => unreachable!("emptied only when dropped"),
        }
    }
}

impl<F> Drop for DeepDrop<F> {
    fn drop(&mut self) {
        let future = self.0.take();
        with_stack(|| drop(future));
    }
}
