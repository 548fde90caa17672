//! What can go wrong with a computation: parameters, sizes.

use std::{error::Error, fmt};

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
    /// A parameter of one pass makes no sense.
    Pass {
        /// The pass, counted from 0.
        index: usize,
        /// What is wrong with it.
        error: Box<PivError>,
    },
    /// An image has not the size that the plan was made for; width and height, px.
    Size {
        /// The size of the plan.
        expected: (usize, usize),
        /// The size of the image.
        found: (usize, usize),
    },
    /// The region of interest is not inside the image; px.
    Region {
        /// First column and row, width and height.
        region: [usize; 4],
        /// Width and height of the image.
        image: (usize, usize),
    },
    /// A field is on another grid than those before; columns and rows.
    Grid {
        /// The grid of the fields before.
        expected: (usize, usize),
        /// The grid of the field.
        found: (usize, usize),
    },
    /// The image, or its region of interest, is smaller than one window, px.
    TooSmall {
        /// The window's side.
        window: usize,
        /// The size of the image.
        found: (usize, usize),
    },
    /// Too few points, or points on one line, do not bear a spline.
    Spline {
        /// How many points there are.
        points: usize,
    },
}

impl PivError {
    /// `Ok` if a parameter is `good`, else an error that tells its name, value and range.
    pub(crate) fn check(
        good: bool,
        name: &'static str,
        value: impl fmt::Debug,
        wanted: &'static str,
    ) -> Result<(), PivError> {
        if good { Ok(()) } else { Err(PivError::Parameter { name, value: format!("{value:?}"), wanted }) }
    }
}

impl fmt::Display for PivError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PivError::Parameter { name, value, wanted } => {
                write!(f, "parameter `{name}` is {value}, and must be {wanted}")
            }
            PivError::Pass { index, error } => write!(f, "pass {index}: {error}"),
            PivError::Size { expected: (w, h), found: (fw, fh) } => {
                write!(f, "the image is {fw} x {fh} px, and {w} x {h} px are expected")
            }
            PivError::Region { region: [left, top, width, height], image: (w, h) } => write!(
                f,
                "parameter `region`: {width} x {height} px from column {left} and row {top} on are not inside the \
                 image of {w} x {h} px"
            ),
            PivError::Grid { expected: (nx, ny), found: (fx, fy) } => {
                write!(f, "the field has {fx} x {fy} vectors, and {nx} x {ny} are expected")
            }
            PivError::TooSmall { window, found: (w, h) } => {
                write!(f, "the image of {w} x {h} px is smaller than a window of {window} px")
            }
            PivError::Spline { points } => {
                write!(f, "{points} points bear no thin-plate spline: three not on one line are needed")
            }
        }
    }
}

impl Error for PivError {}
