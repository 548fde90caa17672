//! Errors of locks, semaphores and limiters.

use crate::{
    Cancelled,
    sync::{BrokenResource, ParkError},
};
use std::{error::Error as StdError, fmt};

/// Why a lock, a permit or a token was not acquired.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AcquireError {
    /// The task was cancelled before it has acquired anything.
    Cancelled(Cancelled),
    /// The task holds the lock already, perhaps in another branch of a `join!`.
    AlreadyHeld,
    /// The borrower has a token of the limiter already.
    AlreadyBorrowed,
    /// The task that held it ended without releasing it.
    Broken(BrokenResource),
    /// It is not free now, and the call does not wait; trio's `WouldBlock`.
    WouldBlock,
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AcquireError::Cancelled(cancelled) => cancelled.fmt(f),
            AcquireError::AlreadyHeld => {
                f.write_str("the lock is held already by the same task, which would wait for itself")
            }
            AcquireError::AlreadyBorrowed => {
                f.write_str("the limiter's borrower has a token of it already, and would wait for itself")
            }
            AcquireError::Broken(broken) => broken.fmt(f),
            AcquireError::WouldBlock => f.write_str("it cannot be acquired without waiting"),
        }
    }
}

impl StdError for AcquireError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            AcquireError::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }
}

impl From<Cancelled> for AcquireError {
    fn from(cancelled: Cancelled) -> AcquireError {
        AcquireError::Cancelled(cancelled)
    }
}

impl From<ParkError> for AcquireError {
    fn from(error: ParkError) -> AcquireError {
        match error {
            ParkError::Cancelled(cancelled) => AcquireError::Cancelled(cancelled),
            ParkError::Broken(broken) => AcquireError::Broken(broken),
        }
    }
}

/// A task or borrower released, waited on or notified something that it does not hold; trio's `RuntimeError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotHeld {
    /// The task does not own the lock.
    Lock,
    /// The borrower holds no token of the limiter.
    Token,
    /// The semaphore would exceed its maximum. If it has none, it would exceed the range of `usize`.
    AboveMaximum,
}

impl fmt::Display for NotHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotHeld::Lock => "the task does not hold the lock",
            NotHeld::Token => "the borrower holds no token of this limiter",
            NotHeld::AboveMaximum => "the semaphore was released above its maximum",
        })
    }
}

impl StdError for NotHeld {}
