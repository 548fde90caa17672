//! `[output]`: what is written.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// What is written, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutputSection {
    /// The folder for results. `None`: the folder of the images with `.piv` added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The files of numbers of each couple, at least one.
    pub formats: Vec<Format>,
    /// The pictures of each couple.
    pub plots: Vec<PlotKind>,
}

impl Default for OutputSection {
    fn default() -> Self {
        OutputSection {
            folder: None,
            formats: vec![Format::Csv, Format::Netcdf],
            plots: vec![PlotKind::Vectors],
        }
    }
}

impl OutputSection {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Invalid`] if no file of numbers is named, or if something is named twice.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.formats.is_empty() {
            return Err(Invalid::new("formats", "[], must name at least one of \"csv\", \"netcdf\""));
        }
        let twice = |index: usize| self.formats[..index].contains(&self.formats[index]);
        if let Some(index) = (0..self.formats.len()).find(|&index| twice(index)) {
            return Err(Invalid::new(format!("formats[{index}]"), "is there twice"));
        }
        let twice = |index: usize| self.plots[..index].contains(&self.plots[index]);
        match (0..self.plots.len()).find(|&index| twice(index)) {
            Some(index) => Err(Invalid::new(format!("plots[{index}]"), "is there twice")),
            None => Ok(()),
        }
    }
}

/// A file of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Format {
    /// Text with one line for each vector of the last pass.
    Csv,
    /// NetCDF 3 with all passes, flags, units and parameters, for xarray, MATLAB, ParaView.
    Netcdf,
}

impl Format {
    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Netcdf => "nc",
        }
    }
}

/// A picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlotKind {
    /// Arrows over the first image.
    Vectors,
    /// A map of the displacements' magnitude.
    Magnitude,
}

impl PlotKind {
    /// The end of the name of its files.
    pub fn suffix(self) -> &'static str {
        match self {
            PlotKind::Vectors => ".png",
            PlotKind::Magnitude => "_magnitude.png",
        }
    }
}
