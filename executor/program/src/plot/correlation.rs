//! How one vector came about: the correlation of its windows at each displacement.

use super::{
    PlotError, axes, background,
    canvas::{Align, Canvas, NORMAL, SMALL},
    cells::{self, Cell},
    color_bar::{self, Bar},
    colors::{self, Rgb},
    frame::Frame,
    ticks, titles,
};

/// The side of the map, and where it begins on the page.
const SIDE: f32 = 600.0;
const CORNER: (f32, f32) = (78.0, 100.0);
/// Right of the map: its bar of colours; below it: its axis.
const BAR: f32 = 140.0;
const BELOW: f32 = 62.0;
/// The windows' side.
const WINDOW: f32 = 270.0;
/// The sides of the page that nothing is drawn on.
const MARGIN: f32 = 24.0;

/// What to draw.
#[derive(Clone, Debug)]
pub struct CorrelationPlot<'a> {
    /// The line above the picture.
    pub title: &'a str,
    /// A smaller line under the title: where the window lies, for instance.
    pub subtitle: &'a str,
    /// The largest displacement along each axis, in pixels.
    pub radius: usize,
    /// The correlations at displacements from `-radius` to `radius`: `2 radius + 1` in a row and as many rows, the
    /// smallest displacements first, y downwards. One that is no number is shown hatched.
    pub values: &'a [f32],
    /// The peaks, the highest first; the first two are marked.
    pub summits: &'a [Summit],
    /// The windows that were correlated, drawn beside the map.
    pub windows: Option<Windows<'a>>,
}

/// A peak of the correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summit {
    /// Displacement to the right, to fractions of a pixel.
    pub dx: f32,
    /// Displacement downwards, to fractions of a pixel.
    pub dy: f32,
    /// The correlation there.
    pub height: f32,
}

/// The windows of a vector.
#[derive(Clone, Copy, Debug)]
pub struct Windows<'a> {
    /// The side of both, in pixels.
    pub side: usize,
    /// The grey values of the window of the first image, row by row; any range.
    pub first: &'a [f32],
    /// The same of the second image.
    pub second: &'a [f32],
}

/// Draws the map and returns a PNG file. Rings mark the pixels of the two highest peaks, crosses their places between
/// the pixels.
///
/// ```
/// use terzetto_program::plot::{CorrelationPlot, Summit, Windows, draw_correlation};
/// use terzetto_kernels::{correlation::{CorrelationMap, Correlator, Couple, Method}, subpixel::SubpixelParams};
///
/// // A blurred spot that moves by (2, -1) pixels.
/// let spot = |x: f32, y: f32| move |i: usize| {
///     let (u, v) = ((i % 16) as f32 - x, (i / 16) as f32 - y);
///     (-(u * u + v * v) / 2.0).exp()
/// };
/// let first: Vec<f32> = (0..256).map(spot(7.0, 8.0)).collect();
/// let second: Vec<f32> = (0..256).map(spot(9.0, 7.0)).collect();
/// let mut map = CorrelationMap::new(7, 1);
/// Correlator::new(Method::Circular, 16, 8)?
///     .correlate(Couple { first: &first, second: &second, norm: 1.0 }, &mut map);
/// let peaks = map.peaks(2, 3);
/// let summits: Vec<Summit> = peaks.as_slice().iter().map(|peak| {
///     let (x, y) = SubpixelParams::default().offset(&map, *peak).unwrap_or_default();
///     Summit { dx: peak.dx as f32 + x as f32, dy: peak.dy as f32 + y as f32, height: peak.value }
/// }).collect();
/// let plot = CorrelationPlot {
///     title: "karman_01",
///     subtitle: "window of 16 px at (23.5, 39.5)",
///     radius: map.radius(),
///     values: map.values(),
///     summits: &summits,
///     windows: Some(Windows { side: 16, first: &first, second: &second }),
/// };
/// assert!(draw_correlation(&plot)?.starts_with(b"\x89PNG"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`PlotError`] if there are not `(2 radius + 1)²` values, or a window has not as many as its side says.
pub fn draw_correlation(plot: &CorrelationPlot<'_>) -> Result<Vec<u8>, PlotError> {
    let (radius, count) = (plot.radius, plot.values.len());
    let side = radius.checked_mul(2).and_then(|double| double.checked_add(1)).unwrap_or(usize::MAX);
    PlotError::check(side.checked_mul(side) == Some(count), || {
        format!("{count} correlations are no map of displacements up to {radius} px")
    })?;
    if let Some(windows) = plot.windows {
        background::check(windows.first, (windows.side, windows.side))?;
        background::check(windows.second, (windows.side, windows.side))?;
    }
    let frame = Frame::square(CORNER, SIDE, -(radius as f32) - 0.5, side as f32);
    let windows_width = if plot.windows.is_some() { WINDOW } else { 0.0 };
    let page = (frame.right() + BAR + windows_width + MARGIN, frame.bottom() + BELOW);
    let mut canvas = Canvas::new(page)?;
    draw_map(&mut canvas, &frame, plot);
    for (index, summit) in plot.summits.iter().take(2).enumerate().rev() {
        mark(&mut canvas, &frame, summit, index);
    }
    axes::draw(&mut canvas, &frame, ["displacement to the right (px)", "displacement downwards (px)"]);
    titles::draw(&mut canvas, frame.left, plot.title, plot.subtitle);
    let room = canvas.width() - frame.left - MARGIN;
    canvas.text(&legend(plot.summits), (frame.left, 80.0), SMALL, Align::Left, room);
    if let Some(windows) = plot.windows {
        let left = frame.right() + BAR;
        draw_window(&mut canvas, (left, frame.top), "window of the first image", windows.first, windows.side);
        let second = frame.bottom() - WINDOW;
        draw_window(&mut canvas, (left, second), "window of the second image", windows.second, windows.side);
    }
    canvas.into_png()
}

fn draw_map(canvas: &mut Canvas, frame: &Frame, plot: &CorrelationPlot<'_>) {
    let finite = || plot.values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
    let range = if low < high { (low, high) } else { (0.0, 1.0) };
    let bar = Bar { range, below: false, above: false, label: "correlation", color: colors::viridis };
    let radius = plot.radius as f32;
    let edges: Vec<f32> = (0..=2 * plot.radius + 1).map(|index| index as f32 - radius - 0.5).collect();
    cells::draw(canvas, frame, &edges, &edges, |index| match plot.values[index] {
        value if value.is_finite() => Cell::Filled(bar.color_of(value)),
        _ => Cell::Hatched,
    });
    color_bar::draw(canvas, frame, &bar);
}

/// A ring around the pixel of a summit and a cross where the summit is.
fn mark(canvas: &mut Canvas, frame: &Frame, summit: &Summit, index: usize) {
    let end = frame.end();
    let inside = |at: f32, start: f32, end: f32| (start..end).contains(&at);
    if !(inside(summit.dx, frame.start.0, end.0) && inside(summit.dy, frame.start.1, end.1)) {
        return;
    }
    let color = if index == 0 { Rgb::FLAGGED } else { Rgb::WHITE };
    let pixel = frame.place(summit.dx.round(), summit.dy.round());
    let radius = (0.8 * frame.scale_x).max(7.0);
    let (x, y) = frame.place(summit.dx, summit.dy);
    let arm = (0.3 * frame.scale_x).clamp(3.0, 8.0);
    // A dark rim: the marks stand out from bright and dark colours.
    for (grown, color) in [(1.6, Rgb::INK), (0.0, color)] {
        canvas.ring(pixel, radius, 2.0 + grown, color);
        canvas.line((x - arm, y), (x + arm, y), 1.6 + grown, color);
        canvas.line((x, y - arm), (x, y + arm), 1.6 + grown, color);
    }
}

/// Where the peaks are, how high, and how sure one can be of the first.
fn legend(summits: &[Summit]) -> String {
    let tell = |summit: &Summit| {
        let number = |value: f32| ticks::label(value, 2);
        format!("({}, {}), {}", number(summit.dx), number(summit.dy), number(summit.height))
    };
    match summits {
        [] => "no peak".to_owned(),
        [first] => format!("red: peak at {}", tell(first)),
        [first, second, ..] => {
            let mut line = format!("red: peak at {}  ·  white: second peak at {}", tell(first), tell(second));
            if second.height > 0.0 {
                line.push_str(&format!("  ·  ratio {:.2}", first.height / second.height));
            }
            line
        }
    }
}

fn draw_window(canvas: &mut Canvas, (left, top): (f32, f32), name: &str, values: &[f32], side: usize) {
    let frame = Frame::square((left, top), WINDOW, -0.5, side as f32);
    background::draw(canvas, &frame, values, (side, side), background::FULL);
    canvas.outline(left, top, WINDOW, WINDOW, Rgb::INK);
    let middle = left + WINDOW / 2.0;
    canvas.text(name, (middle, top + WINDOW + 20.0), NORMAL, Align::Middle, WINDOW);
}
