//! What a scope keeps about shutting down; see [`graceful`](super::graceful).

use std::cell::Cell;

/// What the code in a scope does when a scope further out is shut down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum OnShutDown {
    /// As the scope around.
    #[default]
    AsOutside,
    /// It goes on until the grace period ends.
    Finish,
    /// It is told by a cancellation.
    Stop,
}

/// The part of a scope's state that is about shutting down.
#[derive(Default)]
pub(crate) struct ShutDownState {
    /// Whether this scope itself is being shut down.
    pub(crate) called: Cell<bool>,
    pub(crate) on_shut_down: Cell<OnShutDown>,
}
