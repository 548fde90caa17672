//! Internal errors: the run itself failed, through its own fault or through that of a callback.

use crate::error::{
    Error,
    failure::{discard, panic_text},
};
use std::{error::Error as StdError, fmt};

/// The run was ended by an error that should not happen; trio's `TrioInternalError`. For example, a callback of the
/// token or an abort function panicked, or a system task failed.
///
/// The run has cancelled the main task and has waited for it.
pub struct InternalError {
    what: String,
    cause: Option<Error>,
}

impl InternalError {
    pub(crate) fn new(what: impl Into<String>, cause: Option<Error>) -> InternalError {
        InternalError { what: what.into(), cause }
    }

    /// Keeps the message of a panic, and discards its payload.
    pub(crate) fn of_panic(what: &str, payload: Box<dyn std::any::Any + Send>) -> InternalError {
        let cause = panic_text(&*payload).unwrap_or("a panic without a text").to_owned();
        discard(payload);
        InternalError::new(what, Some(Error::msg(cause)))
    }

    /// The error that caused it. For a panic this is an error with its text.
    pub fn cause(&self) -> Option<&Error> {
        self.cause.as_ref()
    }
}

impl fmt::Display for InternalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "internal error of the run: {}", self.what)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for InternalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for InternalError {}
