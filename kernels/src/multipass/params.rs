//! What a user chooses for each pass and between passes.

use crate::{
    PivError, correlation, correlation::MAX_PEAKS, subpixel::SubpixelParams, validation::ValidationParams,
};
use serde::{Deserialize, Serialize};

/// How a pass uses the field of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Predictor {
    /// Windows are shifted, in opposite directions, by half of the displacement in whole pixels each.
    #[default]
    Shift,
    /// Both images are deformed, by half of the displacement each, to a state in the middle: windows see
    /// no shear, at the cost of an interpolation of the images (cubic B-splines), which biases displacements by
    /// up to 0.02 px between whole pixels where particles are 2.5 px wide or less.
    Deform,
}

/// One pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PassParams {
    /// Side of the square interrogation window, px, 4 to 4096; with `window_height`, the columns of a rectangular one.
    pub window: usize,
    /// The rows of a rectangular window, px, 4 to 4096; none: it is square. In boundary layers, windows that are long
    /// along the wall and low across it see as many particles and less shear. The work is that of a square window of
    /// the longer side.
    pub window_height: Option<usize>,
    /// Share of a window that its neighbour covers too, in `0.0..1.0`.
    pub overlap: f64,
    /// Whether pixels darker than their window's mean count as the mean: background noise then has no say,
    /// which helps noisy images of bright particles, at the cost of a larger bias on small ones.
    pub clip: bool,
    /// How the correlation is computed.
    pub correlation: correlation::CorrelationMethod,
    /// Largest displacement along each axis that is searched, px, counted from the predicted one; none: half a window,
    /// less a pixel, in the first pass, and in further ones as far as the residuals of the pass before ask for: three
    /// pixels and twice the largest residual nearby.
    pub displacement_max: Option<f64>,
    /// How many peaks of each correlation are found, 1 to 4; from 2 on there is a peak ratio.
    pub peaks: usize,
    /// Distance along one axis within which there is no second peak, px: the size of particles.
    pub particle_radius: usize,
    /// How displacements are measured to fractions of a pixel.
    pub subpixel: SubpixelParams,
    /// What a valid vector is.
    pub validation: ValidationParams,
    /// How the field of the pass before is used; of no effect in the first pass.
    pub predictor: Predictor,
}

impl Default for PassParams {
    fn default() -> Self {
        PassParams {
            window: 32,
            window_height: None,
            overlap: 0.5,
            clip: false,
            correlation: correlation::CorrelationMethod::default(),
            displacement_max: None,
            peaks: 2,
            particle_radius: 3,
            subpixel: SubpixelParams::default(),
            validation: ValidationParams::default(),
            predictor: Predictor::default(),
        }
    }
}

impl PassParams {
    /// Checks every value.
    ///
    /// # Errors
    /// [`PivError::Parameter`] with the name of the first that makes no sense.
    pub fn validate(&self) -> Result<(), PivError> {
        PivError::check((4..=4096).contains(&self.window), "window", self.window, "4 to 4096 px")?;
        let height = self.window_height.unwrap_or(self.window);
        PivError::check((4..=4096).contains(&height), "window_height", height, "4 to 4096 px")?;
        PivError::check((0.0..1.0).contains(&self.overlap), "overlap", self.overlap, "0 or more, below 1")?;
        let good = self.displacement_max.is_none_or(|max| max >= 1.0 && max.is_finite());
        PivError::check(
            good,
            "displacement_max",
            self.displacement_max.unwrap_or_default(),
            "at least 1 px",
        )?;
        PivError::check((1..=MAX_PEAKS).contains(&self.peaks), "peaks", self.peaks, "1 to 4")?;
        let radius = self.particle_radius;
        PivError::check((1..=64).contains(&radius), "particle_radius", radius, "1 to 64 px")?;
        self.subpixel.validate()?;
        self.validation.validate()
    }

    /// Columns and rows of the window, px.
    pub fn window_size(&self) -> [usize; 2] {
        [self.window, self.window_height.unwrap_or(self.window)]
    }

    /// The longer side of the window, px: the side of the square that is correlated.
    pub fn longer_side(&self) -> usize {
        self.window.max(self.window_height.unwrap_or(0))
    }

    /// Distance between the centres of neighbouring windows along x and y, px.
    pub fn steps(&self) -> [usize; 2] {
        self.window_size().map(|side| ((side as f64 * (1.0 - self.overlap)).round() as usize).max(1))
    }

    /// The largest displacement along an axis that may be searched, whole px.
    pub fn reach(&self) -> usize {
        let side = self.longer_side();
        let largest = self.correlation.largest_reach(side);
        let wanted = self.displacement_max.map_or(side / 2 - 1, |max| max.ceil() as usize);
        wanted.min(largest)
    }
}

/// How fields are smoothed and carried from one pass to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplineParams {
    /// Weight of the bending energy against the distance from the vectors, in units of the square of the
    /// vectors' spacing; 0 passes through all vectors.
    pub smoothing: f64,
    /// Vectors of a sub-domain, 9 to 2000: what one spline spans.
    pub subdomain: usize,
    /// Vectors farther from the spline than this are taken for wrong, px; infinity switches the test off.
    pub threshold: f64,
    /// Whether the last pass's field is smoothed, too.
    pub smooth_last: bool,
}

impl Default for SplineParams {
    fn default() -> Self {
        SplineParams { smoothing: 1.0, subdomain: 200, threshold: 1.5, smooth_last: true }
    }
}

impl SplineParams {
    /// Checks every value.
    ///
    /// # Errors
    /// [`PivError::Parameter`] with the name of the first that makes no sense.
    pub fn validate(&self) -> Result<(), PivError> {
        let good = self.smoothing >= 0.0 && self.smoothing.is_finite();
        PivError::check(good, "spline.smoothing", self.smoothing, "0 or more")?;
        let good = (9..=2000).contains(&self.subdomain);
        PivError::check(good, "spline.subdomain", self.subdomain, "9 to 2000 vectors")?;
        PivError::check(self.threshold > 0.0, "spline.threshold", self.threshold, "more than 0 px")
    }
}

/// The part of the image in which windows lie, px; what is outside is seen by shifted windows only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// All passes and what is between them.
///
/// ```
/// use terzetto_kernels::multipass::MultipassParams;
///
/// // Windows of 64, 32 and 16 px.
/// let params = MultipassParams::zoom(64, 3);
/// assert_eq!(params.passes.iter().map(|pass| pass.window).collect::<Vec<_>>(), [64, 32, 16]);
/// params.validate()?;
/// # Ok::<(), terzetto_kernels::PivError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultipassParams {
    /// The passes in order, 1 to 10.
    pub passes: Vec<PassParams>,
    /// Where the first pass looks, px right and down: the mean displacement, if it is known.
    pub displacement_mean: [f64; 2],
    /// The part of the image in which windows lie; none: all of it.
    pub region: Option<Region>,
    /// Largest share of a window's pixels that may be masked or outside the image, in `0.0..1.0`.
    pub masked_max: f64,
    /// Whether the uncertainty of each vector of the last pass is estimated, from the statistics of its correlation
    /// (Wieneke 2015): about the work of one more pass with deformed images.
    pub uncertainty: bool,
    /// How fields are smoothed and carried from one pass to the next.
    pub spline: SplineParams,
}

impl Default for MultipassParams {
    fn default() -> Self {
        MultipassParams {
            passes: vec![PassParams::default()],
            displacement_mean: [0.0; 2],
            region: None,
            masked_max: 0.5,
            uncertainty: false,
            spline: SplineParams::default(),
        }
    }
}

impl MultipassParams {
    /// `number` passes, the first with windows of `window` px, each further one with half of that.
    pub fn zoom(window: usize, number: usize) -> MultipassParams {
        let pass = |index: usize| PassParams { window: window >> index, ..PassParams::default() };
        MultipassParams { passes: (0..number).map(pass).collect(), ..MultipassParams::default() }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`PivError::Parameter`] with the name of the first that makes no sense, inside [`PivError::Pass`] if it
    /// belongs to a pass.
    pub fn validate(&self) -> Result<(), PivError> {
        let number = self.passes.len();
        PivError::check((1..=10).contains(&number), "passes", number, "1 to 10 passes")?;
        for (index, pass) in self.passes.iter().enumerate() {
            pass.validate().map_err(|error| PivError::Pass { index, error: Box::new(error) })?;
        }
        let mean = self.displacement_mean;
        let good = mean.iter().all(|component| component.abs() <= 10_000.0);
        PivError::check(good, "displacement_mean", mean, "two lengths of at most 10000 px")?;
        let good = self.region.is_none_or(|region| region.width > 0 && region.height > 0);
        let size = self.region.map_or((0, 0), |region| (region.width, region.height));
        PivError::check(good, "region", size, "at least 1 px wide and high")?;
        let share = self.masked_max;
        PivError::check((0.0..1.0).contains(&share), "masked_max", share, "0 or more, below 1")?;
        self.spline.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(change: impl Fn(&mut MultipassParams)) -> String {
        let mut params = MultipassParams::zoom(32, 2);
        change(&mut params);
        params.validate().unwrap_err().to_string()
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_pass() {
        let text = message(|params| params.passes[1].overlap = 1.0);
        assert_eq!(text, "pass 1: parameter `overlap` is 1.0, and must be 0 or more, below 1");
        assert!(message(|params| params.passes.clear()).contains("`passes`"));
        assert!(message(|params| params.passes[0].peaks = 0).contains("`peaks`"));
        assert!(message(|params| params.passes[0].subpixel.radius = 9).contains("`subpixel.radius`"));
        let nan = f64::NAN;
        assert!(message(|params| params.passes[0].validation.median_noise = nan).contains("median_noise"));
        assert!(message(|params| params.passes[0].validation.correl_min = nan).contains("correl_min"));
        assert!(message(|params| params.spline.smoothing = nan).contains("`spline.smoothing`"));
        assert!(message(|params| params.displacement_mean = [nan, 0.0]).contains("`displacement_mean`"));
        assert!(message(|params| params.masked_max = 1.0).contains("`masked_max`"));
    }
}
