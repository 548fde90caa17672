//! Which vectors to believe, and what to put in the place of the others.
//!
//! Tests of a vector alone ([`test_alone`]) come first, then those against its neighbours ([`test_neighbours`]), which
//! trust only neighbours that are valid. A vector that its neighbours contradict may still be
//! right at another peak of its correlation. As each vector that becomes valid or not changes what its neighbours are
//! judged by, [`test()`] goes on until nothing changes. What remains wrong is interpolated ([`fill`]). Nothing is
//! hidden: each step sets [`Flags`](crate::Flags).

mod bounds;
mod iterate;
mod median;
mod replace;

use crate::{PivError, correlation::MAX_PEAKS};
pub use bounds::test_alone;
pub use iterate::test;
pub use median::{normalised_median, test_neighbours};
pub use replace::fill;
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
    /// Largest normalised residual of the median test; 2 is the authors' advice, with a noise of 0.1 px.
    pub median_threshold: f64,
    /// Noise that the median test expects of each displacement, px. With 0.1, the authors' advice, windows of 16 px lose
    /// good vectors in gradients and where particles are few.
    pub median_noise: f64,
    /// Whether the median test expects the noise that the field has, if that is more.
    pub median_adaptive: bool,
    /// The largest spread of the neighbours that excuses a vector, px per px of their distance: what has nothing to do
    /// with each other spreads more.
    pub median_spread_max: f64,
    /// The ratio of the highest peak to the second that proves a vector around which fewer than three are valid, if its
    /// correlation is 0.5 or more, too.
    pub peak_ratio_proof: f64,
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
            correl_min: 0.1,
            peak_ratio_min: 1.0,
            displacement_max: f64::INFINITY,
            neighbour_difference: 10.0,
            median_threshold: 2.5,
            median_noise: 0.2,
            median_adaptive: true,
            median_spread_max: 0.125,
            peak_ratio_proof: 3.0,
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
            ("validation.median_spread_max", self.median_spread_max),
            ("validation.peak_ratio_proof", self.peak_ratio_proof),
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
    /// Normalised correlation there: an estimate, from the unbiased map.
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
