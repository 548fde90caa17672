//! Pictures of displacements. They show whether a field is good, before its numbers are used.
//!
//! | function | shows |
//! |---|---|
//! | [`draw_vectors`] | the vectors as arrows over the image |
//! | [`draw_magnitude`] | the lengths of the vectors as colours on their grid |
//! | [`draw_correlation`] | the correlation map behind one vector, with its peaks and windows |
//!
//! Pictures are drawn in memory, in pure Rust, from any thread. The functions take numbers and know nothing of where
//! they come from.
//!
//! # Where to read
//!
//! `vectors`, `magnitude` and `correlation` are the three pictures. They are made of `axes`, `color_bar`, `titles`,
//! `arrows`, `background` (grey images) and `cells` (coloured grids). These draw with the shapes of `canvas`, at the
//! places of a `frame`.

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

pub use correlation::{CorrelatedWindows, CorrelationPlot, PeakMark, draw_correlation};
pub use magnitude::{MagnitudePlot, draw_magnitude};
pub use vectors::{VectorsPlot, draw_vectors};

/// A vector of the field. All lengths are in pixels of the image, and y is downwards.
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
    /// Is the vector valid? Others are marked.
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

/// The value below which `part` of the values lie. `None` if there are no values.
fn quantile(sorted: &[f32], part: f32) -> Option<f32> {
    sorted.get((part * (sorted.len().max(1) - 1) as f32) as usize).copied()
}
