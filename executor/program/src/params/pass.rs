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
pub struct PassSection {
    /// Side of the square interrogation window, px.
    pub window: usize,
    /// Share of a window that its neighbour covers too.
    pub overlap: f64,
    /// Whether pixels darker than their window's mean count as the mean.
    pub clip: bool,
    /// How the correlation is computed.
    pub correlation: Method,
    /// Largest displacement along each axis that is searched, px; none: half a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub displacement_max: Option<f64>,
    /// How many peaks of each correlation are found.
    pub peaks: usize,
    /// Distance within which there is no second peak, px.
    pub particle_radius: usize,
    /// How the field of the pass before is used.
    pub predictor: Predictor,
    /// How displacements are measured to fractions of a pixel.
    pub subpixel: SubpixelParams,
    /// What a valid vector is.
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
pub struct SplineSection {
    /// How stiff splines are; 0 passes through all vectors.
    pub smoothing: f64,
    /// Vectors that one spline spans.
    pub subdomain: usize,
    /// Vectors farther from the spline than this are taken for wrong, px.
    pub threshold: f64,
    /// Whether the last pass's field is smoothed, too.
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
