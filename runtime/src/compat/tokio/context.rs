//! Futures that are polled in tokio's context.

use crate::{Error, cancellable, compat::tokio::handle};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::runtime::Handle;

pin_project_lite::pin_project! {
    /// Polls a future in tokio's context, and drops it there. Destructors of clients spawn tasks of tokio.
    pub(super) struct InContext<F> {
        handle: Handle,
        // `None` once it is dropped.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _context = this.handle.enter();
            this.future.set(None);
        }
    }
}

impl<F> InContext<F> {
    pub(super) fn new(handle: Handle, future: F) -> InContext<F> {
        InContext { handle, future: Some(future) }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _context = this.handle.enter();
        match this.future.as_pin_mut() {
            Some(future) => future.poll(cx),
            None => unreachable!("only dropping it takes the future away"),
        }
    }
}

/// Awaits a future that needs tokio, as an operation of this runtime. It can be cancelled, and it is a checkpoint.
///
/// The future runs in the calling task. Tokio's context is entered whenever it is polled, and when it is dropped.
/// Operations of this runtime work in it, too. See the [module](crate::compat::tokio) for what runs where.
///
/// Some functions need tokio before there is a future, for example `tokio::time::sleep`. Call them in an `async`
/// block: `in_tokio(async { tokio::time::sleep(pause).await })`.
///
/// # Cancellation
/// A checkpoint. If cancelled, `future` is dropped. The documentation of its library says what is lost by that.
/// [`in_tokio_with_notice`](crate::compat::tokio::in_tokio_with_notice) tells the future instead.
///
/// # Errors
/// [`Cancelled`](crate::Cancelled) in a cancelled scope; the errors of [`handle`]. The future's own error is inside
/// the value, so most calls end in `.await??`.
///
/// # Panics
/// Outside a run. If the future panics, the panic goes through.
///
/// ```
/// use std::time::Duration;
/// use terzetto::{compat::tokio::in_tokio, fail_after};
/// terzetto::run(async {
///     let answer = async {
///         tokio::time::sleep(Duration::from_millis(1)).await;
///         // A task on tokio's thread.
///         tokio::spawn(async { 6 * 7 }).await
///     };
///     assert_eq!(fail_after(5.0, async { Ok(in_tokio(answer).await??) }).await?, 42);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn in_tokio<T>(future: impl Future<Output = T>) -> Result<T, Error> {
    // If the handle cannot be had, the future was not begun, so it needs no context where it is dropped.
    let future = InContext::new(handle()?, future);
    Ok(cancellable(future).await?)
}
