//! The exit status.

use std::process::ExitCode;

/// How the program ends. If a command could not run at all, it returns an error, which becomes [`Status::NothingRan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything was computed.
    Done,
    /// Some items failed or were left out.
    SomeFailed,
    /// Nothing could run: wrong arguments, no images, no place for results.
    NothingRan,
    /// Everything was computed, and fewer vectors are valid than was asked for.
    TooFewValid,
    /// A signal has ended the run. By convention, the status is 128 plus the number of the signal.
    Interrupted(u8),
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(match status {
            Status::Done => 0,
            Status::SomeFailed => 1,
            Status::NothingRan => 2,
            Status::TooFewValid => 3,
            Status::Interrupted(code) => code,
        })
    }
}
