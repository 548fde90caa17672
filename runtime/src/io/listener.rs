//! The trait of what accepts connections.

use crate::io::{Resource, StreamError};
use std::rc::Rc;

/// Something that accepts connections; trio's `Listener`.
///
/// Not only sockets: a listener that wraps each connection of another one into a further protocol is
/// as good for [`serve_listeners`](crate::io::serve_listeners).
#[allow(async_fn_in_trait, reason = "everything here stays on the run's thread: no bound to add")]
pub trait Listener: Resource {
    /// What a connection is.
    type Stream;

    /// Waits for a connection and accepts it. Connections that have died in the queue are passed over.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, no connection was lost.
    ///
    /// # Errors
    /// [`StreamError::Io`] with what the system says, for instance that the process has too many
    /// descriptors (the listener is still good then); [`StreamError::Busy`] if another task is
    /// accepting; [`StreamError::Closed`] if the listener is closed, before or meanwhile.
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
