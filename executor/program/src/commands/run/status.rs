//! Exit statuses.

use std::process::ExitCode;

/// How the program ends. Anything that keeps a command from running at all is an error instead, and
/// becomes [`Status::NothingRan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything was computed.
    Done,
    /// Some items failed or were left out.
    SomeFailed,
    /// Wrong arguments, no images, no place for results.
    NothingRan,
    /// A signal ended the run; the shell's convention is 128 plus its number.
    Interrupted(u8),
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(match status {
            Status::Done => 0,
            Status::SomeFailed => 1,
            Status::NothingRan => 2,
            Status::Interrupted(code) => code,
        })
    }
}
