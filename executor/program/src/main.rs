//! The program `terzetto`: see `terzetto --help`.
#![forbid(unsafe_code)]

mod program;

use std::process::ExitCode;

fn main() -> ExitCode {
    program::main()
}
