//! Vectors as arrows. Direction and length show the displacement, and the colour its magnitude.

use super::{
    Arrow,
    canvas::Canvas,
    colors::{Rgb, on_dark},
    frame::Frame,
    quantile,
};

/// The smallest distance of arrows on the page.
pub const LEAST_SPACING: f32 = 11.0;
/// The length of an arrow of full magnitude, as a part of the spacing.
const FULL_LENGTH: f32 = 1.25;
/// The length of the longest arrow, as a part of the spacing. A wrong vector may be longer.
const MAX_LENGTH: f32 = 2.5;

/// How arrows are drawn in one picture.
pub struct Scale {
    /// The magnitude at the end of the color bar, in pixels of the image.
    pub full: f32,
    /// Are there longer vectors?
    pub exceeded: bool,
    /// The length of an arrow divided by its displacement, both in pixels of the image.
    pub stretch: f32,
    /// One row and column in so many is drawn.
    pub every: usize,
    /// The columns and rows of the grid, for `every`.
    columns: Vec<f32>,
    rows: Vec<f32>,
    /// The distance of drawn arrows on the page.
    spacing: f32,
}

impl Scale {
    /// A scale for arrows whose distance on the page is at least `least_spacing`.
    pub fn new(arrows: &[Arrow], frame: &Frame, least_spacing: f32) -> Scale {
        let columns = distinct(arrows.iter().map(|arrow| arrow.x));
        let rows = distinct(arrows.iter().map(|arrow| arrow.y));
        let step = smallest_step(&columns, frame.scale_x)
            .min(smallest_step(&rows, frame.scale_y))
            .min(frame.width.min(frame.height));
        let every = (least_spacing / step).ceil().max(1.0) as usize;
        let spacing = step * every as f32;
        let mut lengths: Vec<f32> =
            arrows.iter().filter(|arrow| arrow.valid && arrow.is_finite()).map(Arrow::length).collect();
        lengths.sort_by(f32::total_cmp);
        let full = quantile(&lengths, 0.99).filter(|length| *length > 0.0).unwrap_or(1.0);
        Scale {
            full,
            exceeded: lengths.last().is_some_and(|longest| *longest > full * 1.005),
            stretch: FULL_LENGTH * spacing / frame.scale_x / full,
            every,
            columns,
            rows,
            spacing,
        }
    }

    fn is_drawn(&self, arrow: &Arrow) -> bool {
        let on_grid = |lines: &[f32], at: f32| {
            let index = lines.partition_point(|line| *line < at);
            // The drawn rows are centred: both borders leave out the same number.
            index % self.every == (lines.len().max(1) - 1) % self.every / 2
        };
        self.every == 1 || (on_grid(&self.columns, arrow.x) && on_grid(&self.rows, arrow.y))
    }
}

fn distinct(values: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.dedup();
    values
}

fn smallest_step(lines: &[f32], scale: f32) -> f32 {
    lines.windows(2).map(|pair| (pair[1] - pair[0]) * scale).fold(f32::INFINITY, f32::min)
}

/// Draws arrows on a dark image. Their colour is the magnitude. Arrows that are not valid are red.
pub fn draw(canvas: &mut Canvas, frame: &Frame, arrows: &[Arrow], scale: &Scale) {
    let drawn = || arrows.iter().filter(|arrow| arrow.is_finite() && scale.is_drawn(arrow));
    for arrow in drawn().filter(|arrow| arrow.valid) {
        draw_one(canvas, frame, arrow, scale, on_dark(arrow.length() / scale.full), 0.0);
    }
    // Arrows that are not valid come last, so that nothing hides them.
    for arrow in drawn().filter(|arrow| !arrow.valid) {
        draw_one(canvas, frame, arrow, scale, Rgb::INVALID, 0.0);
    }
}

/// Draws the valid arrows on colours, in white with a dark rim. These can be seen on every colour.
pub fn draw_rimmed(canvas: &mut Canvas, frame: &Frame, arrows: &[Arrow], scale: &Scale) {
    let is_drawn = |arrow: &&Arrow| arrow.valid && arrow.is_finite() && scale.is_drawn(arrow);
    for arrow in arrows.iter().filter(is_drawn) {
        draw_one(canvas, frame, arrow, scale, Rgb::INK, 1.0);
        draw_one(canvas, frame, arrow, scale, Rgb::WHITE, 0.0);
    }
}

/// Draws an arrow, centred on the place of its vector: a shaft and a filled head, with a rim on all sides.
fn draw_one(canvas: &mut Canvas, frame: &Frame, arrow: &Arrow, scale: &Scale, color: Rgb, rim: f32) {
    let (x, y) = frame.place(arrow.x, arrow.y);
    let (dx, dy) = (arrow.dx * scale.stretch * frame.scale_x, arrow.dy * scale.stretch * frame.scale_y);
    let length = dx.hypot(dy);
    let width = (scale.spacing * 0.075).clamp(1.1, 2.4);
    if length < width {
        let half = width * 0.7 + rim;
        canvas.rectangle(x - half, y - half, 2.0 * half, 2.0 * half, color);
        return;
    }
    let shown = length.min(MAX_LENGTH * scale.spacing);
    let (ux, uy) = (dx / length, dy / length);
    let head = (0.42 * shown).min(width * 4.6).max(width);
    let at = |along: f32, aside: f32| (x + ux * along - uy * aside, y + uy * along + ux * aside);
    let (tail, tip) = (-0.5 * shown, 0.5 * shown);
    canvas.line(at(tail, 0.0), at(tip - 0.75 * head, 0.0), width + 2.0 * rim, color);
    let half = head * 0.40;
    let outline = [at(tip, 0.0), at(tip - head, half), at(tip - 0.78 * head, 0.0), at(tip - head, -half)];
    canvas.polygon(&outline, color);
    if rim > 0.0 {
        canvas.outline_of(&outline, 2.0 * rim, color);
    }
}
