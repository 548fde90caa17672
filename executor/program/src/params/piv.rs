//! `[piv]`: how displacements are measured.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use terzetto_kernels::{MultipassParams, correlation::CorrelationMethod, multipass::Region};

use super::{Invalid, PassSection, SplineSection};

/// How displacements are measured: [`MultipassParams`], and a mask from a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PivSection {
    /// The mean displacement that the first pass starts from, px to the right and downwards.
    pub displacement_mean: [f64; 2],
    /// What is no flow: [`masks`](crate::masks).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<PathBuf>,
    /// The largest share of a window's pixels that may be masked or outside the image.
    pub masked_max: f64,
    /// Is the uncertainty of each vector estimated?
    pub uncertainty: bool,
    /// The part of the image in which windows are placed. `None`: all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// How fields are smoothed and carried from one pass to the next.
    pub spline: SplineSection,
    /// The passes in order.
    pub passes: Vec<PassSection>,
}

impl Default for PivSection {
    fn default() -> Self {
        let MultipassParams { displacement_mean, region, masked_max, uncertainty, .. } =
            MultipassParams::default();
        let (spline, passes) = (SplineSection::default(), vec![PassSection::default()]);
        PivSection { displacement_mean, mask: None, masked_max, uncertainty, region, spline, passes }
    }
}

impl From<&PivSection> for MultipassParams {
    fn from(section: &PivSection) -> MultipassParams {
        let PivSection { displacement_mean, mask: _, masked_max, uncertainty, region, spline, passes } =
            section.clone();
        let (passes, spline) = (passes.into_iter().map(Into::into).collect(), spline.into());
        MultipassParams { passes, displacement_mean, region, masked_max, uncertainty, spline }
    }
}

impl PivSection {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Invalid`] with the key of the first value that is not valid.
    pub fn validate(&self) -> Result<(), Invalid> {
        MultipassParams::from(self).validate()?;
        Ok(())
    }

    /// Changes the number of passes. A new pass is as the last one, with half of its window. It has the circular
    /// correlation, because the displacements that are left to find are small.
    pub fn set_number(&mut self, number: usize) {
        while self.passes.len() < number {
            let Some(mut next) = self.passes.last().cloned() else { break };
            next.window /= 2;
            next.correlation = CorrelationMethod::Circular;
            self.passes.push(next);
        }
        self.passes.truncate(number);
    }

    /// Changes the windows: `window` px in the first pass, and half as much in each further one.
    pub fn set_window(&mut self, window: usize) {
        for (index, pass) in self.passes.iter_mut().enumerate() {
            pass.window = u32::try_from(index).ok().and_then(|half| window.checked_shr(half)).unwrap_or(0);
        }
    }
}
