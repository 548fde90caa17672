//! The color bar, which shows the values of the colours.

use super::{
    axes::TICK,
    canvas::{Align, Canvas, NORMAL, SMALL},
    colors::Rgb,
    frame::Frame,
    ticks::ticks,
};

/// A range of values and its colours.
pub struct ColorBar<'a> {
    /// The values at the lower and upper end.
    pub range: (f32, f32),
    /// Are there values below the lower end, or above the upper one? Then the bar has a tip there.
    pub below: bool,
    pub above: bool,
    /// The name of the values, with their unit.
    pub label: &'a str,
    /// The colour of a value. The value is 0 at the lower end and 1 at the upper end.
    pub color: fn(f32) -> Rgb,
}

impl ColorBar<'_> {
    /// The colour of a value. Values beyond an end have the colour of the end.
    pub fn color_of(&self, value: f32) -> Rgb {
        let (low, high) = self.range;
        (self.color)((value - low) / (high - low))
    }
}

/// Draws the bar to the right of a frame.
pub fn draw(canvas: &mut Canvas, frame: &Frame, bar: &ColorBar<'_>) {
    let (left, width, top, height) = (frame.right() + 22.0, 16.0, frame.top, frame.height);
    let steps = height as usize;
    for step in 0..steps {
        let part = 1.0 - (step as f32 + 0.5) / steps as f32;
        // One unit more than the step, so that there is no gap between two steps.
        let y = top + step as f32 * height / steps as f32;
        let tall = (height / steps as f32 + 1.0).min(top + height - y);
        canvas.rectangle(left, y, width, tall, (bar.color)(part));
    }
    canvas.outline(left, top, width, height, Rgb::INK);
    let mut tip = |edge: f32, direction: f32, color: Rgb| {
        let base = edge + direction * 3.0;
        let top = (left + width / 2.0, edge + direction * 14.0);
        canvas.polygon(&[(left, base), (left + width, base), top], color);
    };
    if bar.above {
        tip(top, -1.0, (bar.color)(1.0));
    }
    if bar.below {
        tip(top + height, 1.0, (bar.color)(0.0));
    }
    let (low, high) = bar.range;
    let right = left + width;
    for tick in ticks(low, high, (height / 90.0).ceil() as usize) {
        let y = top + height * (high - tick.value) / (high - low);
        canvas.line((right, y), (right + TICK, y), 1.0, Rgb::INK);
        canvas.text(&tick.label, (right + 9.0, y + 4.6), SMALL, Align::Left, 45.0);
    }
    canvas.text_upwards(bar.label, (right + 66.0, top + height / 2.0), NORMAL);
}
