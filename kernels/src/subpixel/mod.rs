//! Where a correlation peak is between the pixels.
//!
//! The correlation of Gaussian particle images is a Gaussian, so that a Gaussian through the samples
//! around the peak finds its top; the parabola and the centroid are there for comparison and for peaks
//! that are no Gaussian. All give the offset from the whole-pixel peak.
//!
//! A narrow peak, such as that of particles of one pixel, may have neighbours without height, of which no logarithm is
//! taken. Along such an axis the centroid of three samples takes the place of the fit; the [`Fit`] tells so, and the
//! vector has the flag [`SUBPIXEL_FALLBACK`](crate::Flags::SUBPIXEL_FALLBACK), which does not make it invalid. Where
//! the samples are no peak at all there is no fit: the vector keeps its whole pixels and is not valid.

mod centroid;
mod gaussian_2d;
mod three_point;

use crate::{
    PivError,
    correlation::{CorrelationMap, Peak},
};
use serde::{Deserialize, Serialize};

/// How a peak is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubpixelMethod {
    /// A Gaussian through the peak and its two neighbours, along each axis alone.
    Gaussian3,
    /// An elliptic Gaussian, also a tilted one, as the least-squares fit to the logarithms of all samples
    /// within `radius` (Nobach and Honkanen 2005, *Experiments in Fluids* 38, 511-515). Narrow peaks whose
    /// corners are down in the noise are fitted as by `Gaussian3`, and those whose neighbours are by their centroid.
    #[default]
    #[serde(rename = "gaussian_2d")]
    Gaussian2d,
    /// The centre of mass of the samples within `radius`.
    Centroid,
    /// A parabola through the peak and its two neighbours, along each axis alone.
    Parabola,
    /// Whole pixels.
    None,
}

impl SubpixelMethod {
    /// The name that parameter and result files give it.
    pub fn name(self) -> &'static str {
        match self {
            SubpixelMethod::Gaussian3 => "gaussian3",
            SubpixelMethod::Gaussian2d => "gaussian_2d",
            SubpixelMethod::Centroid => "centroid",
            SubpixelMethod::Parabola => "parabola",
            SubpixelMethod::None => "none",
        }
    }
}

/// Where the top of a peak is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Fit {
    /// Offset to the right from the whole-pixel peak, px.
    pub dx: f64,
    /// Offset downwards, px.
    pub dy: f64,
    /// Whether the centroid had to take the place of the method that was asked for, along one axis at least.
    pub fallback: bool,
}

/// How displacements are measured to fractions of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubpixelParams {
    /// What is fitted to the peak.
    pub method: SubpixelMethod,
    /// How far from the peak samples are used, px, 1 to 4; the three-point methods use 1.
    pub radius: usize,
}

impl Default for SubpixelParams {
    fn default() -> Self {
        SubpixelParams { method: SubpixelMethod::default(), radius: 1 }
    }
}

impl SubpixelParams {
    /// Checks every value.
    ///
    /// # Errors
    /// [`PivError::Parameter`] with the name of the first that makes no sense.
    pub fn validate(&self) -> Result<(), PivError> {
        PivError::check((1..=4).contains(&self.radius), "subpixel.radius", self.radius, "1 to 4 px")
    }

    /// How far from a peak samples are used, px.
    pub fn reach(&self) -> usize {
        match self.method {
            SubpixelMethod::Gaussian2d | SubpixelMethod::Centroid => self.radius,
            SubpixelMethod::Gaussian3 | SubpixelMethod::Parabola => 1,
            SubpixelMethod::None => 0,
        }
    }

    /// The parameters for peaks of which few are ever used: without the fit that takes longest.
    pub(crate) fn quick(self) -> SubpixelParams {
        let method = match self.method {
            SubpixelMethod::Gaussian2d => SubpixelMethod::Gaussian3,
            other => other,
        };
        SubpixelParams { method, ..self }
    }

    /// The offset of the top from a peak of the map; none if the samples are no peak or reach beyond the map. A fit
    /// that puts the top farther away than its samples reach is none, and gives way to a simpler one.
    ///
    /// ```
    /// use terzetto_kernels::{correlation::{CorrelationMap, Peak}, subpixel::SubpixelParams};
    /// let flat = CorrelationMap::new(4, 1);
    /// assert_eq!(SubpixelParams::default().offset(&flat, Peak::default()), None);
    /// ```
    pub fn offset(&self, map: &CorrelationMap, peak: Peak) -> Option<Fit> {
        let limit = self.radius as f64;
        let near = |&(x, y): &(f64, f64)| x.abs() <= limit && y.abs() <= limit;
        let fit = |(dx, dy)| Fit { dx, dy, fallback: false };
        let gaussian = || three_point::both_axes(map, peak, three_point::gaussian);
        match self.method {
            SubpixelMethod::None => Some(Fit::default()),
            SubpixelMethod::Gaussian3 => gaussian(),
            SubpixelMethod::Parabola => three_point::both_axes(map, peak, three_point::parabola),
            SubpixelMethod::Gaussian2d => {
                gaussian_2d::offset(map, peak, self.radius).filter(near).map(fit).or_else(gaussian)
            }
            SubpixelMethod::Centroid => centroid::offset(map, peak, self.radius).filter(near).map(fit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Gaussian hill with its top at an offset from displacement zero; twice the square of its width, px².
    fn hill_of(x: f64, y: f64, tilt: f64, width: f64) -> CorrelationMap {
        let mut map = CorrelationMap::new(4, 1);
        for (index, value) in map.values.iter_mut().enumerate() {
            let (u, v) = ((index % 11) as f64 - 5.0 - x, (index / 11) as f64 - 5.0 - y);
            *value = (0.8 * (-(u * u + v * v + tilt * u * v) / width).exp()) as f32;
        }
        map
    }

    fn hill(x: f64, y: f64, tilt: f64) -> CorrelationMap {
        hill_of(x, y, tilt, 3.0)
    }

    #[test]
    fn gaussians_are_found_exactly() {
        let cases = [
            (SubpixelMethod::Gaussian3, 1, 0.0),
            (SubpixelMethod::Gaussian2d, 1, 0.4),
            (SubpixelMethod::Gaussian2d, 2, 0.7),
        ];
        for (method, radius, tilt) in cases {
            let params = SubpixelParams { method, radius };
            for (x, y) in [(0.0, 0.0), (0.3, -0.45), (-0.49, 0.12)] {
                let map = hill_of(x, y, tilt, 6.0);
                let fit = params.offset(&map, map.peaks(1, 1).first().unwrap()).unwrap();
                let (u, v) = (fit.dx, fit.dy);
                assert!((u - x).abs() < 1e-4 && (v - y).abs() < 1e-4, "{method:?}: {u} {v} for {x} {y}");
            }
        }
    }

    #[test]
    fn a_narrow_peak_is_fitted_along_the_axes_instead() {
        let map = hill_of(0.2, -0.3, 0.0, 0.8);
        let peak = map.peaks(1, 1).first().unwrap();
        let fit = |method| SubpixelParams { method, radius: 1 }.offset(&map, peak);
        assert_eq!(fit(SubpixelMethod::Gaussian2d), fit(SubpixelMethod::Gaussian3));
        assert!(fit(SubpixelMethod::Gaussian2d).is_some());
    }

    /// Two pixels share the light of a particle smaller than they are; their neighbours are noise below zero.
    #[test]
    fn where_a_fit_fails_the_centroid_of_that_axis_takes_its_place_and_says_so() {
        let mut map = CorrelationMap::new(3, 1);
        map.values.fill(-0.02);
        for (dx, dy, value) in [(0, 0, 0.6), (1, 0, 0.2), (0, 1, 0.3), (0, -1, 0.15)] {
            let index = map.index(dx, dy);
            map.values[index] = value;
        }
        let peak = map.peaks(1, 1).first().unwrap();
        for method in [SubpixelMethod::Gaussian2d, SubpixelMethod::Gaussian3] {
            let fit = SubpixelParams { method, radius: 1 }.offset(&map, peak).unwrap();
            assert!(fit.fallback && (fit.dx - 0.25).abs() < 1e-6, "{method:?}: {fit:?}");
            let along_y =
                0.5 * (0.15_f64.ln() - 0.3_f64.ln()) / (0.15_f64.ln() + 0.3_f64.ln() - 2.0 * 0.6_f64.ln());
            assert!((fit.dy - along_y).abs() < 1e-6, "the other axis is fitted as ever: {fit:?}");
        }
    }

    #[test]
    fn the_others_are_exact_in_the_middle_and_near_elsewhere() {
        for (method, radius, error) in
            [(SubpixelMethod::Parabola, 1, 0.1), (SubpixelMethod::Centroid, 3, 0.1)]
        {
            let params = SubpixelParams { method, radius };
            let top = |map: CorrelationMap| params.offset(&map, map.peaks(1, 1).first()?);
            let Fit { dx: u, dy: v, .. } = top(hill(0.0, 0.0, 0.0)).unwrap();
            assert!(u.abs() < 1e-5 && v.abs() < 1e-5, "{method:?}: {u} {v}");
            let Fit { dx: u, dy: v, .. } = top(hill(0.3, -0.2, 0.0)).unwrap();
            assert!((u - 0.3).abs() < error && (v + 0.2).abs() < error, "{method:?}: {u} {v}");
        }
    }

    #[test]
    fn what_is_no_peak_gives_no_offset() {
        for method in [
            SubpixelMethod::Gaussian3,
            SubpixelMethod::Gaussian2d,
            SubpixelMethod::Centroid,
            SubpixelMethod::Parabola,
        ] {
            let params = SubpixelParams { method, radius: 1 };
            let flat = CorrelationMap::new(4, 1);
            assert_eq!(params.offset(&flat, Peak::default()), None, "{method:?}: a flat map");
            let edge = Peak { dx: 5, dy: 0, value: 1.0 };
            assert_eq!(params.offset(&hill(0.0, 0.0, 0.0), edge), None, "{method:?}: beyond the map");
        }
        assert!(SubpixelParams { radius: 0, ..SubpixelParams::default() }.validate().is_err());
    }
}
