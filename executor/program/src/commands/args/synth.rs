//! Arguments about synthetic images.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{MeasureArgs, OutputArgs, ResultArgs, RunArgs, at_least_one};

#[derive(Debug, Args)]
pub struct SynthArgs {
    /// The folder for the images, made if needed
    pub folder: PathBuf,
    #[command(flatten)]
    pub synthetic: SyntheticArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The folder for images and results, made if needed [default: a new one for temporary files]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub synthetic: SyntheticArgs,
    #[command(flatten)]
    pub measure: MeasureArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub results: ResultArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

/// What the synthetic images show.
#[derive(Clone, Debug, Args)]
pub struct SyntheticArgs {
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
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("640x480"), Ok((640, 480)));
        assert_eq!(parse_size("512"), Ok((512, 512)));
        for bad in ["", "x", "8x512", "512x", "1e3", "99999"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
