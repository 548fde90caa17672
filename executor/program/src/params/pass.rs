//! `[[piv.passes]]` and `[piv.spline]`: the kernels' parameters, with defaults for one pass.
//!
//! The defaults of the kernels are for one pass of several: a correlation that is fast for small displacements, and a
//! smoothed field. With a single pass, displacements may be as large as a third of the window, and people want them as
//! measured. So the defaults here are padded correlation and no smoothing.

use serde::{Deserialize, Serialize};
use terzetto_kernels::{
    PassParams,
    correlation::CorrelationMethod,
    multipass::{Predictor, SplineParams},
    subpixel::SubpixelParams,
    validation::ValidationParams,
};

/// One pass: see [`PassParams`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PassSection {
    /// Side of the square interrogation window, or columns of a rectangular one, px.
    pub window: usize,
    /// Rows of a rectangular window, px.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_height: Option<usize>,
    /// The share of a window that its neighbour covers, too.
    pub overlap: f64,
    /// Whether pixels darker than their window's mean count as the mean.
    pub clip: bool,
    /// How the correlation is computed.
    pub correlation: CorrelationMethod,
    /// The largest displacement along each axis that is searched, px. `None`: half a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub displacement_max: Option<f64>,
    /// How many peaks of each correlation are found.
    pub peaks: usize,
    /// The radius around a peak without another peak, px.
    pub particle_radius: usize,
    /// How the field of the pass before is used.
    pub predictor: Predictor,
    /// How displacements are measured to fractions of a pixel.
    pub subpixel: SubpixelParams,
    /// When a vector is valid.
    pub validation: ValidationParams,
}

impl Default for PassSection {
    fn default() -> Self {
        let PassParams {
            window,
            window_height,
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
            window_height,
            overlap,
            clip,
            correlation: CorrelationMethod::Padded,
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
            window_height,
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
            window_height,
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
    /// How stiff splines are. With 0 they pass through all vectors.
    pub smoothing: f64,
    /// How many vectors one spline spans.
    pub subdomain: usize,
    /// Vectors that are farther from the spline than this count as wrong, px.
    pub threshold: f64,
    /// Whether the field of the last pass is smoothed, too.
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
