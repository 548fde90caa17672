//! The command line.

use std::{io, path::PathBuf};

/// What to run, and where to write.
#[derive(Debug, Default)]
pub struct Options {
    /// Small sizes.
    pub quick: bool,
    /// How often each job runs.
    pub rounds: usize,
    /// A Python with trio, to run trio as a peer.
    pub python: Option<String>,
    /// Whether to measure sizes and build times, too.
    pub build: bool,
    /// Only workloads whose names contain this.
    pub only: Option<String>,
    /// Where the results go, without a suffix.
    pub out: PathBuf,
}

const USAGE: &str =
    "usage: benches/run [--quick] [--python PYTHON] [--build] [--rounds N] [--only WORKLOADS] [--out PATH]";

impl Options {
    /// Reads the arguments.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> io::Result<Options> {
        let usage = || io::Error::other(USAGE);
        let (mut options, mut rounds, mut out) = (Options::default(), None, None);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(usage);
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--build" => options.build = true,
                "--python" => options.python = Some(value()?),
                "--only" => options.only = Some(value()?),
                "--rounds" => rounds = Some(value()?.parse().map_err(|_| usage())?),
                "--out" => out = Some(value()?.into()),
                _ => return Err(usage()),
            }
        }
        options.rounds = rounds.unwrap_or(if options.quick { 3 } else { 5 });
        // A part of the suite, or a short run of it, does not replace the results that are kept.
        let whole = !options.quick && options.only.is_none();
        let default = if whole { "benches/results/peers" } else { "target/benches/peers" };
        options.out = out.unwrap_or_else(|| default.into());
        Ok(options)
    }

    /// The files for CSV, the table and the picture.
    pub fn files(&self) -> (PathBuf, PathBuf, PathBuf) {
        let file = |suffix| self.out.with_extension(suffix);
        (file("csv"), file("md"), file("svg"))
    }
}
