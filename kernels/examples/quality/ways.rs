//! How a couple is measured.

use super::{Fallible, cases::Case, errors::Errors};
use terzetto_kernels::{
    MultipassParams, MultipassPlan, PassParams, correlation::CorrelationMethod, multipass::Predictor,
    subpixel::SubpixelParams,
};

#[derive(Clone, Copy, Debug)]
pub enum Way {
    OnePass,
    /// One pass without what is darker than a window's mean, which helps in noise.
    Clipped,
    Padded,
    Shift,
    Deform,
}

pub const WAYS: [Way; 5] = [Way::OnePass, Way::Clipped, Way::Padded, Way::Shift, Way::Deform];

/// Windows of 32 px throughout, so that ways differ in nothing else; no smoothing of the last field.
pub fn params(way: Way, subpixel: SubpixelParams) -> MultipassParams {
    let pass = PassParams { subpixel, ..PassParams::default() };
    let predictor = if matches!(way, Way::Deform) { Predictor::Deform } else { Predictor::Shift };
    let correlation =
        if matches!(way, Way::Padded) { CorrelationMethod::Padded } else { CorrelationMethod::Circular };
    let passes = match way {
        Way::OnePass | Way::Padded => vec![PassParams { correlation, ..pass }],
        Way::Clipped => vec![PassParams { clip: true, ..pass }],
        Way::Shift => vec![pass.clone(), pass],
        Way::Deform => {
            vec![pass.clone(), PassParams { predictor, ..pass.clone() }, PassParams { predictor, ..pass }]
        }
    };
    MultipassParams { passes, ..MultipassParams::default() }
}

/// The errors of the last pass's vectors, as measured: before the spline that smooths them.
pub fn measure(case: &Case, params: &MultipassParams, couples: u64) -> Fallible<Errors> {
    let mut plan = MultipassPlan::new(params, case.scene.width, case.scene.height)?;
    let mut errors = Errors::default();
    for index in 0..couples {
        let [first, second] = case.couple(index)?;
        let result = plan.compute(&first, &second)?;
        for vector in &result.passes.last().ok_or("no pass")?.vectors {
            errors.add(case, (vector.x, vector.y), vector.dx);
        }
    }
    Ok(errors)
}
