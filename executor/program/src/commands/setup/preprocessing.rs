//! What is done to images before displacements are measured: background, filters, mask.

use std::path::{Path, PathBuf};

use terzetto_executor::BoxError;
use terzetto_kernels::{Image, multipass::Mask, read_image};
use terzetto_program::{
    params::{BackgroundSection, Params},
    pipelines::{Background, Preprocessing},
};

/// The background and the filters of the series.
pub fn preprocessing(params: &Params, images: &[PathBuf]) -> Result<Preprocessing, BoxError> {
    let background = match &params.preprocess.background {
        None => None,
        Some(BackgroundSection { image: Some(path), .. }) => {
            Some(Background::Image(read("preprocess.background.image", path)?))
        }
        Some(BackgroundSection { statistic, samples, .. }) => {
            statistic.map(|statistic| Background::of_series(statistic, images, *samples))
        }
    };
    Ok(Preprocessing { background, filters: params.preprocess.filters.clone() })
}

/// As [`preprocessing`], for displacements. A filter over time is not possible there.
pub fn preprocessing_for_piv(params: &Params, images: &[PathBuf]) -> Result<Preprocessing, BoxError> {
    if params.preprocess.temporal.is_some() {
        let hint = "run `terzetto preprocess` first, then this command on its folder";
        return Err(format!("preprocess.temporal: a filter over time needs a run of its own: {hint}").into());
    }
    preprocessing(params, images)
}

/// Reads the mask.
pub fn mask(params: &Params) -> Result<Option<Mask>, BoxError> {
    let mask = |path: &PathBuf| read("piv.mask", path).map(|image| Mask::from_image(&image));
    params.piv.mask.as_ref().map(mask).transpose()
}

/// Reads the image that a key of the parameters names.
fn read(key: &str, path: &Path) -> Result<Image, BoxError> {
    read_image(path).map_err(|error| format!("{key}: {error}").into())
}
