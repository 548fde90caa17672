//! A future with a context of its own, whichever task it is polled in.

use crate::core::{
    poll_tree::wrap,
    task::{context::TaskContext, current_context::ContextSwap},
};

/// Awaits `future` with this context; what it sets is gone afterwards. In between, the task that polls it has
/// its own.
pub(crate) fn in_context<F: Future>(mut context: TaskContext, future: F) -> impl Future<Output = F::Output> {
    wrap::around(future, move |future, cx| {
        let _exchanged = ContextSwap::new(&mut context);
        future.poll(cx)
    })
}
