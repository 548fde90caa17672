//! `[preprocess]`: what is done to images first.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use terzetto_kernels::preprocess::{Filter, OverTime};

use super::Invalid;

/// What is done to each image: the background is subtracted, then the filter over time is applied, then the other
/// filters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreprocessSection {
    /// What is subtracted from all images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<BackgroundSection>,
    /// The filter over time, for `terzetto preprocess` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporal: Option<TemporalSection>,
    /// Filters of single images, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// A calibration, as `terzetto calibrate` writes it: in the end, images are dewarped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<PathBuf>,
}

/// An image that is subtracted from all others. It is read from a file or made from the series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackgroundSection {
    /// The statistic of each pixel's values over the series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<OverTime>,
    /// How many images it is made of at most. They are evenly spread over the series.
    pub samples: usize,
    /// The file, in place of a statistic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<PathBuf>,
}

impl Default for BackgroundSection {
    fn default() -> Self {
        BackgroundSection { statistic: None, samples: 50, image: None }
    }
}

/// A filter over each image and a few neighbours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalSection {
    /// The statistic of each pixel's values.
    pub statistic: OverTime,
    /// The number of images, with the one in the middle: odd, 3 to 101. At the ends of the series there are fewer.
    pub window: usize,
    /// Is the statistic subtracted from the image in the middle? Otherwise it replaces the image.
    pub subtract: bool,
}

impl Default for TemporalSection {
    fn default() -> Self {
        TemporalSection { statistic: OverTime::Median, window: 5, subtract: true }
    }
}

impl PreprocessSection {
    /// Is nothing done?
    pub fn is_empty(&self) -> bool {
        self.background.is_none()
            && self.temporal.is_none()
            && self.filters.is_empty()
            && self.calibration.is_none()
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`Invalid`] with the key of the first value that is not valid.
    pub fn validate(&self) -> Result<(), Invalid> {
        if let Some(background) = &self.background {
            background.validate().map_err(|invalid| invalid.within("background"))?;
        }
        if let Some(temporal) = &self.temporal {
            temporal.validate().map_err(|invalid| invalid.within("temporal"))?;
        }
        for (index, filter) in self.filters.iter().enumerate() {
            filter.validate().map_err(|error| Invalid::from(error).within(&format!("filters[{index}]")))?;
        }
        Ok(())
    }
}

impl BackgroundSection {
    fn validate(&self) -> Result<(), Invalid> {
        if self.statistic.is_some() == self.image.is_some() {
            return Err(Invalid::new("", "needs either `statistic` or `image`"));
        }
        match self.samples {
            1..=10_000 => Ok(()),
            samples => Err(Invalid::new("samples", format!("{samples}, must be 1 to 10000 images"))),
        }
    }
}

impl TemporalSection {
    fn validate(&self) -> Result<(), Invalid> {
        match self.window {
            window @ 3..=101 if window % 2 == 1 => Ok(()),
            window => {
                Err(Invalid::new("window", format!("{window}, must be an odd number of images, 3 to 101")))
            }
        }
    }
}
