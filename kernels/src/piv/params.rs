//! What a user chooses.

use crate::{
    PivError,
    correlation::CorrelationMethod,
    multipass::{MultipassParams, PassParams, SplineParams},
    validation::ValidationParams,
};
use serde::{Deserialize, Serialize};

/// Parameters of a one-pass PIV; the defaults are usual for images of particles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PivParams {
    /// Side of the square interrogation window, px.
    pub window: usize,
    /// Share of a window that its neighbour covers too, in `0.0..1.0`.
    pub overlap: f64,
    /// Largest displacement along each axis that is searched, px; none: half a window, less a pixel.
    pub displacement_max: Option<f64>,
    /// Smallest correlation of a valid vector, in `-1.0..=1.0`.
    pub correl_min: f64,
    /// Largest distance of a valid vector from the median of its neighbours, px.
    pub threshold_diff_neighbour: f64,
}

impl Default for PivParams {
    fn default() -> Self {
        PivParams {
            window: 32,
            overlap: 0.5,
            displacement_max: None,
            correl_min: 0.2,
            threshold_diff_neighbour: 10.0,
        }
    }
}

impl PivParams {
    /// Checks every value.
    ///
    /// # Errors
    /// [`PivError::Parameter`] with the name of the first that makes no sense.
    pub fn validate(&self) -> Result<(), PivError> {
        let threshold = self.threshold_diff_neighbour;
        PivError::check(threshold > 0.0, "threshold_diff_neighbour", threshold, "more than 0 px")?;
        let correl = self.correl_min;
        PivError::check((-1.0..=1.0).contains(&correl), "correl_min", correl, "-1 to 1")?;
        self.pass().validate()
    }

    /// Distance between the centres of neighbouring windows, px.
    pub fn step(&self) -> usize {
        self.pass().steps()[0]
    }

    fn pass(&self) -> PassParams {
        PassParams {
            window: self.window,
            overlap: self.overlap,
            correlation: CorrelationMethod::Padded,
            displacement_max: self.displacement_max,
            peaks: 1,
            validation: ValidationParams {
                correl_min: self.correl_min,
                neighbour_difference: self.threshold_diff_neighbour,
                other_peaks: false,
                replace: false,
                ..ValidationParams::default()
            },
            ..PassParams::default()
        }
    }
}

/// One padded pass that measures and tests, and neither replaces nor smoothes.
impl From<&PivParams> for MultipassParams {
    fn from(params: &PivParams) -> MultipassParams {
        MultipassParams {
            passes: vec![params.pass()],
            spline: SplineParams { smooth_last: false, ..SplineParams::default() },
            ..MultipassParams::default()
        }
    }
}
