//! `[scale]`: pixels and couples to metres and seconds.

use serde::{Deserialize, Serialize};
use terzetto_kernels::fields::Scale;

use super::Invalid;

/// How large a pixel is in the flow, and how much time lies between the images of a couple. Both are set, or none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScaleSection {
    /// The length of a pixel in the flow, m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel: Option<f64>,
    /// The time between the images of a couple, s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dt: Option<f64>,
}

impl ScaleSection {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Invalid`] if a value is not a number above zero, or if only one of both is set.
    pub fn validate(&self) -> Result<(), Invalid> {
        for (key, value) in [("pixel", self.pixel), ("dt", self.dt)] {
            if value.is_some_and(|value| !(value > 0.0 && value.is_finite())) {
                return Err(Invalid::new(key, format!("{}, must be more than 0", value.unwrap_or_default())));
            }
        }
        let missing = "is missing: velocities need the length of a pixel and the time between the images";
        match (self.pixel, self.dt) {
            (Some(_), None) => Err(Invalid::new("dt", missing)),
            (None, Some(_)) => Err(Invalid::new("pixel", missing)),
            _ => Ok(()),
        }
    }

    /// The scale, if it is set.
    pub fn scale(&self) -> Option<Scale> {
        self.pixel.zip(self.dt).and_then(|(pixel, dt)| Scale::new(pixel, dt).ok())
    }
}
