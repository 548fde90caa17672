//! Why a receive of a broadcast channel fails.

use crate::Cancelled;
use std::{error::Error as StdError, fmt};

/// Why no value was received from a broadcast channel.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BroadcastReceiveError {
    /// The task was cancelled first.
    Cancelled(Cancelled),
    /// The receiver was too slow, and has missed so many values ([`Lag`](crate::sync::SlowReceiver::Lag)). The next
    /// receive goes on after them.
    Lagged(u64),
    /// The receiver was too slow, and gets nothing any more ([`Disconnect`](crate::sync::SlowReceiver::Disconnect)).
    Disconnected,
    /// All senders are gone, and the receiver has got all their values.
    EndOfChannel,
    /// This end is closed; trio's `ClosedResourceError`.
    Closed,
    /// There is no value yet, and the call does not wait.
    WouldBlock,
}

impl fmt::Display for BroadcastReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BroadcastReceiveError::Cancelled(cancelled) => cancelled.fmt(f),
            BroadcastReceiveError::Lagged(1) => {
                f.write_str("the receiver was too slow: it has missed a value")
            }
            BroadcastReceiveError::Lagged(missed) => {
                write!(f, "the receiver was too slow: it has missed {missed} values")
            }
            BroadcastReceiveError::Disconnected => {
                f.write_str("the receiver was too slow: it is disconnected")
            }
            BroadcastReceiveError::EndOfChannel => {
                f.write_str("the channel has ended: all its senders are gone")
            }
            BroadcastReceiveError::Closed => f.write_str("this end of the channel is closed"),
            BroadcastReceiveError::WouldBlock => f.write_str("the receiver has got all values so far"),
        }
    }
}

impl StdError for BroadcastReceiveError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            BroadcastReceiveError::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }
}

impl From<Cancelled> for BroadcastReceiveError {
    fn from(cancelled: Cancelled) -> BroadcastReceiveError {
        BroadcastReceiveError::Cancelled(cancelled)
    }
}
