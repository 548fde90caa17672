//! `[[piv.passes]]` and `[piv.spline]`: the kernels' parameters, with defaults for one pass.
//!
//! The kernels' own defaults are those of a pass among others: the correlation that is fast where little is left to
//! find, and a field that is smoothed. Whoever runs one pass wants the displacements as measured, also those of a
//! third of the window: padded correlation, no smoothing.

use serde::{Deserialize, Serialize};
use terzetto_kernels::{
    PassParams,
    correlation::Method,
    multipass::{Predictor, SplineParams},
    subpixel::SubpixelParams,
    validation::ValidationParams,
};

/// One pass: see [`PassParams`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are those of the kernels' type")]
pub struct PassSection {
    pub window: usize,
    pub overlap: f64,
    pub clip: bool,
    pub correlation: Method,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub displacement_max: Option<f64>,
    pub peaks: usize,
    pub particle_radius: usize,
    pub predictor: Predictor,
    pub subpixel: SubpixelParams,
    pub validation: ValidationParams,
}

impl Default for PassSection {
    fn default() -> Self {
        let PassParams {
            window,
            overlap,
            clip,
            correlation: _,
            displacement_max,
            peaks,
            particle_radius,
            subpixel,
            validation,
            predictor,
        } = PassParams::default();
        PassSection {
            window,
            overlap,
            clip,
            correlation: Method::Padded,
            displacement_max,
            peaks,
            particle_radius,
            predictor,
            subpixel,
            validation,
        }
    }
}

impl From<PassSection> for PassParams {
    fn from(section: PassSection) -> PassParams {
        let PassSection {
            window,
            overlap,
            clip,
            correlation,
            displacement_max,
            peaks,
            particle_radius,
            predictor,
            subpixel,
            validation,
        } = section;
        PassParams {
            window,
            overlap,
            clip,
            correlation,
            displacement_max,
            peaks,
            particle_radius,
            subpixel,
            validation,
            predictor,
        }
    }
}

/// How fields are carried from pass to pass: see [`SplineParams`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are those of the kernels' type")]
pub struct SplineSection {
    pub smoothing: f64,
    pub subdomain: usize,
    pub threshold: f64,
    pub smooth_last: bool,
}

impl Default for SplineSection {
    fn default() -> Self {
        let SplineParams { smoothing, subdomain, threshold, smooth_last: _ } = SplineParams::default();
        SplineSection { smoothing, subdomain, threshold, smooth_last: false }
    }
}

impl From<SplineSection> for SplineParams {
    fn from(section: SplineSection) -> SplineParams {
        let SplineSection { smoothing, subdomain, threshold, smooth_last } = section;
        SplineParams { smoothing, subdomain, threshold, smooth_last }
    }
}
