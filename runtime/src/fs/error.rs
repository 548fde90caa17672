//! The error of an operation on a file: which operation failed on which file.

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
    /// The file was closed by this program.
    Closed {
        /// Its name when it was opened.
        path: PathBuf,
    },
    /// The system refused the operation.
    Failed {
        /// The operation, in words that follow "cannot".
        action: &'static str,
        /// The path of the file or folder.
        path: PathBuf,
        /// The second path, if the operation has two: the path of the copy, or the target of a link.
        other: Option<PathBuf>,
        /// The system's error.
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

    /// The system's error, if the system was asked.
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            FileError::Failed { error, .. } => Some(error),
            _ => None,
        }
    }

    /// The kind of the system's error, if the system was asked.
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

/// For code that uses `io::Error`. The kind is kept, and so is the text with the file's name. A cancellation can
/// still be recognised inside.
impl From<FileError> for io::Error {
    fn from(error: FileError) -> io::Error {
        io::Error::new(error.kind().unwrap_or(io::ErrorKind::Other), error)
    }
}
