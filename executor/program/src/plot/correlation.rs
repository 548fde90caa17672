//! The picture behind one vector: the correlation of its windows at each displacement.

use super::{
    PlotError, axes, background,
    canvas::{Align, Canvas, NORMAL, SMALL},
    cells::{self, Cell},
    color_bar::{self, ColorBar},
    colors::{self, Rgb},
    frame::Frame,
    ticks, titles,
};

/// The side of the map, and its upper left corner on the page.
const SIDE: f32 = 600.0;
const CORNER: (f32, f32) = (78.0, 100.0);
/// The room to the right of the map for its color bar, and below it for its axis.
const BAR: f32 = 140.0;
const BELOW: f32 = 62.0;
/// The side of a window on the page.
const WINDOW: f32 = 270.0;
/// The empty margins of the page.
const MARGIN: f32 = 24.0;

/// What [`draw_correlation`] draws.
#[derive(Clone, Debug)]
pub struct CorrelationPlot<'a> {
    /// The line above the picture.
    pub title: &'a str,
    /// A smaller line under the title, for instance with the place of the window.
    pub subtitle: &'a str,
    /// The largest displacement along each axis, in pixels.
    pub radius: usize,
    /// The correlations at displacements from `-radius` to `radius`. There are `2 radius + 1` rows, and as many values
    /// in a row. The smallest displacements come first, and y is downwards. A value that is not finite is hatched.
    pub values: &'a [f32],
    /// The peaks, the highest first. The first two are marked.
    pub peaks: &'a [PeakMark],
    /// The windows that were correlated, drawn beside the map.
    pub windows: Option<CorrelatedWindows<'a>>,
}

/// A peak of the correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeakMark {
    /// Displacement to the right, to fractions of a pixel.
    pub dx: f32,
    /// Displacement downwards, to fractions of a pixel.
    pub dy: f32,
    /// The correlation there.
    pub height: f32,
}

/// The windows of a vector.
#[derive(Clone, Copy, Debug)]
pub struct CorrelatedWindows<'a> {
    /// The side of both, in pixels.
    pub side: usize,
    /// The grey values of the window of the first image, row by row. Any range is possible.
    pub first: &'a [f32],
    /// The same of the second image.
    pub second: &'a [f32],
}

/// Draws the map and returns a PNG file. Rings mark the pixels of the two highest peaks. Crosses mark the peaks to
/// fractions of a pixel.
///
/// ```
/// use terzetto_program::plot::{CorrelationPlot, PeakMark, CorrelatedWindows, draw_correlation};
/// use terzetto_kernels::{correlation::{CorrelationMap, Correlator, Couple, CorrelationMethod}, subpixel::SubpixelParams};
///
/// // A blurred spot that moves by (2, -1) pixels.
/// let spot = |x: f32, y: f32| move |i: usize| {
///     let (u, v) = ((i % 16) as f32 - x, (i / 16) as f32 - y);
///     (-(u * u + v * v) / 2.0).exp()
/// };
/// let first: Vec<f32> = (0..256).map(spot(7.0, 8.0)).collect();
/// let second: Vec<f32> = (0..256).map(spot(9.0, 7.0)).collect();
/// let mut map = CorrelationMap::new(7, 1);
/// Correlator::new(CorrelationMethod::Circular, 16, 8)?
///     .correlate(Couple { first: &first, second: &second, norms: [1.0, 1.0] }, &mut map);
/// let peaks = map.peaks(2, 3);
/// let marks: Vec<PeakMark> = peaks.as_slice().iter().map(|peak| {
///     let fit = SubpixelParams::default().offset(&map, *peak).unwrap_or_default();
///     PeakMark { dx: peak.dx as f32 + fit.dx as f32, dy: peak.dy as f32 + fit.dy as f32, height: peak.value }
/// }).collect();
/// let plot = CorrelationPlot {
///     title: "karman_01",
///     subtitle: "window of 16 px at (23.5, 39.5)",
///     radius: map.radius(),
///     values: map.values(),
///     peaks: &marks,
///     windows: Some(CorrelatedWindows { side: 16, first: &first, second: &second }),
/// };
/// assert!(draw_correlation(&plot)?.starts_with(b"\x89PNG"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`PlotError`] if the number of values is not `(2 radius + 1)²`, or if a window does not have `side²` values.
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
    for (index, peak) in plot.peaks.iter().take(2).enumerate().rev() {
        mark(&mut canvas, &frame, peak, index);
    }
    axes::draw(&mut canvas, &frame, ["displacement to the right (px)", "displacement downwards (px)"]);
    titles::draw(&mut canvas, frame.left, plot.title, plot.subtitle);
    let room = canvas.width() - frame.left - MARGIN;
    canvas.text(&legend(plot.peaks), (frame.left, 80.0), SMALL, Align::Left, room);
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
    let bar = ColorBar { range, below: false, above: false, label: "correlation", color: colors::viridis };
    let radius = plot.radius as f32;
    let edges: Vec<f32> = (0..=2 * plot.radius + 1).map(|index| index as f32 - radius - 0.5).collect();
    cells::draw(canvas, frame, &edges, &edges, |index| match plot.values[index] {
        value if value.is_finite() => Cell::Filled(bar.color_of(value)),
        _ => Cell::Hatched,
    });
    color_bar::draw(canvas, frame, &bar);
}

/// Draws a ring around the pixel of a peak, and a cross at the peak.
fn mark(canvas: &mut Canvas, frame: &Frame, peak: &PeakMark, index: usize) {
    let end = frame.end();
    let inside = |at: f32, start: f32, end: f32| (start..end).contains(&at);
    if !(inside(peak.dx, frame.start.0, end.0) && inside(peak.dy, frame.start.1, end.1)) {
        return;
    }
    let color = if index == 0 { Rgb::INVALID } else { Rgb::WHITE };
    let pixel = frame.place(peak.dx.round(), peak.dy.round());
    let radius = (0.8 * frame.scale_x).max(7.0);
    let (x, y) = frame.place(peak.dx, peak.dy);
    let arm = (0.3 * frame.scale_x).clamp(3.0, 8.0);
    // With a dark rim, the marks can be seen on bright and on dark colours.
    for (grown, color) in [(1.6, Rgb::INK), (0.0, color)] {
        canvas.ring(pixel, radius, 2.0 + grown, color);
        canvas.line((x - arm, y), (x + arm, y), 1.6 + grown, color);
        canvas.line((x, y - arm), (x, y + arm), 1.6 + grown, color);
    }
}

/// The places and heights of the peaks, and the ratio of the first to the second.
fn legend(peaks: &[PeakMark]) -> String {
    let describe = |peak: &PeakMark| {
        let number = |value: f32| ticks::label(value, 2);
        format!("({}, {}), {}", number(peak.dx), number(peak.dy), number(peak.height))
    };
    match peaks {
        [] => "no peak".to_owned(),
        [first] => format!("red: peak at {}", describe(first)),
        [first, second, ..] => {
            let mut line =
                format!("red: peak at {}  ·  white: second peak at {}", describe(first), describe(second));
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
