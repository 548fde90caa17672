//! What results are made with: all parameters that change their numbers, and no others.

use terzetto_executor::{
    BoxError,
    results::{MadeWith, content_fingerprint},
};
use terzetto_program::{
    params::Params,
    pipelines::{Background, Preprocessing},
};

use crate::commands::setup::preprocessing::mask_paths;

/// What the results of a task are made with. Files among the parameters, such as a mask, are represented by their
/// content.
pub fn made_with(task: &str, params: &Params, preprocessing: &Preprocessing) -> Result<MadeWith, BoxError> {
    let mut made = MadeWith::new(terzetto_program::PROGRAM, task);
    let mut preprocess = params.preprocess.clone();
    if let Some(background) = &mut preprocess.background
        && let Some(image) = background.image.take()
    {
        made.set("background", content_fingerprint(&[image]))?;
    }
    if let Some(Background::Series(_, images)) = &preprocessing.background {
        made.set("background", content_fingerprint(images))?;
    }
    if let Some(calibration) = preprocess.calibration.take() {
        made.set("calibration", content_fingerprint(&[calibration]))?;
    }
    made.set("preprocess", preprocess)?;
    Ok(made)
}

/// As [`made_with`], for displacements in couples that a rule has made.
pub fn made_with_piv(
    task: &str,
    params: &Params,
    preprocessing: &Preprocessing,
    rule: &str,
) -> Result<MadeWith, BoxError> {
    let mut made = made_with(task, params, preprocessing)?;
    let mut piv = params.piv.clone();
    if let Some(mask) = piv.mask.take() {
        made.set("mask", content_fingerprint(&mask_paths(&mask)?))?;
    }
    if let Some(scale) = params.scale.scale() {
        made.set("scale", [scale.pixel(), scale.dt()])?;
    }
    made.set("couples", rule)?;
    made.set("piv", piv)?;
    Ok(made)
}

/// The parameters that results keep, as TOML. The folder for results is left out, so results are the same in any
/// folder.
pub fn params_toml(params: &Params) -> String {
    let mut params = params.clone();
    params.output.folder = None;
    params.to_toml()
}
