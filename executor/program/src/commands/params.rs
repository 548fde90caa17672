//! `terzetto params`: all parameters with their defaults.

use terzetto_executor::BoxError;
use terzetto_program::params::DEFAULTS;

use super::{print_line, run::status::Status};

pub fn command() -> Result<Status, BoxError> {
    print_line(DEFAULTS.trim_end());
    Ok(Status::Done)
}
