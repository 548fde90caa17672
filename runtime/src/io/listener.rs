//! The trait for types that accept connections.

use crate::io::{Resource, StreamError};
use std::rc::Rc;

/// Something that accepts connections; trio's `Listener`.
///
/// Listeners need not be sockets. A listener can also wrap each connection of another listener in a further
/// protocol, and [`serve_listeners`](crate::io::serve_listeners) accepts both kinds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a listener of this runtime",
    label = "does not implement `Listener`",
    note = "listeners of the runtime are in `terzetto::io`; `open_tcp_listeners` opens a port"
)]
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait Listener: Resource {
    /// The type of a connection.
    type Stream;

    /// Waits for a connection and accepts it. Connections that have failed in the queue are skipped.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, no connection was lost.
    ///
    /// # Errors
    /// [`StreamError::Io`] with the system's error, for instance if the process has too many descriptors (the listener
    /// is still usable then); [`StreamError::Busy`] if another task is accepting; [`StreamError::Closed`] if the
    /// listener was closed before or during the call.
    async fn accept(&self) -> Result<Self::Stream, StreamError>;
}

impl<L: Listener + ?Sized> Listener for &L {
    type Stream = L::Stream;

    async fn accept(&self) -> Result<L::Stream, StreamError> {
        (**self).accept().await
    }
}

impl<L: Listener + ?Sized> Listener for Rc<L> {
    type Stream = L::Stream;

    async fn accept(&self) -> Result<L::Stream, StreamError> {
        (**self).accept().await
    }
}
