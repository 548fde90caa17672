//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use terzetto_executor::series::CoupleRule;

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
    /// results, and log_<time>_<process>.txt for the run. No file is ever half-written under its
    /// name.
    Piv(PivArgs),
    /// Write a series of synthetic images whose displacements are known.
    ///
    /// Couples are named couple_0001a.png and couple_0001b.png; truth.toml tells how they were
    /// made.
    Synth(SynthArgs),
    /// Write a synthetic series, compute it, and compare with the truth.
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
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
}

/// What is written.
#[derive(Clone, Debug, Args)]
pub struct ResultArgs {
    /// Compute only couples that have no piv_<couple>.csv yet, to go on after an interruption
    #[arg(long)]
    pub complete: bool,
    /// Write no pictures
    #[arg(long)]
    pub no_plots: bool,
    /// How much the log file tells
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<LogLevel> for log::LevelFilter {
    fn from(level: LogLevel) -> log::LevelFilter {
        match level {
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
    fn sizes() {
        assert_eq!(parse_size("640x480"), Ok((640, 480)));
        assert_eq!(parse_size("512"), Ok((512, 512)));
        for bad in ["", "x", "8x512", "512x", "1e3", "99999"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
