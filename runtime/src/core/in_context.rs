//! A future with a context of its own, whichever task it is polled in.

use super::context::{Context, Exchanged};
use std::{future::poll_fn, pin::pin};

/// Awaits `future` with this context; what it sets is gone afterwards. In between, the task that polls it has
/// its own.
pub(crate) async fn in_context<F: Future>(mut context: Context, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _exchanged = Exchanged::new(&mut context);
        future.as_mut().poll(cx)
    })
    .await
}
