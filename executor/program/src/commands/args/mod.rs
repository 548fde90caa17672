//! The command line.

mod part;
mod run;
mod series;
mod synth;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use part::{InParts, Part};
pub use run::{ExecutorChoice, IfChanged, LogLevel, ResultArgs, RunArgs, SavingChoice};
pub use series::{
    BosArgs, FormatChoice, InputArgs, MeanArgs, MeasureArgs, OutputArgs, PivArgs, PreprocessArgs,
};
pub use synth::{DemoArgs, FlowChoice, SynthArgs, SyntheticArgs};

/// Measures velocity fields in series of particle images.
///
/// Each couple of images gives a field of displacements: a text file with one line for each vector, a
/// NetCDF file with all that is known of them, and pictures. Try `terzetto demo`; then
/// `terzetto piv FOLDER --try`.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit status:\n  0    everything was computed\n  1    some couples or images failed or were left out; the others were computed\n  2    nothing could run: wrong arguments or parameters, no images, no place for results, or results in it\n       that were made otherwise\n  130  interrupted by Ctrl-C; what is finished stays\n\nSignals: Ctrl-C ends a run cleanly, a second Ctrl-C at once. SIGUSR2 lets running work finish and starts nothing new."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compute the displacements in every couple of a folder's images.
    ///
    /// Images end in png, tif, tiff, bmp or pgm; other files, hidden ones and folders are left out.
    /// Couples go by the numbers in the file names, and by the letters a and b if there are any: a
    /// missing image costs its own couples and shifts no other. Before anything is computed, it is
    /// said which couples there are, where numbers have gaps, and which images are left over and why.
    /// Names that leave it open are refused: list the couples in a file (--couples-file), or name two
    /// images. A couple that fails (a broken file, two sizes) is reported and counted, and the others
    /// are computed.
    ///
    /// For each couple, piv_<couple>.csv, .nc and .png are written into the folder of results. No
    /// file is ever half-written under its name. For the run itself there is a folder
    /// job_<time>_<process> with its parameters, log, list of results, and errors; `terzetto
    /// monitor` shows it. A folder manifests says of each result of which images and with which
    /// parameters it was made: --complete goes by it, and refuses to mix results.
    ///
    /// All parameters are in a file: `terzetto params` prints one with the defaults and what they
    /// mean. With --try, one couple is computed and judged, and nothing is kept.
    Piv(PivArgs),
    /// Compute the apparent displacements in each image against a reference image.
    ///
    /// Background-oriented schlieren: a pattern seen through a transparent flow seems to shift. For
    /// each image, bos_<image>.csv, .nc and .png are written. All else is as for `terzetto piv`.
    Bos(BosArgs),
    /// Filter a folder's images, one by one and over time.
    ///
    /// What is done is in section [preprocess] of the file of parameters: a background, a filter
    /// over time, filters of single images. Each image becomes a PNG file of 16 bits.
    Preprocess(PreprocessArgs),
    /// Compute mean, standard deviation, minimum and maximum of a folder's images.
    ///
    /// They are written as PNG files of 16 bits, and unrounded into mean.nc.
    Mean(MeanArgs),
    /// Print all parameters with their defaults and what they mean, as a file for --params.
    Params,
    /// Write a series of synthetic images whose displacements are known.
    ///
    /// Couples are named couple_0001a.png and couple_0001b.png; truth.toml tells how they were
    /// made.
    Synth(SynthArgs),
    /// Write a synthetic series, compute it, and compare with the truth.
    Demo(DemoArgs),
    /// Show the running and finished jobs of a folder for results.
    ///
    /// On a terminal the view is live until all jobs have ended or Ctrl-C; elsewhere it is printed
    /// once.
    Monitor(MonitorArgs),
    /// List the topologies, or draw one.
    Topology(TopologyArgs),
}

#[derive(Debug, Args)]
pub struct MonitorArgs {
    /// The folder for results
    pub folder: PathBuf,
    /// Print the view once
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct TopologyArgs {
    /// Which one [default: list them]
    pub name: Option<String>,
    /// Draw its graph: into a file whose name ends in .svg or .dot, or print it as dot
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", requires = "name")]
    pub graph: Option<PathBuf>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a whole number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_description_is_consistent() {
        Cli::command().debug_assert();
    }
}
