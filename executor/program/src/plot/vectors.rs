//! The picture of vectors as arrows over the image.

use super::{
    Arrow, PlotError, arrows, axes, background,
    canvas::Canvas,
    color_bar::{self, ColorBar},
    colors,
    frame::{self, Frame},
    titles,
};

/// What [`draw_vectors`] draws.
#[derive(Clone, Debug)]
pub struct VectorsPlot<'a> {
    /// The line above the picture.
    pub title: &'a str,
    /// A smaller line under the title.
    pub subtitle: &'a str,
    /// Width and height of the image in pixels.
    pub size: (usize, usize),
    /// The grey values of the image, row by row. Any range is possible.
    pub image: &'a [f32],
    /// The vectors.
    pub arrows: &'a [Arrow],
}

/// Draws the vectors over the image and returns a PNG file.
///
/// ```
/// use terzetto_program::plot::{Arrow, VectorsPlot, draw_vectors};
///
/// let image: Vec<f32> = (0..64 * 48).map(|index| (index % 7) as f32).collect();
/// let arrow = Arrow { x: 31.5, y: 23.5, dx: 2.0, dy: -1.0, valid: true };
/// let plot = VectorsPlot { title: "karman_01", subtitle: "", size: (64, 48), image: &image, arrows: &[arrow] };
/// assert!(draw_vectors(&plot)?.starts_with(b"\x89PNG"));
/// # Ok::<(), terzetto_program::plot::PlotError>(())
/// ```
///
/// # Errors
///
/// [`PlotError`] if the image is empty or its size does not fit its data.
pub fn draw_vectors(plot: &VectorsPlot<'_>) -> Result<Vec<u8>, PlotError> {
    background::check(plot.image, plot.size)?;
    let frame = Frame::of_image(plot.size);
    let mut canvas = Canvas::new(frame::page_around(&frame))?;
    let scale = arrows::Scale::new(plot.arrows, &frame, arrows::LEAST_SPACING);
    background::draw(&mut canvas, &frame, plot.image, plot.size, background::DIMMED);
    arrows::draw(&mut canvas, &frame, plot.arrows, &scale);
    axes::draw(&mut canvas, &frame, ["x (px)", "y (px)"]);
    let mut subtitle = titles::with_arrows(plot.subtitle, &scale);
    if plot.arrows.iter().any(|arrow| !arrow.valid) {
        subtitle.push_str("  ·  red: not valid");
    }
    titles::draw(&mut canvas, frame.left, plot.title, &subtitle);
    let bar = ColorBar {
        range: (0.0, scale.full),
        below: false,
        above: scale.exceeded,
        label: "displacement (px)",
        color: colors::on_dark,
    };
    color_bar::draw(&mut canvas, &frame, &bar);
    canvas.into_png()
}
