//! What is done about a receiver that is slower than the senders.

/// What happens at a send if the buffer is full, since a receiver has not taken its oldest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlowReceiver {
    /// The send waits for the slowest receiver. Nobody misses anything, and all are as slow as the slowest.
    Wait,
    /// The oldest value goes. Who had not taken it yet hears of it at the next receive, by the error
    /// [`Lagged`](crate::sync::BroadcastReceiveError::Lagged), and goes on with the oldest value that is left. This is
    /// what tokio's `broadcast` does. Senders never wait.
    Lag,
    /// Who had not taken the oldest value is disconnected. Its receives fail with
    /// [`Disconnected`](crate::sync::BroadcastReceiveError::Disconnected), and the values that it had not taken are
    /// lost to it. Senders never wait.
    Disconnect,
}
