//! The picture of the lengths of the vectors, as colours on their grid.

use super::{
    Arrow, PlotError, arrows, axes,
    canvas::Canvas,
    cells::{self, Cell},
    color_bar::{self, ColorBar},
    colors::{self, Rgb},
    frame::{self, Frame},
    quantile, titles,
};

/// Arrows on colours are farther apart than on an image, so that the colours can be seen.
const LEAST_SPACING: f32 = 26.0;

/// What [`draw_magnitude`] draws.
#[derive(Clone, Debug)]
pub struct MagnitudePlot<'a> {
    /// The line above the picture.
    pub title: &'a str,
    /// A smaller line under the title.
    pub subtitle: &'a str,
    /// Width and height of the image in pixels. The axes have this range.
    pub size: (usize, usize),
    /// Columns and rows of the grid.
    pub grid: (usize, usize),
    /// The vectors of the grid, row by row. Vectors that are not valid are hatched.
    pub vectors: &'a [Arrow],
    /// The magnitudes at the ends of the colours, in pixels. Pictures that are compared need the same range. `None`: a
    /// range that leaves out the smallest and the largest hundredth.
    pub range: Option<(f32, f32)>,
    /// Are arrows drawn on the colours?
    pub arrows: bool,
}

/// Draws the magnitudes and returns a PNG file.
///
/// ```
/// use terzetto_program::plot::{Arrow, MagnitudePlot, draw_magnitude};
///
/// let at = |x, y, dx| Arrow { x, y, dx, dy: 0.0, valid: true };
/// let vectors = [at(16.0, 16.0, 1.0), at(32.0, 16.0, 2.0), at(16.0, 32.0, 3.0), at(32.0, 32.0, 4.0)];
/// let plot = MagnitudePlot {
///     title: "karman_01",
///     subtitle: "windows of 32 px",
///     size: (48, 48),
///     grid: (2, 2),
///     vectors: &vectors,
///     range: Some((0.0, 5.0)),
///     arrows: true,
/// };
/// assert!(draw_magnitude(&plot)?.starts_with(b"\x89PNG"));
/// # Ok::<(), terzetto_program::plot::PlotError>(())
/// ```
///
/// # Errors
///
/// [`PlotError`] if the image or the grid is empty, if the grid does not fit its vectors or is not regular, or if the
/// range is not valid.
pub fn draw_magnitude(plot: &MagnitudePlot<'_>) -> Result<Vec<u8>, PlotError> {
    let (width, height) = plot.size;
    PlotError::check(width > 0 && height > 0, || format!("no image is {width} x {height}"))?;
    let (columns, rows) = grid_lines(plot)?;
    let frame = Frame::of_image(plot.size);
    let mut canvas = Canvas::new(frame::page_around(&frame))?;
    let bar = bar_of(plot)?;
    canvas.rectangle(frame.left, frame.top, frame.width, frame.height, Rgb::EMPTY);
    cells::draw(&mut canvas, &frame, &columns, &rows, |index| match &plot.vectors[index] {
        vector if vector.valid && vector.is_finite() => Cell::Filled(bar.color_of(vector.length())),
        _ => Cell::Hatched,
    });
    let mut subtitle = plot.subtitle.to_owned();
    if plot.arrows {
        let scale = arrows::Scale::new(plot.vectors, &frame, LEAST_SPACING);
        arrows::draw_rimmed(&mut canvas, &frame, plot.vectors, &scale);
        subtitle = titles::with_arrows(&subtitle, &scale);
    }
    if plot.vectors.iter().any(|vector| !(vector.valid && vector.is_finite())) {
        titles::join(&mut subtitle, "hatched: not valid");
    }
    axes::draw(&mut canvas, &frame, ["x (px)", "y (px)"]);
    titles::draw(&mut canvas, frame.left, plot.title, &subtitle);
    color_bar::draw(&mut canvas, &frame, &bar);
    canvas.into_png()
}

/// The edges of the cells along both axes.
fn grid_lines(plot: &MagnitudePlot<'_>) -> Result<(Vec<f32>, Vec<f32>), PlotError> {
    let ((nx, ny), count) = (plot.grid, plot.vectors.len());
    let fits = nx > 0 && ny > 0 && nx.checked_mul(ny) == Some(count);
    PlotError::check(fits, || format!("{count} vectors are no grid of {nx} x {ny}"))?;
    let xs: Vec<f32> = plot.vectors[..nx].iter().map(|vector| vector.x).collect();
    let ys: Vec<f32> = plot.vectors.iter().step_by(nx).map(|vector| vector.y).collect();
    let grows = |lines: &[f32]| lines.iter().all(|at| at.is_finite()) && lines.is_sorted_by(|a, b| a < b);
    let on_lines =
        |(index, vector): (usize, &Arrow)| vector.x == xs[index % nx] && vector.y == ys[index / nx];
    let regular = grows(&xs) && grows(&ys) && plot.vectors.iter().enumerate().all(on_lines);
    PlotError::check(regular, || "the vectors do not lie on a grid, row by row".to_owned())?;
    // A single row is as high as the columns are wide. A single column is as wide as the rows are high.
    let step = |lines: &[f32]| lines.windows(2).map(|pair| pair[1] - pair[0]).next();
    let single = step(&xs).or(step(&ys)).unwrap_or(plot.size.0.min(plot.size.1) as f32 / 2.0);
    Ok((cells::edges(&xs, single), cells::edges(&ys, single)))
}

fn bar_of(plot: &MagnitudePlot<'_>) -> Result<ColorBar<'static>, PlotError> {
    let is_shown = |vector: &&Arrow| vector.valid && vector.is_finite();
    let mut lengths: Vec<f32> = plot.vectors.iter().filter(is_shown).map(Arrow::length).collect();
    lengths.sort_by(f32::total_cmp);
    let (low, high) = match plot.range {
        Some((low, high)) => {
            let good = low.is_finite() && high.is_finite() && low < high;
            PlotError::check(good, || format!("no colours range from {low} to {high}"))?;
            (low, high)
        }
        None => match (quantile(&lengths, 0.01), quantile(&lengths, 0.99)) {
            (Some(low), Some(high)) if high - low > 1e-3 => (low, high),
            // All values are the same. They get the middle of the colours.
            (Some(low), Some(high)) => ((low - 0.5).max(0.0), high + 0.5),
            _ => (0.0, 1.0),
        },
    };
    let little = 0.005 * (high - low);
    Ok(ColorBar {
        range: (low, high),
        below: lengths.first().is_some_and(|length| *length < low - little),
        above: lengths.last().is_some_and(|length| *length > high + little),
        label: "displacement (px)",
        color: colors::viridis,
    })
}
