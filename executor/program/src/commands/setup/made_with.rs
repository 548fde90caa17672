//! What results are made with, out of the parameters: all that has a say in their numbers, and nothing else.

use terzetto_executor::{
    BoxError,
    results::{MadeWith, content_mark},
};
use terzetto_program::{
    params::Params,
    pipelines::{Background, Prepare},
};

/// What results of a task are made with. Files among the parameters, such as a mask, count by their content.
pub fn made_with(task: &str, params: &Params, prepare: &Prepare) -> Result<MadeWith, BoxError> {
    let mut made = MadeWith::new(task);
    let mut preprocess = params.preprocess.clone();
    if let Some(background) = &mut preprocess.background
        && let Some(image) = background.image.take()
    {
        made.set("background", content_mark(&[image]))?;
    }
    if let Some(Background::Series(_, images)) = &prepare.background {
        made.set("background", content_mark(images))?;
    }
    made.set("preprocess", preprocess)?;
    Ok(made)
}

/// The same for displacements in couples that were made by a rule.
pub fn made_with_piv(
    task: &str,
    params: &Params,
    prepare: &Prepare,
    rule: &str,
) -> Result<MadeWith, BoxError> {
    let mut made = made_with(task, params, prepare)?;
    let mut piv = params.piv.clone();
    if let Some(mask) = piv.mask.take() {
        made.set("mask", content_mark(&[mask]))?;
    }
    made.set("couples", rule)?;
    made.set("piv", piv)?;
    Ok(made)
}

/// The parameters that results keep. Where they lie is no part of them, so that they are the same in any folder.
pub fn record(params: &Params) -> String {
    let mut params = params.clone();
    params.output.folder = None;
    params.to_toml()
}
