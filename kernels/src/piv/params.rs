//! What a user chooses, and what can be wrong with it.

use std::{error::Error, fmt};

/// Parameters of a one-pass PIV; the defaults are usual for images of particles.
#[derive(Debug, Clone, PartialEq)]
pub struct PivParams {
    /// Side of the square interrogation window, px.
    pub window: usize,
    /// Share of a window that its neighbour covers too, in `0.0..1.0`.
    pub overlap: f64,
    /// Largest displacement along each axis that is searched, px; none: half a window.
    pub displacement_max: Option<f64>,
    /// Smallest correlation of a valid vector, in `-1.0..=1.0`.
    pub correl_min: f64,
    /// Largest distance of a valid vector from the median of its neighbours, px.
    pub threshold_diff_neighbour: f64,
}

impl Default for PivParams {
    fn default() -> Self {
        PivParams {
            window: 32,
            overlap: 0.5,
            displacement_max: None,
            correl_min: 0.2,
            threshold_diff_neighbour: 10.0,
        }
    }
}

impl PivParams {
    /// Checks every value.
    ///
    /// # Errors
    /// [`PivError::Parameter`] with the name of the first that makes no sense.
    pub fn validate(&self) -> Result<(), PivError> {
        let check = |good: bool, name, value: String, wanted| {
            if good { Ok(()) } else { Err(PivError::Parameter { name, value, wanted }) }
        };
        check((4..=4096).contains(&self.window), "window", self.window.to_string(), "4 to 4096 px")?;
        check((0.0..1.0).contains(&self.overlap), "overlap", self.overlap.to_string(), "0 or more, below 1")?;
        check(
            self.displacement_max.is_none_or(|max| max >= 1.0 && max.is_finite()),
            "displacement_max",
            format!("{:?}", self.displacement_max),
            "at least 1 px",
        )?;
        let correl = self.correl_min;
        check((-1.0..=1.0).contains(&correl), "correl_min", correl.to_string(), "-1 to 1")?;
        let threshold = self.threshold_diff_neighbour;
        check(threshold > 0.0, "threshold_diff_neighbour", threshold.to_string(), "more than 0 px")
    }

    /// Distance between the centres of neighbouring windows, px.
    pub fn step(&self) -> usize {
        ((self.window as f64 * (1.0 - self.overlap)).round() as usize).max(1)
    }
}

/// Why a field cannot be computed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PivError {
    /// A parameter makes no sense.
    Parameter {
        /// Its name.
        name: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        wanted: &'static str,
    },
    /// An image has not the size that the plan was made for; width and height, px.
    Size {
        /// The size of the plan.
        expected: (usize, usize),
        /// The size of the image.
        found: (usize, usize),
    },
    /// The image is smaller than one window, px.
    TooSmall {
        /// The window's side.
        window: usize,
        /// The size of the image.
        found: (usize, usize),
    },
    /// The transform failed: a defect of this crate.
    Transform(String),
}

impl fmt::Display for PivError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PivError::Parameter { name, value, wanted } => {
                write!(f, "parameter `{name}` is {value}, and must be {wanted}")
            }
            PivError::Size { expected: (w, h), found: (fw, fh) } => {
                write!(f, "the image is {fw} x {fh} px, and {w} x {h} px are expected")
            }
            PivError::TooSmall { window, found: (w, h) } => {
                write!(f, "the image of {w} x {h} px is smaller than a window of {window} px")
            }
            PivError::Transform(text) => write!(f, "a Fourier transform failed: {text}"),
        }
    }
}

impl Error for PivError {}
