//! Pixels and couples to metres and seconds.

use crate::PivError;

/// How large a pixel is in the flow, and how much time lies between the images of a couple.
///
/// The units are those of the numbers: with metres and seconds, velocities are in m/s.
///
/// ```
/// use terzetto_kernels::fields::Scale;
/// // 20 µm a pixel, 1 ms between the images: a pixel a couple is 20 mm/s.
/// let scale = Scale::new(20e-6, 1e-3)?;
/// assert!((scale.velocity(1.0) - 0.02).abs() < 1e-15);
/// # Ok::<(), terzetto_kernels::PivError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    pixel: f64,
    dt: f64,
}

impl Scale {
    /// Pixels and couples as they are.
    pub const PIXELS: Scale = Scale { pixel: 1.0, dt: 1.0 };

    /// The length of a pixel and the time between the images.
    ///
    /// # Errors
    /// [`PivError::Parameter`] for `scale` or `dt` if it is not a number above zero.
    pub fn new(pixel: f64, dt: f64) -> Result<Scale, PivError> {
        for (name, value) in [("scale", pixel), ("dt", dt)] {
            PivError::check(value > 0.0 && value.is_finite(), name, value, "more than 0")?;
        }
        Ok(Scale { pixel, dt })
    }

    /// The length of a pixel.
    pub fn pixel(&self) -> f64 {
        self.pixel
    }

    /// The time between the images of a couple.
    pub fn dt(&self) -> f64 {
        self.dt
    }

    /// Whether results stay in pixels.
    pub fn is_pixels(&self) -> bool {
        *self == Scale::PIXELS
    }

    /// The length of a distance in px.
    pub fn length(&self, pixels: f64) -> f64 {
        pixels * self.pixel
    }

    /// The velocity of a displacement in px.
    pub fn velocity(&self, pixels: f64) -> f64 {
        pixels * self.pixel / self.dt
    }

    /// The rate of a change of displacements in px per px, such as a vorticity: one over time.
    pub fn rate(&self, gradient: f64) -> f64 {
        gradient / self.dt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_velocities_and_rates_have_their_units() {
        let scale = Scale::new(0.5, 0.25).unwrap();
        assert_eq!((scale.length(8.0), scale.velocity(3.0), scale.rate(0.1)), (4.0, 6.0, 0.4));
        assert!(!scale.is_pixels() && Scale::new(1.0, 1.0).unwrap().is_pixels());
        for (pixel, dt) in [(0.0, 1.0), (1.0, -1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert!(Scale::new(pixel, dt).is_err());
        }
    }
}
