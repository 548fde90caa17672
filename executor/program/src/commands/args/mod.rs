//! The command line.

mod part;
mod run;
mod scale;
mod series;
mod synth;
mod topology;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use part::{InParts, Part};
pub use run::{ExecutorChoice, IfChanged, LogLevel, ResultArgs, RunArgs, SavingChoice};
pub use scale::ScaleArgs;
pub use series::{
    BosArgs, FormatChoice, InputArgs, MeanArgs, MeasureArgs, OutputArgs, PivArgs, PreprocessArgs,
};
pub use synth::{DemoArgs, FlowChoice, SynthArgs, SyntheticArgs};
pub use topology::TopologyArgs;

/// Measures velocity fields in series of particle images.
///
/// Each couple of images gives a field of displacements: a text file with one line for each vector, a
/// NetCDF file with everything that is known of the vectors, and pictures. Try `terzetto demo`, and then
/// `terzetto piv FOLDER --try`.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit status:\n  0    everything was computed\n  1    some couples or images failed or were left out; the others were computed\n  2    nothing could run: wrong arguments or parameters, no images, no place for results, or results in it\n       that were made otherwise\n  3    everything was computed, and fewer vectors are valid than --valid-min asks for\n  130  interrupted by Ctrl-C; what is finished stays\n\nSignals: Ctrl-C ends a run cleanly, a second Ctrl-C at once. SIGTERM and SIGHUP end\nit cleanly, too. SIGUSR2 lets running work finish and starts nothing new."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compute the displacements in every couple of a folder's images.
    ///
    /// Images end in png, tif, tiff, bmp, pgm, ppm, jpg, jpeg or webp. Other files, hidden files and folders are left out.
    /// Couples are made by the numbers in the file names, and by the letters a and b if there are any.
    /// A missing image costs its own couples and shifts no others. Before it computes, the command
    /// prints which couples there are, where numbers have gaps, and which images are left over and why.
    /// Names that leave the couples open are refused: then list the couples in a file (--couples-file),
    /// or name two images. A couple that fails (a broken file, two sizes) is reported and counted, and
    /// the others are computed.
    ///
    /// Each couple gives piv_<couple>.csv, .nc and .png in the folder for results. A file is whole or
    /// absent, never half-written. The run has a folder job_<time>_<process> with its parameters, log,
    /// list of results, and errors; `terzetto monitor` shows it. The folder manifests has a file for
    /// each result, with the images and parameters that it was made of. --complete reads these files,
    /// and refuses to mix results.
    ///
    /// A file has all parameters: `terzetto params` prints it with the defaults and their meanings.
    /// With --try, one couple is computed, its quality is printed, and nothing is kept.
    Piv(PivArgs),
    /// Compute the apparent displacements in each image against a reference image.
    ///
    /// Background-oriented schlieren: a pattern seen through a transparent flow seems to shift. Each
    /// image gives bos_<image>.csv, .nc and .png. Everything else is as for `terzetto piv`.
    Bos(BosArgs),
    /// Filter a folder's images, one by one and over time.
    ///
    /// The section [preprocess] of the file of parameters says what is done: a background, a filter
    /// over time, filters of single images. Each image becomes a PNG file of 16 bits.
    Preprocess(PreprocessArgs),
    /// Compute mean, standard deviation, minimum and maximum of a folder's images.
    ///
    /// They are written as PNG files of 16 bits, and without rounding into mean.nc. Pictures of results are no images:
    /// `terzetto fields` makes the mean of measured fields.
    Mean(MeanArgs),
    /// Print all parameters with their defaults and meanings, as a file for --params.
    Params,
    /// Compute statistics of the fields in a folder for results, and write them for other programs.
    ///
    /// Reads all NetCDF results (piv_*.nc or bos_*.nc), one after the other, and writes into the folder fields: the
    /// mean, the fluctuations and the Reynolds stresses as statistics.nc, and the mean field with its vorticity,
    /// divergence, strain and λ2 as mean.vtk (ParaView), mean.dat (Tecplot), mean.txt (OpenPIV) and mean.mat (PIVlab,
    /// MATLAB). report.html shows the series: shares of valid vectors, histograms, the mean field, the worst couples.
    /// It opens without a server. If the results have a scale, or with --scale and --dt, velocities are in m/s.
    Fields(FieldsArgs),
    /// Find out from the image of a target how the camera distorts, and how long a pixel is.
    ///
    /// The target is a flat plate with dots in rows and columns, in the plane that is measured. The file that is
    /// written goes into the parameters (preprocess.calibration). Images are then dewarped, so that a pixel has the
    /// same length everywhere, which is printed for --scale.
    Calibrate(CalibrateArgs),
    /// Write the images of a film as a series: the pages of a TIFF file, the frames of a video.
    ///
    /// Films are TIFF files of several pages, AVI files (uncompressed or MJPEG), and all videos that the program ffmpeg
    /// reads, if it is installed. Other commands do this by themselves if a film is named in place of the folder: the
    /// images of run7.tif go into the folder run7.pages beside it. Images become <name>_0001.png, <name>_0002.png and
    /// so on; those that 16-bit counts cannot hold become TIFF files of floating-point numbers.
    Pages(PagesArgs),
    /// Write a series of synthetic images whose displacements are known.
    ///
    /// The images of a couple are couple_0001a.png and couple_0001b.png. truth.toml has the numbers
    /// that they were made with.
    Synth(SynthArgs),
    /// Write a synthetic series, compute it, and compare with the truth.
    Demo(DemoArgs),
    /// Show the running and finished jobs of a folder for results.
    ///
    /// On a terminal, the view is live until all jobs have ended, or until Ctrl-C. Elsewhere it is
    /// printed once. If parts of a series are computed, the first line has their total. While a job
    /// runs, the view names the work that holds the others up.
    Monitor(MonitorArgs),
    /// Show the tasks of a running program: what each waits for, and who holds that.
    ///
    /// The program has to open the socket (`Builder::task_socket`). On a terminal, the view is live
    /// until q is pressed. Elsewhere it is printed once.
    #[cfg(feature = "tasks")]
    Tasks(TasksArgs),
    /// List the topologies, draw one, or check, draw and run one of your own, written in TOML.
    ///
    /// A file names works of the program (--works lists them), and the queues that link them:
    ///
    ///   name = "filtered"
    ///   [[work]]
    ///   name = "list images"
    ///   to = "paths"
    ///   params = { path = "series" }
    ///   [[work]]
    ///   name = "read image"
    ///   from = "paths"
    ///   to = "images"
    ///   [[work]]
    ///   name = "save image"
    ///   from = "images"
    ///   params = { folder = "copies" }
    ///
    /// Relative paths are relative to the file. Further keys of a work are use (its name in the program, if it has
    /// another one here), max_workers, priority, and uses (resources). Further keys of the file are limits (of
    /// queues) and feedback (queues that close a circle).
    #[command(verbatim_doc_comment)]
    Topology(TopologyArgs),
}

#[derive(Debug, Args)]
pub struct FieldsArgs {
    /// The folder for results
    pub folder: PathBuf,
    /// What velocities are computed with [default: the scale of the results, if they have one]
    #[command(flatten)]
    pub scale: ScaleArgs,
    /// The folder for what is written [default: the folder fields in the folder for results]
    #[arg(short, long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Write each field for other programs, too, and not only the mean
    #[arg(long)]
    pub each: bool,
    /// Compute so many modes of the proper orthogonal decomposition (POD), as modes.nc
    #[arg(long, value_name = "N")]
    pub modes: Option<usize>,
    /// Compute the spectrum of the fluctuations over time from segments of so many fields, as spectrum.csv
    #[arg(long, value_name = "FIELDS")]
    pub spectrum: Option<usize>,
    /// The time from one field to the next, for the frequencies of --spectrum: 10ms, or a number of seconds
    #[arg(long, value_name = "TIME", value_parser = scale::parse_time, requires = "spectrum")]
    pub interval: Option<f64>,
}

#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// The image of the target
    pub target: PathBuf,
    /// The distance of neighbouring dots: 5mm, or a number of metres
    #[arg(long, value_name = "LENGTH", value_parser = scale::parse_length)]
    pub spacing: f64,
    /// The file for the calibration
    #[arg(short, long, value_name = "FILE", default_value = "calibration.toml")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct PagesArgs {
    /// The film
    pub file: PathBuf,
    /// The folder for the images, made if needed
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct MonitorArgs {
    /// The folder for results
    pub folder: PathBuf,
    /// Print the view once
    #[arg(long)]
    pub once: bool,
    /// Print everything as JSON: the jobs, and what each of their works has done
    #[arg(long, conflicts_with = "once")]
    pub json: bool,
    /// Print the numbers in the text format of Prometheus
    #[arg(long, conflicts_with_all = ["once", "json"])]
    pub prometheus: bool,
    /// Serve these numbers over HTTP, such as at 127.0.0.1:9464, until Ctrl-C
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["once", "json", "prometheus"])]
    pub listen: Option<String>,
}

#[cfg(feature = "tasks")]
#[derive(Debug, Args)]
pub struct TasksArgs {
    /// The socket that the program has opened
    pub socket: PathBuf,
    /// Print the tasks once
    #[arg(long)]
    pub once: bool,
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
