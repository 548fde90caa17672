//! The vectors as arrows: direction and length show the displacement, colour its magnitude.

use super::{
    Arrow,
    canvas::Canvas,
    colors::{Rgb, on_dark},
    frame::Frame,
    quantile,
};

/// Arrows nearer to each other than this on the page could not be told apart.
pub const LEAST_SPACING: f32 = 11.0;
/// The length of a long arrow, as a part of the arrows' spacing.
const LONG: f32 = 1.25;
/// No arrow is longer than this many times the spacing, however wrong its vector is.
const LONGEST: f32 = 2.5;

/// How arrows are drawn in one picture.
pub struct Scale {
    /// The magnitude at the end of the colour bar, in pixels of the image.
    pub full: f32,
    /// Are there longer vectors than that?
    pub exceeded: bool,
    /// How many times longer than its displacement an arrow is, in pixels of the image.
    pub stretch: f32,
    /// Every how-many-th row and column is drawn.
    pub every: usize,
    /// Rows and columns of the grid, for `every`.
    columns: Vec<f32>,
    rows: Vec<f32>,
    /// Distance of drawn arrows on the page.
    spacing: f32,
}

impl Scale {
    /// The scale of arrows that are drawn no nearer to each other than `least_spacing` on the page.
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
            stretch: LONG * spacing / frame.scale_x / full,
            every,
            columns,
            rows,
            spacing,
        }
    }

    fn is_drawn(&self, arrow: &Arrow) -> bool {
        let on_grid = |lines: &[f32], at: f32| {
            let index = lines.partition_point(|line| *line < at);
            // Centred: what is left over is shared between both borders.
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

/// Draws arrows on a dark image: their colour is the magnitude, flagged ones are red.
pub fn draw(canvas: &mut Canvas, frame: &Frame, arrows: &[Arrow], scale: &Scale) {
    let drawn = || arrows.iter().filter(|arrow| arrow.is_finite() && scale.is_drawn(arrow));
    for arrow in drawn().filter(|arrow| arrow.valid) {
        draw_one(canvas, frame, arrow, scale, on_dark(arrow.length() / scale.full), 0.0);
    }
    // Flagged vectors come last: they must be seen.
    for arrow in drawn().filter(|arrow| !arrow.valid) {
        draw_one(canvas, frame, arrow, scale, Rgb::FLAGGED, 0.0);
    }
}

/// Draws the valid arrows on colours: white with a dark rim, which stands out from each of them.
pub fn draw_rimmed(canvas: &mut Canvas, frame: &Frame, arrows: &[Arrow], scale: &Scale) {
    let is_drawn = |arrow: &&Arrow| arrow.valid && arrow.is_finite() && scale.is_drawn(arrow);
    for arrow in arrows.iter().filter(is_drawn) {
        draw_one(canvas, frame, arrow, scale, Rgb::INK, 1.0);
        draw_one(canvas, frame, arrow, scale, Rgb::WHITE, 0.0);
    }
}

/// An arrow centred on the place of its vector: a shaft and a filled head, grown by a rim on all sides.
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
    let shown = length.min(LONGEST * scale.spacing);
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
