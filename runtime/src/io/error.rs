//! Why an operation on a stream failed.

use crate::Cancelled;
use std::{error::Error as StdError, fmt, io};

/// Why an operation on a stream failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamError {
    /// The task was cancelled.
    Cancelled(Cancelled),
    /// This stream was closed by this program; trio's `ClosedResourceError`.
    Closed,
    /// The other side is gone, or the connection failed: nothing can be sent or received any more. This is trio's
    /// `BrokenResourceError`. It contains the operating system's error if there is one.
    Broken(Option<io::Error>),
    /// The operating system refused the operation. The stream itself may still be usable.
    Io(io::Error),
    /// Another task is doing this already (the text says what); trio's `BusyResourceError`.
    Busy(&'static str),
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamError::Cancelled(cancelled) => cancelled.fmt(f),
            StreamError::Closed => f.write_str("this stream is closed"),
            StreamError::Broken(None) => f.write_str("the stream is broken: the other side is gone"),
            StreamError::Broken(Some(error)) => write!(f, "the stream is broken: {error}"),
            StreamError::Io(error) => error.fmt(f),
            StreamError::Busy(what) => write!(f, "the stream is busy: another task is {what}"),
        }
    }
}

impl StdError for StreamError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            StreamError::Cancelled(cancelled) => Some(cancelled),
            StreamError::Broken(Some(error)) | StreamError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Cancelled> for StreamError {
    fn from(cancelled: Cancelled) -> StreamError {
        StreamError::Cancelled(cancelled)
    }
}

/// For code that uses `io::Error`, such as the traits of `futures-io`. A cancellation can still be recognised
/// inside.
impl From<StreamError> for io::Error {
    fn from(error: StreamError) -> io::Error {
        match error {
            StreamError::Broken(Some(error)) | StreamError::Io(error) => error,
            StreamError::Broken(None) => io::Error::new(io::ErrorKind::BrokenPipe, error),
            StreamError::Closed => io::Error::new(io::ErrorKind::NotConnected, error),
            StreamError::Busy(_) => io::Error::new(io::ErrorKind::ResourceBusy, error),
            StreamError::Cancelled(_) => io::Error::other(error),
        }
    }
}
