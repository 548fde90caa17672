//! Which vectors to believe, and what to put in the place of the others.
//!
//! Tests of a vector alone ([`test_alone`]) come first, then those against its neighbours ([`test_neighbours`]), which
//! trust only neighbours that passed the first. A vector that its neighbours contradict may still be
//! right at another peak of its correlation; what remains wrong is interpolated ([`fill`]). Nothing is
//! hidden: each step sets [`Flags`](crate::Flags).

mod bounds;
mod median;
mod replace;

use crate::{PivError, correlation::MAX_PEAKS, field::VectorField};
pub use bounds::test_alone;
pub use median::{normalised_median, test_neighbours};
pub use replace::{fill, take_other_peaks};
use serde::{Deserialize, Serialize};

/// What a valid vector is. A limit of infinity (`inf` in TOML) switches a test off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidationParams {
    /// Smallest correlation, -1 to 1.
    pub correl_min: f64,
    /// Smallest ratio of the highest peak to the second, 1 or more; 1 switches the test off.
    pub peak_ratio_min: f64,
    /// Largest length of a displacement, px.
    pub displacement_max: f64,
    /// Largest distance from the median of the neighbours, px.
    pub neighbour_difference: f64,
    /// Largest normalised residual of the median test; 2 is the authors' advice.
    pub median_threshold: f64,
    /// Noise that the median test expects of each displacement, px; 0.1 is the authors' advice.
    pub median_noise: f64,
    /// Neighbours of both tests: so many columns and rows on each side, 1 or 2.
    pub neighbour_radius: usize,
    /// Whether a lower peak is taken if it agrees with the neighbours and the highest does not.
    pub other_peaks: bool,
    /// Whether vectors that fail are interpolated from their neighbours, or left as measured.
    pub replace: bool,
}

impl Default for ValidationParams {
    fn default() -> Self {
        ValidationParams {
            correl_min: 0.2,
            peak_ratio_min: 1.0,
            displacement_max: f64::INFINITY,
            neighbour_difference: 10.0,
            median_threshold: 2.0,
            median_noise: 0.1,
            neighbour_radius: 1,
            other_peaks: true,
            replace: true,
        }
    }
}

impl ValidationParams {
    /// Checks every value.
    ///
    /// # Errors
    /// [`PivError::Parameter`] with the name of the first that makes no sense.
    pub fn validate(&self) -> Result<(), PivError> {
        let check = PivError::check;
        let correl = self.correl_min;
        check((-1.0..=1.0).contains(&correl), "validation.correl_min", correl, "-1 to 1")?;
        let ratio = self.peak_ratio_min;
        check(ratio >= 1.0 && ratio.is_finite(), "validation.peak_ratio_min", ratio, "1 or more")?;
        let positive = [
            ("validation.displacement_max", self.displacement_max),
            ("validation.neighbour_difference", self.neighbour_difference),
            ("validation.median_threshold", self.median_threshold),
            ("validation.median_noise", self.median_noise),
        ];
        for (name, value) in positive {
            check(value > 0.0, name, value, "more than 0")?;
        }
        let radius = self.neighbour_radius;
        PivError::check((1..=2).contains(&radius), "validation.neighbour_radius", radius, "1 or 2")
    }
}

/// The displacements at the lower peaks of one correlation, px, highest first.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OtherPeaks {
    list: [OtherPeak; MAX_PEAKS - 1],
    count: usize,
}

/// What the vector would be at a lower peak.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OtherPeak {
    /// Displacement to the right, px.
    pub dx: f64,
    /// Displacement downwards, px.
    pub dy: f64,
    /// Normalised correlation there.
    pub correlation: f64,
}

impl OtherPeaks {
    /// Adds a peak; one more than fits is dropped, as the lowest.
    pub fn push(&mut self, peak: OtherPeak) {
        if let Some(place) = self.list.get_mut(self.count) {
            *place = peak;
            self.count += 1;
        }
    }

    /// The peaks, highest first.
    pub fn as_slice(&self) -> &[OtherPeak] {
        &self.list[..self.count]
    }
}

/// All tests in order, with lower peaks tried; flags are set, nothing is interpolated. `others` holds the
/// lower peaks of each vector, or nothing.
pub fn test(field: &mut VectorField, others: &[OtherPeaks], params: &ValidationParams) {
    test_alone(field, params);
    test_neighbours(field, params);
    if params.other_peaks && !others.is_empty() {
        take_other_peaks(field, others, params);
    }
}
