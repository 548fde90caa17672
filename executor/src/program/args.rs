//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use terzetto_executor::{
    results::Saving,
    series::{CoupleRule, Shard},
};

/// Measures velocity fields in series of particle images.
///
/// Each couple of images gives a field of displacements: a text file with one line for each vector,
/// and a picture. Try `terzetto demo`.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit status:\n  0    everything was computed\n  1    some couples failed or were left out; the others were computed\n  2    nothing could run: wrong arguments, no images, no place for results\n  130  interrupted by Ctrl-C; finished couples stay\n\nSignals: Ctrl-C ends a run cleanly, a second Ctrl-C at once. SIGUSR2 lets running work finish and starts nothing new."
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
    /// They are sorted by file name in natural order: im9 comes before im10. A couple that fails
    /// (a broken file, two sizes) is reported and counted, and the others are computed.
    ///
    /// For each couple, piv_<couple>.csv and piv_<couple>.png are written into the folder of
    /// results. No file is ever half-written under its name. For the run itself there is a folder
    /// job_<time>_<process> with its parameters, log, list of results, and errors; `terzetto
    /// monitor` shows it.
    Piv(PivArgs),
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

#[derive(Clone, Debug, Args)]
pub struct PivArgs {
    /// The folder with the images
    pub folder: PathBuf,
    /// The folder for the results, made if needed [default: the images' folder with .piv added]
    #[arg(short, long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Which images make couples
    #[arg(long, value_enum, default_value_t = CoupleChoice::Auto)]
    pub couples: CoupleChoice,
    #[command(flatten)]
    pub measure: MeasureArgs,
    #[command(flatten)]
    pub results: ResultArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

impl PivArgs {
    /// The command line that computes a part of a series as a process of its own.
    pub fn part(&self, out: &Path, shard: Shard, saving: SavingChoice) -> Vec<std::ffi::OsString> {
        let mut line: Vec<std::ffi::OsString> = vec!["piv".into(), "--out".into(), out.into()];
        let mut option = |name: &str, value: String| {
            line.push(format!("--{name}").into());
            line.push(value.into());
        };
        option("couples", name_of(self.couples));
        option("window", self.measure.window.to_string());
        option("overlap", self.measure.overlap.to_string());
        option("saving", name_of(saving));
        option("shard", shard.to_string());
        option("log-level", name_of(self.results.log_level));
        option("executor", name_of(ExecutorChoice::Async));
        if let Some(workers) = self.run.workers {
            option("workers", workers.to_string());
        }
        if let Some(items) = self.run.queue_max {
            option("queue-max", items.to_string());
        }
        let flags = [("--no-plots", self.results.no_plots), ("--stop-if-error", self.run.stop_if_error)];
        line.extend(flags.iter().filter(|(_, set)| *set).map(|(name, _)| (*name).into()));
        line.extend(["--quiet".into(), "--".into(), self.folder.clone().into()]);
        line
    }
}

fn name_of(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CoupleChoice {
    /// pairs if all names end like 1a, 1b; else consecutive
    Auto,
    /// 1-2, 2-3, 3-4 (i:i+2)
    Consecutive,
    /// 1-2, 3-4, or 1a-1b, 2a-2b
    Pairs,
}

impl From<CoupleChoice> for CoupleRule {
    fn from(choice: CoupleChoice) -> CoupleRule {
        match choice {
            CoupleChoice::Auto => CoupleRule::Auto,
            CoupleChoice::Consecutive => CoupleRule::Consecutive,
            CoupleChoice::Pairs => CoupleRule::Pairs,
        }
    }
}

/// How displacements are computed.
#[derive(Clone, Debug, Args)]
pub struct MeasureArgs {
    /// Side of the square windows that are compared, in pixels
    #[arg(short, long, value_name = "PX", default_value_t = 32)]
    pub window: usize,
    /// How much neighbouring windows share, from 0 to below 1
    #[arg(long, value_name = "PART", default_value_t = 0.5)]
    pub overlap: f64,
}

/// How the work is run.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// How many computing works run at once, and apart from them how many reading and writing ones
    /// [default: two more than cores below 16 cores, else cores]
    #[arg(short = 'j', long, value_name = "N", value_parser = at_least_one)]
    pub workers: Option<usize>,
    /// How many items may wait between two works; bounds memory [default: 4 × workers, at least 8]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub queue_max: Option<usize>,
    /// End the run at the first couple that fails
    #[arg(long)]
    pub stop_if_error: bool,
    /// Draw no progress bar and print no progress
    #[arg(short, long)]
    pub quiet: bool,
    /// What runs the works
    #[arg(long, value_enum, default_value_t = ExecutorChoice::Async)]
    pub executor: ExecutorChoice,
    /// How many processes `--executor multi` starts [default: one for each core]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub processes: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExecutorChoice {
    /// async loops, works in threads
    Async,
    /// async loops, no threads
    AsyncSequential,
    /// one item after the other
    Sequential,
    /// several processes, each async
    Multi,
}

/// What is written.
#[derive(Clone, Debug, Args)]
pub struct ResultArgs {
    /// What to do about results that are there already
    #[arg(long, value_name = "MODE", value_enum, default_value_t = SavingChoice::Ask)]
    pub saving: SavingChoice,
    /// The same as --saving complete, to go on after an interruption
    #[arg(long, conflicts_with = "saving")]
    pub complete: bool,
    /// Compute only this part of the series, such as 1/4 of it; parts may share a folder for results.
    /// In a Slurm job array, the part is taken from the array [default: all]
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Write no pictures
    #[arg(long)]
    pub no_plots: bool,
    /// How much the log file tells
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Info, env = "TERZETTO_LOG")]
    pub log_level: LogLevel,
}

impl ResultArgs {
    /// What to do about results that are there already.
    pub fn saving(&self) -> Saving {
        if self.complete { Saving::Complete } else { self.saving.into() }
    }

    /// The part of the series to compute, if it is not the whole.
    pub fn shard(&self) -> Result<Option<Shard>, terzetto_executor::series::ShardError> {
        match self.shard {
            Some(shard) => Ok(Some(shard)),
            None => Shard::from_slurm(|name| std::env::var(name).ok()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SavingChoice {
    /// ask, if the folder is not empty
    Ask,
    /// make a new folder, with a number
    NewDir,
    /// compute what is missing
    Complete,
    /// compute everything again
    Recompute,
}

impl From<SavingChoice> for Saving {
    fn from(choice: SavingChoice) -> Saving {
        match choice {
            SavingChoice::Ask => Saving::Ask,
            SavingChoice::NewDir => Saving::NewDir,
            SavingChoice::Complete => Saving::Complete,
            SavingChoice::Recompute => Saving::Recompute,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<LogLevel> for log::LevelFilter {
    fn from(level: LogLevel) -> log::LevelFilter {
        match level {
            LogLevel::Off => log::LevelFilter::Off,
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
            LogLevel::Trace => log::LevelFilter::Trace,
        }
    }
}

#[derive(Debug, Args)]
pub struct SynthArgs {
    /// The folder for the images, made if needed
    pub folder: PathBuf,
    #[command(flatten)]
    pub scene: SceneArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The folder for images and results, made if needed [default: a new one for temporary files]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub scene: SceneArgs,
    #[command(flatten)]
    pub measure: MeasureArgs,
    #[command(flatten)]
    pub results: ResultArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

/// What the synthetic images show.
#[derive(Clone, Debug, Args)]
pub struct SceneArgs {
    /// How many couples of images
    #[arg(short = 'n', long, value_name = "N", default_value_t = 4, value_parser = at_least_one)]
    pub pairs: usize,
    /// Width and height of the images in pixels, such as 512 or 640x480
    #[arg(long, value_name = "WxH", default_value = "512", value_parser = parse_size)]
    pub size: (usize, usize),
    /// The flow that moves the particles
    #[arg(long, value_enum, default_value_t = FlowChoice::Vortex)]
    pub flow: FlowChoice,
    /// The largest displacement between the images of a couple, in pixels
    #[arg(long, value_name = "PX", default_value_t = 4.0)]
    pub displacement: f64,
    /// Standard deviation of the noise, as a part of a particle's brightness
    #[arg(long, value_name = "PART", default_value_t = 0.02)]
    pub noise: f64,
    /// The same seed makes the same images
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FlowChoice {
    /// everything moves alike
    Uniform,
    /// like a turning disc
    Rotation,
    /// a vortex that fades with the distance from its centre
    Vortex,
    /// to the right in the lower half, to the left in the upper one
    Shear,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a whole number".to_owned()),
    }
}

fn parse_size(text: &str) -> Result<(usize, usize), String> {
    let (width, height) = text.split_once(['x', 'X']).unwrap_or((text, text));
    match (width.parse(), height.parse()) {
        (Ok(width), Ok(height)) if (16..=16384).contains(&width) && (16..=16384).contains(&height) => {
            Ok((width, height))
        }
        (Ok::<usize, _>(_), Ok::<usize, _>(_)) => Err("sides must be from 16 to 16384".to_owned()),
        _ => Err("must be a number, or two with an x between".to_owned()),
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

    #[test]
    fn the_command_line_of_a_part_says_the_same() {
        let line = "terzetto piv a/b --couples pairs --window 24 --overlap 0.75 --workers 3 --queue-max 5 \
                    --stop-if-error --no-plots --log-level debug --executor multi";
        let parse = |line: Vec<std::ffi::OsString>| match Cli::try_parse_from(line).map(|cli| cli.command) {
            Ok(Some(Command::Piv(args))) => args,
            other => panic!("{other:?}"),
        };
        let args = parse(line.split_whitespace().map(Into::into).collect());
        let shard = "2/3".parse().expect("a part");
        let mut part = vec!["terzetto".into()];
        part.extend(args.part(Path::new("out"), shard, SavingChoice::Complete));
        let part = parse(part);
        assert_eq!((part.results.shard, part.results.saving), (Some(shard), SavingChoice::Complete));
        assert_eq!((part.run.quiet, part.run.executor), (true, ExecutorChoice::Async));
        let (mut results, mut run) = (part.results.clone(), part.run.clone());
        (results.shard, results.saving) = (None, SavingChoice::Ask);
        (run.quiet, run.executor) = (false, ExecutorChoice::Multi);
        let same = PivArgs { results, run, out: None, ..part };
        assert_eq!(format!("{same:?}"), format!("{args:?}"));
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("640x480"), Ok((640, 480)));
        assert_eq!(parse_size("512"), Ok((512, 512)));
        for bad in ["", "x", "8x512", "512x", "1e3", "99999"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
