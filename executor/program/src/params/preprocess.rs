//! `[preprocess]`: what is done to images first.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use terzetto_kernels::preprocess::{Filter, OverTime};

use super::Invalid;

/// What is done to each image, in this order: the background is subtracted, then the neighbours in time have their
/// say, then come the filters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreprocessSection {
    /// What is subtracted from all images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<BackgroundSection>,
    /// What neighbours in time have to do with each image; for `terzetto preprocess` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporal: Option<TemporalSection>,
    /// Filters of single images, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
}

/// An image that is subtracted from all others: read from a file, or made of the series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackgroundSection {
    /// What is kept of each pixel's values over the series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<OverTime>,
    /// How many images, evenly spread over the series, it is made of, at most.
    pub samples: usize,
    /// The file that is subtracted instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<PathBuf>,
}

impl Default for BackgroundSection {
    fn default() -> Self {
        BackgroundSection { statistic: None, samples: 50, image: None }
    }
}

/// A filter over a few images around each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalSection {
    /// What is made of each pixel's values.
    pub statistic: OverTime,
    /// How many images, the one in the middle included: odd, 3 to 101. At the ends of the series there are fewer.
    pub window: usize,
    /// Is the outcome subtracted from the image in the middle, or does it take its place?
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
        self.background.is_none() && self.temporal.is_none() && self.filters.is_empty()
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`Invalid`] with the key of the first that makes no sense.
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
