//! Arguments of the commands on a series of images.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use terzetto_program::{
    params::{Format, PlotKind},
    series::{CoupleRule, IndexRange},
};

use super::{ResultArgs, RunArgs, ScaleArgs, at_least_one};

#[derive(Clone, Debug, Args)]
pub struct PivArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// With a single image in place of the folder: the second image of the couple
    #[arg(value_name = "SECOND", conflicts_with_all = ["range", "couples", "couples_file"])]
    pub second: Option<PathBuf>,
    /// Which images make couples, by the numbers and letters in their names: auto, consecutive (1-2, 2-3), pairs (1-2,
    /// 3-4), ab (1a-1b, 2a-2b), order (each with the next one, whatever the numbers are), or a slice of two numbers
    /// such as i:i+2 or i:i+3:2 [default: auto]
    #[arg(long, value_name = "RULE")]
    pub couples: Option<CoupleRule>,
    /// A file that lists the couples: on each line the names of two images, relative to the folder with the images, or
    /// to the file's own if none is named
    #[arg(long, value_name = "FILE", conflicts_with_all = ["range", "couples"])]
    pub couples_file: Option<PathBuf>,
    /// Compute one couple only, the first or the named one, and print how good it is. Only its pictures are kept: in
    /// the folder of --out, or in a folder for temporary files
    #[arg(long = "try", value_name = "COUPLE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub try_one: Option<String>,
    /// With --try, the place whose correlation is drawn, in pixels [default: the middle]
    #[arg(long, value_name = "X,Y", requires = "try_one", value_parser = parse_place)]
    pub at: Option<[f64; 2]>,
    /// Compute one field of all couples together, in piv_ensemble.csv and so on: their correlations are added up before
    /// the peak is searched. For steady flows with few particles, as in microscopes
    #[arg(long, conflicts_with_all = ["try_one", "uncertainty"])]
    pub ensemble: bool,
    #[command(flatten)]
    pub scale: ScaleArgs,
    #[command(flatten)]
    pub measure: MeasureArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub results: ResultArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Clone, Debug, Args)]
pub struct BosArgs {
    /// The image of the undisturbed background
    pub reference: PathBuf,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub measure: MeasureArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub results: ResultArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Clone, Debug, Args)]
pub struct PreprocessArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub results: ResultArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Clone, Debug, Args)]
pub struct MeanArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub results: ResultArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Which images, and where results go.
#[derive(Clone, Debug, Args)]
pub struct InputArgs {
    /// The folder with the images, a pattern of file names in it such as 'run7/cam1_*.png', or a film: a TIFF file of
    /// several pages, a video; for piv also the first of two images
    pub folder: Option<PathBuf>,
    /// A file of parameters, as `terzetto params` prints one; options override it
    #[arg(short, long, value_name = "FILE")]
    pub params: Option<PathBuf>,
    /// Only images with these numbers in their names, as in Python: 10:20, ::2 [default: all]
    #[arg(long, value_name = "START:STOP:STEP")]
    pub range: Option<IndexRange>,
    /// The folder for the results, made if needed [default: the images' folder with .piv, .bos, .pre
    /// or .mean added]
    #[arg(short, long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// How displacements are computed.
#[derive(Clone, Debug, Args)]
pub struct MeasureArgs {
    /// Side of the square windows of the first pass, in pixels. Each further pass has half of it
    /// [default: 32]
    #[arg(short, long, value_name = "PX")]
    pub window: Option<usize>,
    /// How much neighbouring windows share, from 0 to below 1 [default: 0.5]
    #[arg(long, value_name = "PART")]
    pub overlap: Option<f64>,
    /// How many passes. A new pass has half of the window of the pass before [default: 1]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub passes: Option<usize>,
    /// What is no flow (walls, bodies, reflections): an image whose dark pixels (0) are it, a file of polygons (.toml
    /// or .json), or, for masks that move, a folder or pattern with a file for each couple, of the number of its first
    /// image
    #[arg(long, value_name = "PATH")]
    pub mask: Option<PathBuf>,
    /// Estimate the uncertainty of each vector, from the statistics of its correlation
    #[arg(long)]
    pub uncertainty: bool,
    /// The share of vectors that must be valid, from 0 to 1: with fewer, the exit status is 3 [default: none]
    #[arg(long, value_name = "PART", value_parser = parse_share)]
    pub valid_min: Option<f64>,
}

/// What is written of each couple.
#[derive(Clone, Debug, Args)]
pub struct OutputArgs {
    /// Files of numbers [default: csv,netcdf]
    #[arg(long, value_name = "FORMATS", value_enum, value_delimiter = ',')]
    pub format: Option<Vec<FormatChoice>>,
    /// Pictures [default: vectors]
    #[arg(long, value_name = "PLOTS", value_enum, value_delimiter = ',')]
    pub plots: Option<Vec<PlotChoice>>,
    /// The same as --plots none
    #[arg(long, conflicts_with = "plots")]
    pub no_plots: bool,
}

impl OutputArgs {
    /// The pictures, if an option names them.
    pub fn plots(&self) -> Option<Vec<PlotKind>> {
        let named = self.plots.as_ref().filter(|_| !self.no_plots);
        let plots = named.map(|plots| plots.iter().filter_map(|choice| choice.kind()).collect());
        plots.or(self.no_plots.then(Vec::new))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatChoice {
    /// text, one line a vector
    Csv,
    /// NetCDF, all passes
    Netcdf,
}

impl From<FormatChoice> for Format {
    fn from(choice: FormatChoice) -> Format {
        match choice {
            FormatChoice::Csv => Format::Csv,
            FormatChoice::Netcdf => Format::Netcdf,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlotChoice {
    /// arrows over the first image
    Vectors,
    /// a map of the displacements' magnitude
    Magnitude,
    /// no picture
    None,
}

impl PlotChoice {
    fn kind(self) -> Option<PlotKind> {
        match self {
            PlotChoice::Vectors => Some(PlotKind::Vectors),
            PlotChoice::Magnitude => Some(PlotKind::Magnitude),
            PlotChoice::None => None,
        }
    }
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "must be 0 to 1".to_owned())
}

fn parse_place(text: &str) -> Result<[f64; 2], String> {
    let numbers =
        text.split_once(',').and_then(|(x, y)| Some([x.trim().parse().ok()?, y.trim().parse().ok()?]));
    numbers.filter(|[x, y]: &[f64; 2]| x.is_finite() && y.is_finite()).ok_or_else(|| "must be X,Y".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(parse_place("12.5, 7"), Ok([12.5, 7.0]));
        for bad in ["", "5", "a,b", "1,2,3", "nan,1"] {
            assert!(parse_place(bad).is_err(), "{bad}");
        }
    }
}
