//! The commands of the program, one command a file.
//!
//! - `args` is the command line.
//! - `piv`, `try_couple` (which is `piv --try`), `bos`, `preprocess`, `mean`, `fields`, `calibrate`, `pages`, `params`, `synth`,
//!   `demo`, `monitor` and `topology` are the commands.
//! - `tasks`, with the feature of this name, shows the tasks of a running program.
//! - `setup` is what commands on a series do before they compute: they read parameters, list images, find what is
//!   already done.
//! - `run` runs a topology and does all that a terminal expects: progress, log, signals, exit status.
//! - `synthetic` and `field_statistics` are the numbers behind `synth` and `piv --try`.

mod args;
mod bos;
mod calibrate;
mod demo;
mod field_statistics;
mod fields;
mod mean;
mod monitor;
mod pages;
mod params;
mod piv;
mod preprocess;
mod run;
mod setup;
mod synth;
mod synthetic;
#[cfg(feature = "tasks")]
mod tasks;
mod topology;
mod try_couple;

use std::{io::Write, process::ExitCode};

use clap::{
    CommandFactory, Parser,
    error::{ContextKind, ErrorKind},
};
use terzetto_executor::processes::Reporter;

use args::{Cli, Command};
use run::status::Status;

/// Parses the command line and runs the command. The exit status says how it went.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| without_misleading_hint(error).exit());
    let Some(command) = cli.command else {
        print_line(&Cli::command().render_long_help().to_string());
        return ExitCode::SUCCESS;
    };
    run::logging::install();
    let ended = match command {
        Command::Piv(args) => piv::command(&args),
        Command::Bos(args) => bos::command(&args),
        Command::Preprocess(args) => preprocess::command(&args),
        Command::Mean(args) => mean::command(&args),
        Command::Params => params::command(),
        Command::Fields(args) => fields::command(&args),
        Command::Calibrate(args) => calibrate::command(&args),
        Command::Pages(args) => pages::command(&args),
        Command::Synth(args) => synth::command(&args),
        Command::Demo(args) => demo::command(&args),
        Command::Monitor(args) => monitor::command(&args),
        #[cfg(feature = "tasks")]
        Command::Tasks(args) => tasks::command(&args),
        Command::Topology(args) => topology::command(&args),
    };
    let status = ended.unwrap_or_else(|error| {
        // This does not go through the log: the error must be printed, whatever the level of the log is.
        let _ = writeln!(std::io::stderr(), "error: {}", with_causes(&*error));
        Status::NothingRan
    });
    status.into()
}

/// An error of the command line. For an option that it does not know, clap advises `-- --option`, which would make a
/// file name of it: that is left out.
fn without_misleading_hint(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument {
        error.remove(ContextKind::Suggested);
    }
    error
}

/// An error and its causes on one line. A cause is left out if the text before it already ends with it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Prints a line, unless the standard output belongs to a supervisor. It is no error if nobody reads the output any
/// more, as with `| head`.
fn print_line(line: &str) {
    if Reporter::if_supervised().is_none() {
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}
