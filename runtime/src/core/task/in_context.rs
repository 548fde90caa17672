//! A future that has its own context, whichever task polls it.

use crate::core::{
    poll_tree::wrap,
    task::{context::ContextSwap, context_values::TaskContext},
};

/// Awaits `future` with this context as the current one. The changes that `future` makes are gone afterwards. Between
/// two polls of `future`, the task has its own context.
pub(crate) fn in_context<F: Future>(mut context: TaskContext, future: F) -> impl Future<Output = F::Output> {
    wrap::around(future, move |future, cx| {
        let _exchanged = ContextSwap::new(&mut context);
        future.poll(cx)
    })
}
