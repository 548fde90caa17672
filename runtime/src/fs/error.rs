//! What could not be done with which file.

use crate::Cancelled;
use std::{
    error::Error as StdError,
    fmt, io,
    path::{Path, PathBuf},
};

/// Why an operation on a file or folder failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileError {
    /// The task was cancelled before anything was done.
    Cancelled(Cancelled),
    /// The file was closed on our side.
    Closed {
        /// Its name when it was opened.
        path: PathBuf,
    },
    /// The system refuses.
    Failed {
        /// What was to be done, to be read after "cannot".
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// The second name, where the operation has two: that of a copy, a link's target.
        other: Option<PathBuf>,
        /// What the system says.
        error: io::Error,
    },
}

impl FileError {
    pub(super) fn new(action: &'static str, path: &Path, error: io::Error) -> FileError {
        FileError::Failed { action, path: path.to_owned(), other: None, error }
    }

    pub(super) fn with_other(mut self, name: &Path) -> FileError {
        if let FileError::Failed { other, .. } = &mut self {
            *other = Some(name.to_owned());
        }
        self
    }

    /// What the system says, if it was asked.
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            FileError::Failed { error, .. } => Some(error),
            _ => None,
        }
    }

    /// The kind of what the system says, if it was asked.
    pub fn kind(&self) -> Option<io::ErrorKind> {
        self.io_error().map(io::Error::kind)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Cancelled(cancelled) => cancelled.fmt(f),
            FileError::Closed { path } => write!(f, "file {path:?} is closed"),
            FileError::Failed { action, path, other: None, error } => {
                write!(f, "cannot {action} {path:?}: {error}")
            }
            FileError::Failed { action, path, other: Some(other), error } => {
                write!(f, "cannot {action} {path:?} (and {other:?}): {error}")
            }
        }
    }
}

impl StdError for FileError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            FileError::Cancelled(cancelled) => Some(cancelled),
            FileError::Closed { .. } => None,
            FileError::Failed { error, .. } => Some(error),
        }
    }
}

impl From<Cancelled> for FileError {
    fn from(cancelled: Cancelled) -> FileError {
        FileError::Cancelled(cancelled)
    }
}

/// For code that speaks `io::Error`. The kind stays, and so does the text with the file's name; a
/// cancellation stays recognisable inside.
impl From<FileError> for io::Error {
    fn from(error: FileError) -> io::Error {
        io::Error::new(error.kind().unwrap_or(io::ErrorKind::Other), error)
    }
}
