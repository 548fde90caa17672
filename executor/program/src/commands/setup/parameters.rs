//! The effective parameters: those of the file, overridden by the options.

use std::path::{Path, PathBuf};

use terzetto_executor::BoxError;
use terzetto_program::{
    params::{Params, SeriesSection},
    series::CoupleRule,
};

use crate::commands::args::{InputArgs, MeasureArgs, OutputArgs, ScaleArgs};

/// The options of a command that override parameters.
#[derive(Default)]
pub struct Overrides<'a> {
    pub couples: Option<CoupleRule>,
    pub couples_file: Option<&'a PathBuf>,
    /// The second of two images. The first one is named in place of the folder.
    pub second: Option<&'a PathBuf>,
    pub measure: Option<&'a MeasureArgs>,
    pub scale: Option<&'a ScaleArgs>,
    pub output: Option<&'a OutputArgs>,
}

/// The effective parameters of a command. Paths in them are absolute, so a later run can use them in any folder.
pub fn effective_params(input: &InputArgs, overrides: &Overrides<'_>) -> Result<Params, BoxError> {
    let mut params = match &input.params {
        Some(path) => Params::read(path)?,
        None => Params::default(),
    };
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    match (&input.folder, overrides.second) {
        (Some(first), Some(second)) => {
            let images = Some([absolute(first), absolute(second)]);
            params.series = SeriesSection { images, ..SeriesSection::default() };
        }
        (Some(folder), None) => {
            (params.series.path, params.series.images) = (Some(absolute(folder)), None);
        }
        _ => {}
    }
    if let Some(out) = &input.out {
        params.output.folder = Some(absolute(out));
    }
    if let Some(range) = input.range {
        params.series.range = range;
    }
    if let Some(couples) = overrides.couples {
        params.series.couples = couples;
        (params.series.couples_file, params.series.images) = (None, None);
    }
    if let Some(file) = overrides.couples_file {
        params.series.couples_file = Some(absolute(file));
        params.series.images = None;
    }
    if let Some(MeasureArgs { window, overlap, passes, mask, uncertainty, valid_min: _ }) = overrides.measure
    {
        if let Some(mask) = mask {
            params.piv.mask = Some(absolute(mask));
        }
        params.piv.uncertainty |= uncertainty;
        if let Some(number) = passes {
            params.piv.set_number(*number);
        }
        if let Some(window) = window {
            params.piv.set_window(*window);
        }
        if let Some(overlap) = overlap {
            params.piv.passes.iter_mut().for_each(|pass| pass.overlap = *overlap);
        }
    }
    if let Some(scale) = overrides.scale {
        scale.apply(&mut params.scale);
    }
    if let Some(output) = overrides.output {
        if let Some(formats) = &output.format {
            params.output.formats = formats.iter().map(|format| (*format).into()).collect();
        }
        if let Some(plots) = output.plots() {
            params.output.plots = plots;
        }
    }
    // The file has been checked before. So if a value is not valid now, it comes from the options.
    params.validate().map_err(|invalid| invalid.of("the command line"))?;
    Ok(params)
}

/// The path of the images.
pub fn series_path(params: &Params) -> Result<&Path, BoxError> {
    let missing = "which images? Name a folder, or series.path in the file of --params";
    Ok(params.series.path.as_deref().ok_or(missing)?)
}
