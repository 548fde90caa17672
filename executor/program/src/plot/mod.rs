//! Pictures of displacements, for the eye that judges a field before it is used in numbers.
//!
//! | function | shows |
//! |---|---|
//! | [`draw`] | the vectors as arrows over the image |
//! | [`draw_magnitude`] | the length of the vectors as colours on their grid |
//! | [`draw_correlation`] | how one vector came about: its correlation map, peaks and windows |
//!
//! They are drawn in memory, in pure Rust, from any thread, and know nothing of where numbers come from.
//!
//! # Where to read
//!
//! `vectors`, `magnitude` and `correlation` are the three pictures. They are made of `axes`, `bar` (of colours),
//! `titles`, `arrows`, `background` (grey images) and `cells` (coloured grids), which draw with the shapes of `canvas`,
//! in the places of a `frame`.

mod arrows;
mod axes;
mod background;
mod canvas;
mod cells;
mod color_bar;
mod colors;
mod correlation;
mod frame;
mod magnitude;
mod text;
mod ticks;
mod titles;
mod vectors;

use std::{error::Error, fmt};

use terzetto_kernels::Vector;

pub use correlation::{CorrelationPlot, Summit, Windows, draw_correlation};
pub use magnitude::{MagnitudePlot, draw_magnitude};
pub use vectors::{Plot, draw};

/// A vector of the field; all lengths in pixels of the image, y downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrow {
    /// Where the vector was measured.
    pub x: f32,
    /// Where the vector was measured.
    pub y: f32,
    /// Displacement to the right.
    pub dx: f32,
    /// Displacement downwards.
    pub dy: f32,
    /// Is it to be trusted? Others are marked.
    pub valid: bool,
}

impl From<&Vector> for Arrow {
    fn from(vector: &Vector) -> Arrow {
        Arrow {
            x: vector.x as f32,
            y: vector.y as f32,
            dx: vector.dx as f32,
            dy: vector.dy as f32,
            valid: vector.flags.is_valid(),
        }
    }
}

impl Arrow {
    fn length(&self) -> f32 {
        self.dx.hypot(self.dy)
    }

    fn is_finite(&self) -> bool {
        self.dx.is_finite() && self.dy.is_finite()
    }
}

/// A picture could not be drawn.
#[derive(Debug)]
pub struct PlotError(String);

impl PlotError {
    fn check(good: bool, reason: impl FnOnce() -> String) -> Result<(), PlotError> {
        if good { Ok(()) } else { Err(PlotError(reason())) }
    }
}

impl fmt::Display for PlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot draw the picture: {}", self.0)
    }
}

impl Error for PlotError {}

/// The value below which a part of the values lie; none of no values.
fn quantile(sorted: &[f32], part: f32) -> Option<f32> {
    sorted.get((part * (sorted.len().max(1) - 1) as f32) as usize).copied()
}
