//! Files of parameters.
//!
//! A file has five sections: `[series]` says which images, `[preprocess]` what is done to them first, `[piv]` how
//! displacements are measured, `[scale]` what a pixel and a couple are, `[output]` what is written. [`DEFAULTS`] has
//! all keys with their defaults and meanings. `terzetto params` prints it. It is the reference, and a test compares it
//! with the code.
//!
//! Unknown keys are refused, and each value is checked. An error ([`ParamsError`]) names the file, the key and the
//! value.

mod error;
mod output;
mod pass;
mod piv;
mod preprocess;
mod scale;
mod series;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::{Invalid, ParamsError};
pub use output::{Format, OutputSection, PlotKind};
pub use pass::{PassSection, SplineSection};
pub use piv::PivSection;
pub use preprocess::{BackgroundSection, PreprocessSection, TemporalSection};
pub use scale::ScaleSection;
pub use series::SeriesSection;

/// Every parameter with its default and its meaning, as a commented file.
pub const DEFAULTS: &str = include_str!("../../docs/parameters.toml");

/// All parameters.
///
/// ```
/// use terzetto_program::params::Params;
///
/// let params = Params::parse("[series]\nrange = \"10:20\"\n[[piv.passes]]\nwindow = 64", "params.toml")?;
/// assert_eq!(params.piv.passes[0].window, 64);
/// let error = Params::parse("[[piv.passes]]\nwindow = 0", "params.toml").unwrap_err();
/// assert_eq!(error.to_string(), "params.toml: piv.passes[0].window: 0, must be 4 to 4096 px");
/// # Ok::<(), terzetto_program::params::ParamsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Which images.
    pub series: SeriesSection,
    /// What is done to them first.
    pub preprocess: PreprocessSection,
    /// How displacements are measured.
    pub piv: PivSection,
    /// Pixels and couples to metres and seconds.
    pub scale: ScaleSection,
    /// What is written.
    pub output: OutputSection,
}

impl Params {
    /// Reads and checks a file. Paths in it are relative to its folder. The returned paths are absolute.
    ///
    /// # Errors
    /// [`ParamsError`] if the file cannot be read, is not TOML, or has an unknown key or a value that is not valid.
    pub fn read(path: &Path) -> Result<Params, ParamsError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ParamsError::unreadable(&name, &error))?;
        let mut params = Params::parse(&text, &name)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        params.paths(|path| *path = absolute(&folder.join(&*path)));
        Ok(params)
    }

    /// Reads and checks a text. Errors call it `name`.
    ///
    /// # Errors
    /// [`ParamsError`] if the text is not TOML, or has an unknown key or a value that is not valid.
    pub fn parse(text: &str, name: &str) -> Result<Params, ParamsError> {
        let failed = |key: &str, error: &toml::de::Error| ParamsError::syntax(name, key, error, text);
        let document = toml::Deserializer::parse(text).map_err(|error| failed("", &error))?;
        let params: Params = serde_path_to_error::deserialize(document)
            .map_err(|error| failed(&error.path().to_string(), error.inner()))?;
        params.validate().map_err(|invalid| invalid.of(name))?;
        Ok(params)
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`Invalid`] with the key of the first value that is not valid.
    pub fn validate(&self) -> Result<(), Invalid> {
        self.preprocess.validate().map_err(|invalid| invalid.within("preprocess"))?;
        self.piv.validate().map_err(|invalid| invalid.within("piv"))?;
        self.scale.validate().map_err(|invalid| invalid.within("scale"))?;
        self.output.validate().map_err(|invalid| invalid.within("output"))
    }

    /// All parameters as a text that [`Params::parse`] reads, without comments.
    pub fn to_toml(&self) -> String {
        // It fails only for paths that are not Unicode.
        toml::to_string(self).unwrap_or_else(|error| format!("# cannot be written as TOML: {error}\n"))
    }

    /// Calls `visit` with every path.
    pub fn paths(&mut self, mut visit: impl FnMut(&mut PathBuf)) {
        let background = self.preprocess.background.as_mut().and_then(|background| background.image.as_mut());
        let series = &mut self.series;
        let own = [
            series.path.as_mut(),
            series.couples_file.as_mut(),
            self.piv.mask.as_mut(),
            self.output.folder.as_mut(),
            self.preprocess.calibration.as_mut(),
            background,
        ];
        own.into_iter().flatten().chain(series.images.iter_mut().flatten()).for_each(&mut visit);
    }
}

/// The path as an absolute one.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests;
