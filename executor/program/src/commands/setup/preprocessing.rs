//! What is done to images before displacements are measured: background, filters, mask.

use std::path::{Path, PathBuf};

use terzetto_executor::BoxError;
use terzetto_kernels::{Image, calibration::Calibration, read_image};
use terzetto_program::{
    masks::{MaskShape, Masks, list_masks, mask_files},
    params::{BackgroundSection, Params},
    pipelines::{Background, Preprocessing},
    series::{Couple, folder_of},
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
    let calibration = params.preprocess.calibration.as_deref().map(read_calibration).transpose()?;
    Ok(Preprocessing { background, filters: params.preprocess.filters.clone(), calibration })
}

/// As [`preprocessing`], for displacements. A filter over time is not possible there.
pub fn preprocessing_for_piv(params: &Params, images: &[PathBuf]) -> Result<Preprocessing, BoxError> {
    if params.preprocess.temporal.is_some() {
        let hint = "run `terzetto preprocess` first, then this command on its folder";
        return Err(format!("preprocess.temporal: a filter over time needs a run of its own: {hint}").into());
    }
    preprocessing(params, images)
}

/// The masks of the couples: one for all, or one for each. `images` are the images from which couples have their
/// numbers.
pub fn masks(params: &Params, couples: &[Couple], images: &[PathBuf]) -> Result<Masks, BoxError> {
    let Some(path) = &params.piv.mask else { return Ok(Masks::none()) };
    let named = |error: BoxError| BoxError::from(format!("piv.mask: {error}"));
    match is_moving(path) {
        false => Ok(Masks::same(MaskShape::read(path).map_err(named)?)),
        true => Ok(Masks::moving(mask_files(path, couples, images).map_err(named)?)),
    }
}

/// Is there a mask for each couple: is this a folder, or a pattern of file names?
fn is_moving(path: &Path) -> bool {
    path.is_dir() || folder_of(path) != path
}

/// The files of the masks, for their fingerprint.
pub fn mask_paths(path: &Path) -> Result<Vec<PathBuf>, BoxError> {
    if is_moving(path) { list_masks(path) } else { Ok(vec![path.to_owned()]) }
}

/// Reads a calibration.
fn read_calibration(path: &Path) -> Result<Calibration, BoxError> {
    let failed = |problem: String| format!("preprocess.calibration: `{}`: {problem}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| failed(format!("cannot be read: {error}")))?;
    Ok(toml::from_str(&text).map_err(|error| failed(error.message().to_owned()))?)
}

/// Reads the image that a key of the parameters names.
fn read(key: &str, path: &Path) -> Result<Image, BoxError> {
    read_image(path).map_err(|error| format!("{key}: {error}").into())
}
