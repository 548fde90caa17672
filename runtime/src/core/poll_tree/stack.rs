//! Stack enough for nurseries and scopes that nest deep.
//!
//! A nursery polls its children inside its own poll, and drops them inside its own drop; a scope does so
//! with what runs in it. So both are as deep as blocks nest. When a thread's stack runs short they go on
//! in a fresh segment of it: depth costs memory and does not overflow, unless a single function between two blocks needs
//! more than 128 KiB of stack for what it does not keep in its future. Without the feature `deep-nesting` a thread's
//! stack is all there is, and who nests deeper ends the process, as with any recursion.

use crate::core::misuse::polled_after_its_end;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Below so much stack left, work moves to a fresh segment…
#[cfg(feature = "deep-nesting")]
const RED_ZONE: usize = 128 * 1024;
/// …of this size.
#[cfg(feature = "deep-nesting")]
const SEGMENT: usize = 2 * 1024 * 1024;

/// Calls `f` with stack enough.
#[inline]
pub(crate) fn with_stack<R>(f: impl FnOnce() -> R) -> R {
    with_stack_for(0, f)
}

/// Calls `f`, which polls or drops a future of so many bytes, with stack enough.
///
/// A function that polls a large future mostly has large locals: what it keeps across an `await` is made on the stack
/// first, without optimisation several times.
#[cfg(feature = "deep-nesting")]
#[inline]
pub(crate) fn with_stack_for<R>(size: usize, f: impl FnOnce() -> R) -> R {
    let large = 4 * size;
    stacker::maybe_grow(RED_ZONE + large, SEGMENT + large, f)
}

/// Calls `f` with the stack that there is.
#[cfg(not(feature = "deep-nesting"))]
#[inline]
pub(crate) fn with_stack_for<R>(_size: usize, f: impl FnOnce() -> R) -> R {
    f()
}

/// Whether the room that every nursery and scope leaves is not enough for a future of this size.
pub(crate) const fn is_large(size: usize) -> bool {
    size > 8 * 1024
}

pin_project_lite::pin_project! {
    /// A future that is polled and dropped with stack enough.
    pub(crate) struct Deep<F> {
        // None once it is dropped.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Deep<F> {
        fn drop(this: Pin<&mut Self>) {
            this.clear();
        }
    }
}

impl<F> Deep<F> {
    pub(crate) fn new(future: F) -> Deep<F> {
        Deep { future: Some(future) }
    }

    /// Drops the future now.
    pub(crate) fn clear(self: Pin<&mut Self>) {
        let mut future = self.project().future;
        if future.is_some() {
            with_stack_for(size_of::<F>(), || future.set(None));
        }
    }
}

impl<F: Future> Future for Deep<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().future.as_pin_mut() {
            Some(future) => with_stack_for(size_of::<F>(), || future.poll(cx)),
            None => polled_after_its_end(),
        }
    }
}
