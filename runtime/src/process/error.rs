//! What can go wrong with a process: it does not start, or it fails.

use std::{
    error::Error as StdError,
    ffi::{OsStr, OsString},
    fmt, io,
    path::Path,
    process::ExitStatus,
};

/// How many bytes of a program's own message an error shows.
const SHOWN: usize = 1024;

/// A program could not be started.
#[derive(Debug)]
pub struct StartError {
    program: OsString,
    error: io::Error,
    hint: String,
}

impl StartError {
    pub(super) fn new(program: &OsStr, error: io::Error) -> StartError {
        StartError { program: program.to_owned(), error, hint: String::new() }
    }

    /// The command itself is invalid.
    pub(super) fn invalid(program: &OsStr, text: impl Into<String>) -> StartError {
        StartError::new(program, io::Error::new(io::ErrorKind::InvalidInput, text.into()))
    }

    /// The system also says "not found" if the working directory is missing.
    pub(super) fn in_directory(mut self, directory: Option<&Path>) -> StartError {
        if let Some(directory) = directory
            && !directory.is_dir()
        {
            self.hint = format!("; its working directory {directory:?} is not a directory");
        }
        self
    }

    /// The program that was to be started.
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// The system's error. It is [`io::ErrorKind::InvalidInput`] if the system was not asked at all.
    pub fn io_error(&self) -> &io::Error {
        &self.error
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot start program {:?}: {}{}", self.program, self.error, self.hint)
    }
}

impl StdError for StartError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.error)
    }
}

/// A program ended with a status other than success. This is trio's `CalledProcessError`.
#[derive(Debug)]
pub struct ProcessFailed {
    pub(super) command: String,
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl ProcessFailed {
    /// The program and its arguments, each in quotes.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// How it ended.
    pub fn status(&self) -> ExitStatus {
        self.status
    }

    /// Its standard output; empty if that was not captured.
    pub fn stdout(&self) -> &[u8] {
        &self.stdout
    }

    /// Its standard error; empty if that was not captured.
    pub fn stderr(&self) -> &[u8] {
        &self.stderr
    }
}

/// Shows the status and, if output was captured, the last part of it: usually it says why the program failed.
impl fmt::Display for ProcessFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.command, self.status)?;
        for (stream, output) in [("output", &self.stdout), ("error output", &self.stderr)] {
            let tail = &output[output.len().saturating_sub(SHOWN)..];
            let text = String::from_utf8_lossy(tail);
            if !text.trim().is_empty() {
                write!(f, "\nthe end of its {stream}:\n{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}

impl StdError for ProcessFailed {}
