//! The outline of a frame, its ticks, and the names of its axes.

use super::{
    canvas::{Align, Canvas, NORMAL, SMALL},
    colors::Rgb,
    frame::Frame,
    ticks::ticks,
};

/// The length of a tick.
pub const TICK: f32 = 5.0;

/// Draws both axes. Coordinates are those of pixels, so half a pixel lies beyond the first and the last one.
pub fn draw(canvas: &mut Canvas, frame: &Frame, [x_name, y_name]: [&str; 2]) {
    canvas.outline(frame.left, frame.top, frame.width, frame.height, Rgb::INK);
    draw_x(canvas, frame, x_name);
    draw_y(canvas, frame, y_name);
}

fn draw_x(canvas: &mut Canvas, frame: &Frame, name: &str) {
    let bottom = frame.bottom();
    for tick in ticks(frame.start.0 + 0.5, frame.end().0 - 0.5, (frame.width / 110.0).ceil() as usize) {
        let (x, _) = frame.place(tick.value, 0.0);
        canvas.line((x, bottom), (x, bottom + TICK), 1.0, Rgb::INK);
        canvas.text(&tick.label, (x, bottom + 21.0), SMALL, Align::Middle, 100.0);
    }
    let middle = frame.left + frame.width / 2.0;
    canvas.text(name, (middle, bottom + 45.0), NORMAL, Align::Middle, frame.width);
}

fn draw_y(canvas: &mut Canvas, frame: &Frame, name: &str) {
    let left = frame.left;
    for tick in ticks(frame.start.1 + 0.5, frame.end().1 - 0.5, (frame.height / 90.0).ceil() as usize) {
        let (_, y) = frame.place(0.0, tick.value);
        canvas.line((left - TICK, y), (left, y), 1.0, Rgb::INK);
        canvas.text(&tick.label, (left - 9.0, y + 4.6), SMALL, Align::Right, 45.0);
    }
    let middle = frame.top + frame.height / 2.0;
    canvas.text_upwards(name, (left - 54.0, middle), NORMAL);
}
