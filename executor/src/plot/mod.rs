//! Pictures of vector fields: arrows over the image, axes in pixels, a colour bar.
//!
//! A field is judged by eye before it is used in numbers, so that each couple gets a picture. It is
//! drawn in memory, in pure Rust, from any thread.

mod arrows;
mod axes;
mod background;
mod canvas;
mod colors;
mod text;
mod ticks;

use std::{error::Error, fmt};

use canvas::{Canvas, Frame};

/// What to draw.
#[derive(Clone, Debug)]
pub struct Plot<'a> {
    /// The line above the picture.
    pub title: &'a str,
    /// A smaller line under the title.
    pub subtitle: &'a str,
    /// Width and height of the image in pixels.
    pub size: (usize, usize),
    /// The image's grey values, row by row; any range.
    pub image: &'a [f32],
    /// The vectors.
    pub arrows: &'a [Arrow],
}

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
    /// Is it to be trusted? Others are drawn in red.
    pub valid: bool,
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

impl fmt::Display for PlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot draw the picture: {}", self.0)
    }
}

impl Error for PlotError {}

/// Draws the plot and returns it as a PNG file.
///
/// # Errors
///
/// [`PlotError`] if the image is empty or its size does not fit its data.
pub fn draw(plot: &Plot<'_>) -> Result<Vec<u8>, PlotError> {
    let (width, height) = plot.size;
    if width == 0 || height == 0 || width.checked_mul(height) != Some(plot.image.len()) {
        let len = plot.image.len();
        return Err(PlotError(format!("{len} pixels are no image of {width} x {height}")));
    }
    let frame = Frame::new(width as f32, height as f32);
    let mut canvas = Canvas::new(&frame)?;
    let scale = arrows::Scale::new(plot.arrows, &frame);
    background::draw(&mut canvas, &frame, plot);
    arrows::draw(&mut canvas, &frame, plot.arrows, &scale);
    axes::draw(&mut canvas, &frame, plot, &scale);
    canvas.into_png()
}
