//! What is done to images before their patterns are compared.
//!
//! [`Filter`]s act on one image; a [`Preprocessor`] applies a list of them and keeps their scratch. What needs a
//! whole series is apart: [`over_time`] makes a background of it, [`Statistics`] gathers mean and
//! standard deviation image by image, and [`subtract`] takes a background off.

mod background;
mod contrast;
mod intensity;
mod sliding;
mod statistics;
mod temporal;

pub use background::subtract;
pub use statistics::Statistics;
pub use temporal::{OverTime, over_time};

use crate::{Image, PivError};
use serde::{Deserialize, Serialize};

/// One step of preprocessing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "filter", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Filter {
    /// Subtracts the smallest value within `radius` px: removes an uneven background, keeps particles.
    SlidingMinimum {
        /// Half the side of the square, px, 1 to 100.
        radius: usize,
    },
    /// Subtracts the median within `radius` px: removes also a background brighter than some pixels. What
    /// is below becomes 0.
    SlidingMedian {
        /// Half the side of the square, px, 1 to 100; time grows with it.
        radius: usize,
    },
    /// Stretches intensities so that two percentiles become 0 and `top`; beyond is clipped.
    Rescale {
        /// Percentile that becomes 0.
        low: f64,
        /// Percentile that becomes `top`.
        high: f64,
        /// The new largest value, counts.
        top: f64,
    },
    /// Raises intensities, relative to the largest of the image, to a power: below 1, faint particles gain.
    Gamma {
        /// The power, 0.05 to 20.
        exponent: f64,
    },
    /// Divides the deviation from the local mean by the local standard deviation, so that particles weigh alike in
    /// bright and dim regions. Counts become multiples of the deviation, negative ones 0.
    LocalContrast {
        /// Half the side of the square, px, 1 to 100.
        radius: usize,
        /// Standard deviation below which nothing is amplified further, counts.
        floor: f64,
    },
}

impl Filter {
    /// Checks every value.
    ///
    /// # Errors
    /// [`PivError::Parameter`] with the name of the first that makes no sense.
    pub fn validate(&self) -> Result<(), PivError> {
        let check_radius =
            |radius: usize| PivError::check((1..=100).contains(&radius), "radius", radius, "1 to 100 px");
        match *self {
            Filter::SlidingMinimum { radius } | Filter::SlidingMedian { radius } => check_radius(radius),
            Filter::Rescale { low, high, top } => {
                let percent = 0.0..=100.0;
                PivError::check(percent.contains(&low), "low", low, "0 to 100 %")?;
                PivError::check(
                    percent.contains(&high) && high > low,
                    "high",
                    high,
                    "above `low`, to 100 %",
                )?;
                PivError::check(top > 0.0 && top.is_finite(), "top", top, "more than 0 counts")
            }
            Filter::Gamma { exponent } => {
                PivError::check((0.05..=20.0).contains(&exponent), "exponent", exponent, "0.05 to 20")
            }
            Filter::LocalContrast { radius, floor } => {
                check_radius(radius)?;
                PivError::check(floor > 0.0 && floor.is_finite(), "floor", floor, "more than 0 counts")
            }
        }
    }
}

/// Applies filters in order; made once, one for each worker.
///
/// ```
/// use terzetto_kernels::{Image, preprocess::{Filter, Preprocessor}};
///
/// let mut image = Image::from_fn(64, 64, |x, y| 100.0 + x as f32 + if (x, y) == (30, 30) { 50.0 } else { 0.0 });
/// let mut preprocessor = Preprocessor::new(&[Filter::SlidingMinimum { radius: 2 }])?;
/// preprocessor.apply(&mut image);
/// assert_eq!(image.get(30, 30), Some(52.0));
/// assert_eq!(image.get(10, 30), Some(2.0));
/// # Ok::<(), terzetto_kernels::PivError>(())
/// ```
pub struct Preprocessor {
    filters: Vec<Filter>,
    scratch: Scratch,
}

/// Memory that filters use again for each image.
#[derive(Default)]
struct Scratch {
    planes: [Vec<f32>; 2],
    sums: [Vec<f64>; 2],
}

impl Preprocessor {
    /// A preprocessor of these filters.
    ///
    /// # Errors
    /// [`PivError::Parameter`] with the name of the first parameter that makes no sense.
    pub fn new(filters: &[Filter]) -> Result<Preprocessor, PivError> {
        filters.iter().try_for_each(Filter::validate)?;
        Ok(Preprocessor { filters: filters.to_vec(), scratch: Scratch::default() })
    }

    /// Changes the image by all filters.
    pub fn apply(&mut self, image: &mut Image) {
        for filter in &self.filters {
            match *filter {
                Filter::SlidingMinimum { radius } => sliding::minimum(image, radius, &mut self.scratch),
                Filter::SlidingMedian { radius } => sliding::median(image, radius, &mut self.scratch),
                Filter::Rescale { low, high, top } => {
                    intensity::rescale(image, [low, high], top as f32, &mut self.scratch);
                }
                Filter::Gamma { exponent } => intensity::gamma(image, exponent as f32),
                Filter::LocalContrast { radius, floor } => {
                    contrast::normalise(image, radius, floor, &mut self.scratch);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_make_no_sense_are_named() {
        let message = |filter| Preprocessor::new(&[filter]).err().unwrap().to_string();
        assert!(message(Filter::SlidingMedian { radius: 0 }).contains("`radius`"));
        assert!(message(Filter::Rescale { low: 5.0, high: 5.0, top: 1.0 }).contains("`high`"));
        assert!(message(Filter::Rescale { low: f64::NAN, high: 5.0, top: 1.0 }).contains("`low`"));
        assert!(message(Filter::Gamma { exponent: 0.0 }).contains("`exponent`"));
        assert!(message(Filter::LocalContrast { radius: 3, floor: 0.0 }).contains("`floor`"));
    }
}
