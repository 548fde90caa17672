//! The program `terzetto`: see `terzetto --help`.
#![forbid(unsafe_code)]

mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main()
}
