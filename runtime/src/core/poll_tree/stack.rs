//! Enough stack for nurseries and scopes that are nested deeply.
//!
//! A nursery polls its children inside its own poll, and drops them inside its own drop. A scope does the same with
//! the future that runs in it. So the depth of the stack grows with the nesting of blocks. When the stack of a thread
//! runs short, the poll or drop goes on in a new segment. So depth costs memory and does not overflow the stack, with
//! one exception: a single function between two blocks whose locals need more than 128 KiB of stack. What it keeps
//! across an `await` does not count. Without the feature `deep-nesting` there is only the thread's stack. Nesting that
//! is too deep then ends the process, as any recursion would.

use crate::core::misuse::polled_after_its_end;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// If less stack than this is left, work moves to a new segment.
#[cfg(feature = "deep-nesting")]
const RED_ZONE: usize = 128 * 1024;
/// The size of a new segment.
#[cfg(feature = "deep-nesting")]
const SEGMENT: usize = 2 * 1024 * 1024;

/// Calls `f` with enough stack.
#[inline]
pub(crate) fn with_stack<R>(f: impl FnOnce() -> R) -> R {
    with_stack_for(0, f)
}

/// Calls `f` with enough stack. `f` polls or drops a future of `size` bytes.
///
/// A function that polls a large future mostly has large locals too. What it keeps across an `await` is first made on
/// the stack, and without optimisation it is copied there several times.
#[cfg(feature = "deep-nesting")]
#[inline]
pub(crate) fn with_stack_for<R>(size: usize, f: impl FnOnce() -> R) -> R {
    let large = 4 * size;
    stacker::maybe_grow(RED_ZONE + large, SEGMENT + large, f)
}

/// Calls `f` on the stack of the thread.
#[cfg(not(feature = "deep-nesting"))]
#[inline]
pub(crate) fn with_stack_for<R>(_size: usize, f: impl FnOnce() -> R) -> R {
    f()
}

/// Whether a future of this size may need more stack than the reserve that every nursery and scope makes sure of.
pub(crate) const fn is_large(size: usize) -> bool {
    size > 8 * 1024
}

pin_project_lite::pin_project! {
    /// A future that is polled and dropped with enough stack.
    pub(crate) struct Deep<F> {
        // `None` once it is dropped.
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
