//! Closing at once, without a closing handshake.

use crate::{
    CancelScope, Error,
    io::{Resource, StreamError},
};

/// Closes a resource at once, without the closing handshake that its protocol may have; trio's `aclose_forcefully`.
///
/// This is the same as closing it in a cancelled scope. If you own the resource, dropping it does the same.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// The errors of closing. The cancellation by this function's own scope is not an error, but that of a surrounding
/// scope is.
///
/// ```
/// use terzetto::io::{ReceiveStream, close_forcefully, pipe};
/// terzetto::run(async {
///     let (sender, receiver) = pipe()?;
///     close_forcefully(&sender).await?;
///     assert_eq!(receiver.receive_some(&mut [0; 16]).await?, 0);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[doc(alias = "aclose_forcefully")]
pub async fn close_forcefully(resource: &(impl Resource + ?Sized)) -> Result<(), StreamError> {
    let scope = CancelScope::new();
    scope.cancel_with_reason("closed forcefully");
    let closed = scope.run(async { Ok(resource.close().await?) }).await;
    closed.map(drop).map_err(|error| match error.downcast::<StreamError>() {
        Ok(error) => error,
        Err(error) => of_another_kind(error),
    })
}

/// An error that is not a `StreamError` is the cancellation of a surrounding scope.
fn of_another_kind(error: Error) -> StreamError {
    match error.cancelled() {
        Some(cancelled) => StreamError::Cancelled(cancelled.clone()),
        None => StreamError::Io(std::io::Error::other(error.to_string())),
    }
}
