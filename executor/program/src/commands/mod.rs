//! What the program does, one command a file.
//!
//! `args` is the command line; `piv`, `try_one` (`piv --try`), `bos`, `preprocess`, `mean`, `parameters` (`params`),
//! `synth`, `demo`, `monitor` and `topology` are the commands. `parameters` also brings file and options together,
//! `series`, `couples`, `prepare`, `made_with` and `todo` are what commands on images share. `run` runs a topology with everything a terminal
//! expects of it: `progress`, `logging`, `signals`, an exit `status`; `processes` has several processes do it.

mod args;
mod bos;
mod demo;
mod field_statistics;
mod mean;
mod monitor;
mod piv;
mod preprocess;
mod run;
mod setup;
mod synth;
mod synthetic;
mod topology;
mod try_couple;

use std::{io::Write, process::ExitCode};

use clap::{CommandFactory, Parser};
use terzetto_executor::processes::Reporter;

use args::{Cli, Command};
use run::status::Status;

/// Parses the command line, obeys it, and says by the exit status how that went.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let Some(command) = cli.command else {
        say(&Cli::command().render_long_help().to_string());
        return ExitCode::SUCCESS;
    };
    run::logging::install();
    let ended = match command {
        Command::Piv(args) => piv::command(&args),
        Command::Bos(args) => bos::command(&args),
        Command::Preprocess(args) => preprocess::command(&args),
        Command::Mean(args) => mean::command(&args),
        Command::Params => setup::parameters::command(),
        Command::Synth(args) => synth::command(&args),
        Command::Demo(args) => demo::command(&args),
        Command::Monitor(args) => monitor::command(&args),
        Command::Topology(args) => topology::command(&args),
    };
    let status = ended.unwrap_or_else(|error| {
        // Not through the log: this is what the program has to say, whatever the log's level.
        let _ = writeln!(std::io::stderr(), "error: {}", with_causes(&*error));
        Status::NothingRan
    });
    status.into()
}

/// An error and its causes on one line, without those that the errors above them have told already.
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

/// Prints a line, unless the standard output belongs to a supervisor. That nobody reads it any more, as with `| head`, is no error.
fn say(line: &str) {
    if Reporter::if_supervised().is_none() {
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}
